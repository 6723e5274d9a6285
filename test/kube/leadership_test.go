package kube

import (
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/mehari-go/mehari/test/kube/bed"
)

// Three members, two locks: each has one leader, with tokens that grow. The leader
// that is deleted hands over at once.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 3)
	old := tm.settled()
	first := old["lock1"]
	tm.ok(tm.members[first.Member].Delete(t.Context(), 10*time.Second))
	for _, lock := range locks {
		if old[lock].Member != first.Member {
			tm.keeps(lock, old[lock], 0)
			continue
		}
		if _, gap := tm.succeeded(lock, old[lock], time.Second); gap < 0 {
			t.Errorf("two led for %v", -gap)
		}
	}
}

// A newcomer is given a lock, which its leader hands over.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 0)
	tm.spread = true
	tm.start("member-0")
	old := tm.settled()
	tm.start("member-1")
	waitFor(t, "the newcomer leads one of the locks", func() bool {
		return (tm.last("lock1").Member == "member-1") != (tm.last("lock2").Member == "member-1")
	})
	for _, lock := range locks {
		if tm.last(lock).Member == "member-1" {
			tm.succeeded(lock, old[lock], time.Second)
		}
	}
}

// A leader that is killed is silent: the next one waits for x since its last beat.
func TestKill(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 3)
	old := tm.settled()["lock1"]
	tm.ok(tm.members[old.Member].Signal(syscall.SIGKILL))
	if _, gap := tm.succeeded("lock1", old, promise+slack); gap < x-r-100*time.Millisecond {
		t.Errorf("taken over after %v, want no earlier than x-r = %v", gap, x-r)
	}
}

// A leader that is stopped by a signal for longer than x finds out when it goes on,
// and becomes a follower.
func TestStopAndContinue(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 3)
	old := tm.settled()["lock1"]
	tm.paused++
	tm.ok(tm.members[old.Member].Signal(syscall.SIGSTOP))
	now, _ := tm.succeeded("lock1", old, promise+slack)
	tm.ok(tm.members[old.Member].Signal(syscall.SIGCONT))
	tm.keeps("lock1", now, x)
}

// A leader whose connections hang stops by itself, by y after the last beat that
// was answered, and is not back before its network is.
func TestHang(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 3)
	old := tm.settled()["lock1"]
	tm.cut(old.Member, bed.Hang)
}

func TestReset(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 3)
	old := tm.settled()["lock1"]
	tm.cut(old.Member, bed.Reset)
}

// cut cuts the leader of lock1 off, and heals it when another leads.
func (t *team) cut(leader string, f bed.Fault) {
	t.Helper()
	old := t.last("lock1")
	t.members[leader].Proxy.Set(f)
	from := time.Now()
	now, _ := t.succeeded("lock1", old, promise+slack)
	for _, s := range t.witness.Spans("lock1") {
		if s.Token == old.Token && s.Last.Sub(from) > y+100*time.Millisecond {
			t.Errorf("%s acted for %v after it was cut off, want at most y = %v", leader, s.Last.Sub(from), y)
		}
	}
	t.members[leader].Proxy.Set(bed.Pass)
	t.keeps("lock1", now, x)
}

// Faults that are shorter than y - r cost nobody the leadership.
func TestShortFaults(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 3)
	old := tm.settled()["lock1"]
	for _, f := range []bed.Fault{bed.Reset, bed.Hang, bed.Reset} {
		for _, p := range tm.members {
			p.Proxy.Set(f)
		}
		time.Sleep(r)
		for _, p := range tm.members {
			p.Proxy.Set(bed.Pass)
		}
		tm.keeps("lock1", old, y)
	}
}

// Without its table nobody knows who leads: all stop, and start again on a new one
// when every old leader must have seen that it is gone.
func TestDeleteConfigMap(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 3)
	old := tm.settled()
	tm.ok(plane.Client.CoreV1().ConfigMaps(tm.ns.Name).Delete(t.Context(), "leaders", metav1.DeleteOptions{}))
	for _, lock := range locks {
		tm.succeeded(lock, old[lock], promise+slack)
	}
}

