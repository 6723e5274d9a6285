//go:build linux

package acceptance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mehari-go/mehari/test/acceptance/nodes"
	"github.com/mehari-go/mehari/test/acceptance/witness"
)

// A run is the example under fault after fault.
type run struct {
	ctx     context.Context
	cluster *nodes.Cluster
	witness *witness.Witness
	paused  map[string]bool // the members that were suspended
	rows    []row
}

// A row is what a fault did: times from the fault on, or from its end where that is
// what lets a lock be led again.
type row struct {
	fault    string
	old      time.Duration            // how long the old leader acted
	again    map[string]time.Duration // by lock: until somebody else acted
	restarts int32                    // of containers
	wrong    int                      // acts by two leaders
	note     string
}

func (r row) String() string {
	again := func(lock string) string {
		if d, ok := r.again[lock]; ok {
			return seconds(d)
		}
		return "goes on"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %d | %d | %s |", r.fault, seconds(r.old), again(hello), again(custom), r.wrong, r.restarts, r.note)
}

func (r *run) table() string {
	var b strings.Builder
	fmt.Fprintln(&b, "| fault | the old leader acts for | \"Hello World!\" again after | CustomService again after | acts by two | restarts | |")
	fmt.Fprintln(&b, "|---|---|---|---|---|---|---|")
	for _, row := range r.rows {
		fmt.Fprintln(&b, row)
	}
	return b.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// A pod is a replica of the example that leads.
type pod struct {
	*v1.Pod
	nodes.Process
	leads map[string]witness.Act // by lock, its last act
}

// settled waits until three pods are ready and every lock is led, and returns the pods
// that lead.
func (r *run) settled(t *testing.T) []*pod {
	t.Helper()
	var well time.Time
	r.await(t, 2*time.Minute, "three pods are ready and lead", func() (bool, error) {
		pods, err := r.pods()
		ready := len(pods) == 3
		for i := range pods {
			ready = ready && isReady(&pods[i]) && pods[i].DeletionTimestamp == nil
		}
		for _, lock := range locks {
			ready = ready && time.Since(r.witness.Last(lock).At) < 1500*time.Millisecond
		}
		if !ready {
			well = time.Time{}
		} else if well.IsZero() {
			well = time.Now()
		}
		return ready && time.Since(well) > 2*time.Second, err
	})
	return r.leaders(t)
}

func (r *run) leaders(t *testing.T) []*pod {
	t.Helper()
	pods, err := r.pods()
	if err != nil {
		t.Fatal(err)
	}
	var leaders []*pod
	for i := range pods {
		p := &pod{Pod: &pods[i], leads: map[string]witness.Act{}}
		for _, lock := range locks {
			if last := r.witness.Last(lock); last.Pod == p.Name {
				p.leads[lock] = last
			}
		}
		if len(p.leads) == 0 {
			continue
		}
		if p.Process, err = r.cluster.Process(p.Pod, command); err != nil {
			t.Fatal(err)
		}
		leaders = append(leaders, p)
	}
	return leaders
}

func (r *run) pods() ([]v1.Pod, error) {
	list, err := r.cluster.Client.CoreV1().Pods(namespace).List(r.ctx, metav1.ListOptions{LabelSelector: "app=" + app})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

func isReady(p *v1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == v1.PodReady {
			return c.Status == v1.ConditionTrue
		}
	}
	return false
}

// restarts returns how often the containers of the pods were restarted.
func (r *run) restarts(t *testing.T) map[string]int32 {
	t.Helper()
	pods, err := r.pods()
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int32{}
	for _, p := range pods {
		for _, c := range p.Status.ContainerStatuses {
			n[p.Name] += c.RestartCount
		}
	}
	return n
}

// taken waits until the lock is led with a greater token, and returns when that was.
func (r *run) taken(t *testing.T, lock string, token uint64) time.Time {
	t.Helper()
	return r.acted(t, lock, func(a witness.Act) bool { return a.Token > token })
}

// acted waits for an act under the lock and returns when it was.
func (r *run) acted(t *testing.T, lock string, is func(witness.Act) bool) time.Time {
	t.Helper()
	var at time.Time
	r.await(t, time.Minute, "somebody acts under "+lock, func() (bool, error) {
		for _, a := range r.witness.Acts(lock) {
			if !a.Stop && is(a) {
				at = a.At
				return true, nil
			}
		}
		return false, nil
	})
	return at
}

// ended returns when the last act under the token was.
func (r *run) ended(lock string, token uint64) time.Time {
	var last time.Time
	for _, a := range r.witness.Acts(lock) {
		if a.Token == token && !a.Stop {
			last = a.At
		}
	}
	return last
}

// silence returns the longest time without an act between two times.
func (r *run) silence(lock string, from, to time.Time) time.Duration {
	longest, last := time.Duration(0), from
	for _, a := range r.witness.Acts(lock) {
		if !a.Stop && a.At.After(from) && a.At.Before(to) {
			longest, last = max(longest, a.At.Sub(last)), a.At
		}
	}
	return max(longest, to.Sub(last))
}

// await asks until the answer is yes.
func (r *run) await(t *testing.T, limit time.Duration, what string, ok func() (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(r.ctx, limit)
	defer cancel()
	for {
		yes, err := ok()
		if yes && err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waiting until %s: %v (%v)", what, context.Cause(ctx), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// sleep waits for d, or ends the test with the run.
func (r *run) sleep(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-r.ctx.Done():
		t.Fatal(context.Cause(r.ctx))
	case <-time.After(d):
	}
}
