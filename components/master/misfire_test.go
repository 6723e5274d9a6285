package master_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/cluster/memory"
	"github.com/mehari-go/mehari/components/cron"
	"github.com/mehari-go/mehari/route"
)

// Leaders stop and are cut off while a schedule ticks every 10 seconds: no tick is missing.
// One comes twice, which a leader did when it was cut off already and could not tell.
func TestEveryTickAcrossLeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var due []time.Time
		records := memory.New()
		start := func(name string) *replica {
			return newReplica(t, name, records, route.Components{"cron": cron.New()},
				route.From("master:lock1:cron:c?timeZone=UTC&misfire=fire-all&schedule=0/10 * * * * ?").Process(func(ctx context.Context, ex *route.Exchange) error {
					select { // an effect that takes a while, and happens at its end
					case <-ctx.Done():
						return context.Cause(ctx)
					case <-time.After(time.Second):
					}
					at, _ := cron.ScheduledFireTime.Get(ex)
					mu.Lock()
					defer mu.Unlock()
					due = append(due, at)
					return nil
				}))
		}
		a, b, c := start("a"), start("b"), start("c")
		leader := func(except ...*replica) *replica {
			for _, r := range []*replica{a, b, c} {
				if !slices.Contains(except, r) && r.leadership().Leading {
					return r
				}
			}
			t.Fatal("nobody leads")
			return nil
		}
		begun := time.Now()
		time.Sleep(95 * time.Second)
		cut := leader()
		cut.store.off.Store(true) // between two ticks
		time.Sleep(60 * time.Second)
		cut.store.off.Store(false)
		time.Sleep(30*time.Second + 500*time.Millisecond)
		next := leader(cut)
		_ = next.engine.Suspend(t.Context(), "route1") // in order
		time.Sleep(60 * time.Second)
		leader(next)
		mu.Lock()
		defer mu.Unlock()
		at, again := begun.Truncate(10*time.Second), 0
		for i, d := range due {
			if d.Equal(at) {
				again++
				continue
			}
			if at = at.Add(10 * time.Second); !d.Equal(at) {
				t.Fatalf("tick %d is %v, want %v: all %v", i, d, at, due)
			}
		}
		if len(due) < 23 || again > 1 {
			t.Errorf("%d ticks, %d of them came again", len(due), again)
		}
	})
}
