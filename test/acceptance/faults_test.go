//go:build linux

package acceptance

import (
	"context"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/mehari-go/mehari/test/acceptance/nodes"
	"github.com/mehari-go/mehari/test/acceptance/witness"
)

// A span is what a time has to be within.
type span struct{ from, to time.Duration }

// What is promised. A graceful stop hands over at once; a leader that falls silent is
// succeeded x after its last beat, which is up to beat old; one that cannot prove its
// leadership stops by y.
var (
	atOnce  = span{0, 2 * time.Second}
	silent  = span{x - beat, x + time.Second}
	limited = span{0, y}
)

// all does it all, one fault after the other.
func (r *run) all(t *testing.T, applied time.Time) {
	r.test(t, "first deployment", func(t *testing.T, row *row) {
		for _, lock := range locks {
			row.again[lock] = r.taken(t, lock, 0).Sub(applied)
		}
		row.note = "a new table: the first leader waits for x"
	})
	r.strike(t, "kubectl delete pod", fault{old: atOnce, again: atOnce, do: func(p *pod) (func() error, error) {
		return nil, r.cluster.Client.CoreV1().Pods(namespace).Delete(r.ctx, p.Name, metav1.DeleteOptions{})
	}})
	kill := fault{again: silent, kills: true, do: func(p *pod) (func() error, error) {
		return nil, p.Signal(syscall.SIGKILL)
	}}
	r.strike(t, "SIGKILL", kill)
	r.test(t, "SIGKILL of all that lead at once", func(t *testing.T, row *row) {
		r.hit(t, row, r.settled(t), kill)
	})
	r.strike(t, "SIGSTOP, then SIGCONT", fault{again: silent, do: func(p *pod) (func() error, error) {
		r.pause(p)
		return func() error { return p.Signal(syscall.SIGCONT) }, p.Signal(syscall.SIGSTOP)
	}})
	r.strike(t, "cgroup freeze, then thaw", fault{again: silent, do: func(p *pod) (func() error, error) {
		r.pause(p)
		return p.Freeze()
	}})
	r.strike(t, "network cut", fault{old: limited, again: silent, do: func(p *pod) (func() error, error) {
		return nodes.Cut(p.Pod)
	}})
	r.strike(t, "TCP reset to the API server only", fault{old: limited, again: silent, do: func(p *pod) (func() error, error) {
		return p.Process.Reset()
	}})
	r.test(t, "RoleBinding deleted, then back", r.permission)
	r.test(t, "API server stopped for 14 s", r.apiServer)
	r.test(t, "the leader's node cut off", r.node)
	r.test(t, "kubectl rollout restart", r.rollout)
	r.test(t, "scale to 0, then to 3", r.scale)
}

// test runs a fault, which fills its row, and judges all acts so far.
func (r *run) test(t *testing.T, name string, f func(*testing.T, *row)) {
	if r.ctx.Err() != nil {
		t.Error(context.Cause(r.ctx))
		return
	}
	row := row{fault: name, again: map[string]time.Duration{}}
	ok := t.Run(name, func(t *testing.T) {
		before := 0
		for _, row := range r.rows {
			before += row.wrong
		}
		f(t, &row)
		r.sleep(t, 3*time.Second) // time to do what must not be done
		for _, lock := range locks {
			wrong := witness.Judge(r.witness.Acts(lock), r.paused)
			row.wrong += len(wrong)
		}
		row.wrong -= before
		if row.wrong > 0 {
			t.Errorf("%d acts by two leaders", row.wrong)
		}
	})
	if !ok {
		row.note += " FAILED"
	}
	r.rows = append(r.rows, row)
	t.Log(row)
}

func (r *run) pause(p *pod) {
	for _, a := range p.leads {
		r.paused[a.Member] = true
	}
}

// A fault is something done to a pod, and what has to come of it.
type fault struct {
	do    func(p *pod) (heal func() error, err error)
	kills bool // the process, which the kubelet starts again
	old   span // until the old leader's last act
	again span // until another's first
}

// strike does something to the pod that leads the route, and then to the one that leads
// the service, if that is another.
func (r *run) strike(t *testing.T, name string, f fault) {
	r.test(t, name, func(t *testing.T, row *row) {
		for _, lock := range locks {
			if _, done := row.again[lock]; !done {
				r.hit(t, row, r.leader(t, lock), f)
			}
		}
	})
}

// leader waits until all is well and returns the pod that leads the lock.
func (r *run) leader(t *testing.T, lock string) []*pod {
	t.Helper()
	for _, p := range r.settled(t) {
		if _, ok := p.leads[lock]; ok {
			return []*pod{p}
		}
	}
	t.Fatalf("none of the pods leads %s", lock)
	return nil
}

// hit does something to pods, and undoes it when others have taken over.
func (r *run) hit(t *testing.T, row *row, pods []*pod, f fault) {
	t.Helper()
	before, expected := r.restarts(t), int32(0)
	if f.kills {
		expected = int32(len(pods))
	}
	var heals []func() error
	heal := func() {
		for _, h := range heals {
			if err := h(); err != nil {
				t.Error(err)
			}
		}
		heals = nil
	}
	defer heal()
	from := time.Now()
	for _, p := range pods {
		h, err := f.do(p)
		if h != nil {
			heals = append(heals, h)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	hit := time.Now()
	for _, p := range pods {
		for lock, last := range p.leads {
			row.again[lock] = r.taken(t, lock, last.Token).Sub(from)
			row.old = max(row.old, r.ended(lock, last.Token).Sub(hit))
			most := f.again.to + slack
			if lock == hello {
				most += firstTick
			}
			within(t, lock+" again after", row.again[lock], span{f.again.from - slack/2, most})
		}
	}
	within(t, "the old leader acts for", row.old, span{0, f.old.to + slack/2})
	r.sleep(t, 3*time.Second)
	heal()
	r.settled(t)
	restarts := int32(0)
	for name, n := range r.restarts(t) {
		if old, ok := before[name]; ok {
			restarts += n - old
		}
	}
	if row.restarts += restarts; restarts != expected {
		t.Errorf("%d containers were restarted, want %d", restarts, expected)
	}
}

func within(t *testing.T, what string, have time.Duration, want span) {
	t.Helper()
	if have < want.from || have > want.to {
		t.Errorf("%s %v, want %v to %v", what, have, want.from, want.to)
	}
}
