package kube

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mehari-go/mehari/test/kube/bed"
	"github.com/mehari-go/mehari/test/kube/witness"
)

// What these two tests do makes the leader election of client-go v0.37.2 fail.

// There, a leader whose network heals while it gives its lease back clears the lease
// of the next leader: it releases what it has read just before, without looking who
// holds it.
func TestStaleRelease(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 2)
	old := tm.settled()["lock1"]
	tm.members[old.Member].Proxy.Set(bed.Hang)
	now := tm.leader("lock1", old, promise+slack)
	tm.members[old.Member].Proxy.Set(bed.Pass) // what it has tried to send meanwhile arrives now
	lease := tm.lease(now.Member)
	for end := time.Now().Add(2 * x); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		l, err := plane.Client.CoordinationV1().Leases(tm.ns.Name).Get(t.Context(), lease, metav1.GetOptions{})
		tm.ok(err)
		if h := l.Spec.HolderIdentity; h == nil || !strings.HasPrefix(*h, now.Member+"#") {
			t.Fatalf("the slot of the leader %s was given to %v", now.Member, h)
		}
	}
	tm.keeps("lock1", now, 0)
}

// There, a leader counts from the answer and not from the question: an answer that
// is late by more than the lease makes it lead beside the next one.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 0)
	a := tm.start("member-0")
	a.Proxy.Delay(100 * time.Millisecond)
	maps := plane.Client.CoreV1().ConfigMaps(tm.ns.Name)
	waitFor(t, "a grant is stored whose answer is on its way", func() bool {
		m, err := maps.Get(t.Context(), "leaders", metav1.GetOptions{})
		return err == nil && strings.Contains(m.Data["table"], `"lock1"`)
	})
	a.Proxy.Set(bed.Hang)
	tm.start("member-1")
	waitFor(t, "the other member leads", func() bool { return tm.last("lock1").Member == "member-1" })
	now := tm.last("lock1")
	a.Proxy.Delay(0)
	a.Proxy.Set(bed.Pass)
	tm.keeps("lock1", now, 2*y)
	if got := tm.last("lock1"); got.Act != (witness.Act{Lock: "lock1", Token: now.Token, Member: "member-1"}) {
		t.Errorf("%v leads, want member-1 with token %d", got, now.Token)
	}
}
