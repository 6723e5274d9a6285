package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mehari-go/mehari/test/kube/bed"
	"github.com/mehari-go/mehari/test/kube/witness"
)

// A team is some members in a namespace of their own, and their witness.
type team struct {
	ns      *bed.Namespace
	command []string
	witness *witness.Witness
	members map[string]*bed.Pod
	started int
}

// newTeam starts n members with the flags and waits until all have joined and one
// leads.
func newTeam(ctx context.Context, cp *bed.ControlPlane, namespace string, n int, flags ...string) (*team, error) {
	path, err := cp.Build("./member")
	if err != nil {
		return nil, err
	}
	rules, err := bed.Role()
	if err != nil {
		return nil, err
	}
	ns, err := cp.Namespace(ctx, namespace, rules)
	if err != nil {
		return nil, err
	}
	w, err := witness.Listen()
	if err != nil {
		return nil, err
	}
	t := &team{ns: ns, witness: w, members: map[string]*bed.Pod{}}
	t.command = append([]string{path, "-witness", w.Addr()}, flags...)
	for range n {
		if err := t.start(ctx); err != nil {
			return nil, errors.Join(err, t.close())
		}
	}
	limit, cancel := context.WithTimeout(ctx, 2*wait)
	defer cancel()
	if _, err := w.After(limit, lock, 0); err != nil {
		return nil, errors.Join(err, t.close())
	}
	return t, nil
}

// start starts one more member and waits until it has joined and looked around.
func (t *team) start(ctx context.Context) error {
	t.started++
	name := fmt.Sprintf("member-%d", t.started)
	p, err := t.ns.StartPod(ctx, name, map[string]string{"app": "member"}, nil, t.command...)
	if err != nil {
		return err
	}
	t.members[name] = p
	for deadline := time.Now().Add(wait); !strings.Contains(p.Output(), "joined the cluster"); {
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not join:\n%s", name, p.Output())
		}
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(500 * time.Millisecond)
	return nil
}

func (t *team) close() error {
	for _, p := range t.members {
		p.Kill()
	}
	return t.witness.Close()
}