// Without its slot a leader's session is over, and its locks are led again.
func TestDeleteLease(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 3)
	old := tm.settled()["lock1"]
	tm.ok(plane.Client.CoordinationV1().Leases(tm.ns.Name).Delete(t.Context(), tm.lease(old.Member), metav1.DeleteOptions{}))
	tm.succeeded("lock1", old, promise+slack)
}

// A leader that reads another name in its slot stops at once.
func TestEditHolder(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 3)
	old := tm.settled()["lock1"]
	patch := []byte(`{"spec":{"holderIdentity":"somebody"}}`)
	from := time.Now()
	_, err := plane.Client.CoordinationV1().Leases(tm.ns.Name).Patch(t.Context(), tm.lease(old.Member), types.MergePatchType, patch, metav1.PatchOptions{})
	tm.ok(err)
	tm.succeeded("lock1", old, promise+slack)
	for _, s := range tm.witness.Spans("lock1") {
		if s.Token == old.Token && s.Last.Sub(from) > 2*r+slack {
			t.Errorf("the leader acted for %v after the edit, want about r = %v", s.Last.Sub(from), r)
		}
	}
}

// A table that becomes something else's stays as it is; nobody leads until it is
// gone, and then somebody leads again.
func TestForeignTable(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 3)
	old := tm.settled()["lock1"]
	maps := plane.Client.CoreV1().ConfigMaps(tm.ns.Name)
	m, err := maps.Patch(t.Context(), "leaders", types.MergePatchType, []byte(`{"data":{"table":null,"app.yaml":"a: b"}}`), metav1.PatchOptions{})
	tm.ok(err)
	time.Sleep(y + slack)
	if s := tm.last("lock1"); time.Since(s.Last) < slack/2 {
		t.Errorf("%s still leads: %v", s.Member, s)
	}
	time.Sleep(x)
	now, err := maps.Get(t.Context(), "leaders", metav1.GetOptions{})
	tm.ok(err)
	if now.ResourceVersion != m.ResourceVersion {
		t.Errorf("the ConfigMap was written: %v", now)
	}
	tm.ok(maps.Delete(t.Context(), "leaders", metav1.DeleteOptions{}))
	deleted := time.Now()
	again := tm.leader("lock1", old, promise+slack+10*time.Second)
	if d := again.First.Sub(deleted); d > promise+slack {
		t.Errorf("led again %v after the foreign ConfigMap was deleted, want at most %v", d, promise+slack)
	}
}

// A leader that loses its permissions stops by y, and the locks are led again when
// they are back.
func TestRoleTakenAway(t *testing.T) {
	t.Parallel()
	tm := newTeam(t, plane, 3)
	old := tm.settled()["lock1"]
	tm.ok(tm.ns.SetRules(t.Context(), nil))
	time.Sleep(y + slack)
	if s := tm.last("lock1"); time.Since(s.Last) < slack/2 {
		t.Errorf("%s still leads without permissions: %v", s.Member, s)
	}
	if s := tm.last("lock1"); s.Act != old.Act {
		t.Errorf("%v took over without permissions", s)
	}
	tm.ok(tm.ns.SetRules(t.Context(), role()))
	back := time.Now()
	waitFor(t, "the lock is led again", func() bool { return time.Since(tm.last("lock1").Last) < slack/2 })
	if d := time.Since(back); d > promise+slack {
		t.Errorf("led again %v after the permissions were back, want at most %v", d, promise+slack)
	}
}

// lease is the name of the member's Lease.
func (t *team) lease(member string) string {
	t.Helper()
	all, err := plane.Client.CoordinationV1().Leases(t.ns.Name).List(t.Context(), metav1.ListOptions{})
	t.ok(err)
	for _, l := range all.Items {
		if h := l.Spec.HolderIdentity; h != nil && len(*h) > len(member) && (*h)[:len(member)+1] == member+"#" {
			return l.Name
		}
	}
	t.Fatalf("%s has no Lease", member)
	return ""
}
