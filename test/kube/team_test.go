package kube

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/mehari-go/mehari/test/kube/bed"
	"github.com/mehari-go/mehari/test/kube/witness"
)

// The timings of the members, and what they promise: after whatever happened a lock
// is led again x + 1 s after the last proof of the old leader. The tests allow
// another second, for machines that are busy with all of them.
const (
	x       = 3 * time.Second
	y       = 2 * time.Second
	r       = 400 * time.Millisecond
	promise = x + time.Second
	slack   = time.Second
)

var locks = []string{"lock1", "lock2"}

var buildMember = sync.OnceValues(func() (string, error) { return plane.Build("./member") })

// A team is three members in one namespace, and their witness.
type team struct {
	*testing.T
	ns      *bed.Namespace
	plane   *bed.ControlPlane
	witness *witness.Witness
	members map[string]*bed.Pod
	paused  int  // times that a leader was stopped by a signal
	spread  bool // locks move to newcomers
}

// newTeam starts n members. When the test ends it checks that at no time two led.
// Locks stay where they are as long as their leader is well.
func newTeam(t *testing.T, cp *bed.ControlPlane, n int) *team {
	t.Helper()
	w, err := witness.Listen()
	if err != nil {
		t.Fatal(err)
	}
	tm := &team{T: t, ns: namespace(t, cp, role()), plane: cp, witness: w, members: map[string]*bed.Pod{}}
	t.Cleanup(tm.judge)
	for i := range n {
		tm.start(fmt.Sprintf("member-%d", i))
	}
	return tm
}

// start starts a member.
func (t *team) start(name string) *bed.Pod {
	t.Helper()
	path, err := buildMember()
	if err != nil {
		t.Fatal(err)
	}
	p, err := t.ns.StartPod(t.Context(), name, map[string]string{"app": "member"}, nil, path,
		"-witness", t.witness.Addr(), "-wait", x.String(), "-limit", y.String(), "-beat", r.String(),
		fmt.Sprintf("-fixed=%t", !t.spread))
	if err != nil {
		t.Fatal(err)
	}
	t.members[name] = p
	return p
}

// judge ends the members and tells whether two of them led at once: whether an act
// came with a token that was over. A leader that is stopped between the question
// whether it still leads and the act does that act when it goes on, once for each
// lock: there the token is the last line of defence, and the witness has refused it.
func (t *team) judge() {
	for _, p := range t.members {
		p.Kill()
	}
	for _, lock := range locks {
		if refused := t.witness.Refused(lock); len(refused) > t.paused {
			t.Errorf("%s: %d acts of leaders that were over: %v", lock, len(refused), refused)
		} else if len(refused) > 0 {
			t.Logf("%s: refused by its token: %v", lock, refused)
		}
		for _, s := range t.witness.Spans(lock) {
			t.Logf("%s: token %d, %s: %d acts in %v", lock, s.Token, s.Member, s.Count, s.Last.Sub(s.First).Round(time.Millisecond))
		}
	}
	if err := t.witness.Err(); err != nil {
		t.Error(err)
	}
	if err := t.witness.Close(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		for name, p := range t.members {
			t.Logf("--- %s\n%s", name, p.Output())
		}
	}
}

// leader waits for the first leader of the lock, or the first after that one.
func (t *team) leader(lock string, after witness.Span, within time.Duration) witness.Span {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	s, err := t.witness.After(ctx, lock, after.Token)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// leaders waits until both locks are led.
func (t *team) leaders() map[string]witness.Span {
	t.Helper()
	all := map[string]witness.Span{}
	for _, lock := range locks {
		all[lock] = t.leader(lock, witness.Span{}, x+10*time.Second)
	}
	return all
}

// settled waits until both locks have had one leader for 2 s, who is returned: it
// takes a moment until the members have all joined.
func (t *team) settled() map[string]witness.Span {
	t.Helper()
	t.leaders()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		all := map[string]witness.Span{}
		for _, lock := range locks {
			if s := t.last(lock); time.Since(s.First) > 2*time.Second && time.Since(s.Last) < r {
				all[lock] = s
			}
		}
		if len(all) == len(locks) {
			return all
		}
	}
	t.Fatal("the members do not settle")
	return nil
}

// last is the latest leader of the lock.
func (t *team) last(lock string) witness.Span {
	spans := t.witness.Spans(lock)
	if len(spans) == 0 {
		return witness.Span{}
	}
	return spans[len(spans)-1]
}

// succeeded waits for the leader after old and returns it, with the time that the
// lock was without one.
func (t *team) succeeded(lock string, old witness.Span, within time.Duration) (witness.Span, time.Duration) {
	t.Helper()
	s := t.leader(lock, old, within+10*time.Second)
	for _, o := range t.witness.Spans(lock) {
		if o.Token == old.Token {
			old = o
		}
	}
	gap := s.First.Sub(old.Last)
	t.Logf("%s: %s to %s after %v", lock, old.Member, s.Member, gap.Round(time.Millisecond))
	if gap > within {
		t.Errorf("%s was without a leader for %v, want at most %v", lock, gap, within)
	}
	return s, gap
}

// keeps checks that nobody else leads the lock for d, and that its leader acts.
func (t *team) keeps(lock string, leader witness.Span, d time.Duration) {
	t.Helper()
	time.Sleep(d)
	if now := t.last(lock); now.Act != leader.Act || time.Since(now.Last) > time.Second {
		t.Errorf("%s: %s with token %d no longer leads: %v", lock, leader.Member, leader.Token, now)
	}
}

// ok fails the test on an error.
func (t *team) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
