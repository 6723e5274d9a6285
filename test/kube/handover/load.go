package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/mehari-go/mehari/test/kube/bed"
)

// most is how many requests a member may send in a minute.
const most = 45.0

// policy has the API server log the metadata of each request of a service account,
// when it answers and, for a watch, when it begins to.
const policy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, userGroups: ["system:serviceaccounts"]}
- {level: None}
`

// measureLoad counts the requests of three members in the audit log of the API
// server, with few locks and with many, once they have settled.
func measureLoad(ctx context.Context, d time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	policyFile, log := filepath.Join(dir, "policy.yaml"), filepath.Join(dir, "log")
	if err := os.WriteFile(policyFile, []byte(policy), 0o600); err != nil {
		return err
	}
	cp, err := bed.Start("--audit-policy-file="+policyFile, "--audit-log-path="+log, "--audit-log-mode=blocking")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cp.Close()) }()
	counts := []int{10, 500}
	for _, n := range counts {
		t, err := newTeam(ctx, cp, namespaceOf(n), 3, "-count", strconv.Itoa(n), "-every", "0")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.close()) }()
		if err := t.allLed(ctx, n); err != nil {
			return err
		}
	}
	fmt.Printf("all locks are led; the members settle for %v\n", 2*wait)
	if err := sleep(ctx, 2*wait); err != nil {
		return err
	}
	from := time.Now()
	fmt.Printf("counting for %v\n", d)
	if err := sleep(ctx, d); err != nil {
		return err
	}
	until := time.Now()
	seen, err := readAudit(log, from, until)
	if err != nil {
		return err
	}
	var wrong []error
	highest := map[int]float64{}
	for _, n := range counts {
		for _, who := range slices.Sorted(maps.Keys(seen[namespaceOf(n)])) {
			calls := seen[namespaceOf(n)][who]
			total := 0
			for _, c := range calls {
				total += c
			}
			rate := float64(total) / d.Minutes()
			highest[n] = max(highest[n], rate)
			fmt.Printf("%d locks: %s: %.1f requests a minute: %v\n", n, who, rate, calls)
			if rate > most {
				wrong = append(wrong, fmt.Errorf("%s sends %.1f requests a minute, want at most %.0f", who, rate, most))
			}
		}
	}
	if few, many := highest[counts[0]], highest[counts[1]]; many > few+1 || few == 0 {
		wrong = append(wrong, fmt.Errorf("%.1f requests a minute at %d locks, %.1f at %d: want no more", few, counts[0], many, counts[1]))
	}
	return errors.Join(wrong...)
}

func namespaceOf(locks int) string { return fmt.Sprintf("load-%d", locks) }

// allLed waits until each of the n locks has been acted under.
func (t *team) allLed(ctx context.Context, n int) error {
	for i := range n {
		limit, cancel := context.WithTimeout(ctx, 2*wait)
		_, err := t.witness.After(limit, fmt.Sprintf("lock%d", i+1), 0)
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// readAudit counts the requests that began in that time, by namespace, pod, and
// verb with resource.
func readAudit(log string, from, until time.Time) (map[string]map[string]map[string]int, error) {
	b, err := os.ReadFile(log)
	if err != nil {
		return nil, err
	}
	seen := map[string]map[string]map[string]int{}
	known := map[string]bool{}
	for line := range bytes.Lines(b) {
		var e struct {
			AuditID                  string
			RequestReceivedTimestamp time.Time
			Verb                     string
			User                     struct {
				Username string
				Extra    map[string][]string
			}
			ObjectRef struct{ Namespace, Resource string }
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, err
		}
		pod := e.User.Extra["authentication.kubernetes.io/pod-name"]
		if at := e.RequestReceivedTimestamp; len(pod) != 1 || known[e.AuditID] || at.Before(from) || at.After(until) {
			continue
		}
		known[e.AuditID] = true
		ns := e.ObjectRef.Namespace
		if seen[ns] == nil {
			seen[ns] = map[string]map[string]int{}
		}
		if seen[ns][pod[0]] == nil {
			seen[ns][pod[0]] = map[string]int{}
		}
		seen[ns][pod[0]][e.Verb+" "+e.ObjectRef.Resource]++
	}
	return seen, nil
}
