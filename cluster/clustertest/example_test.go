package clustertest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/clustertest"
)

// A printer is a service that one would like to test: it prints once a second,
// on one replica only.
type printer struct{ printed map[string]int }

func (p *printer) run(svc *cluster.Service, name string) func(context.Context) error {
	return func(ctx context.Context) error {
		return svc.Run(ctx, "printer", func(ctx context.Context, t cluster.Term) error {
			for ctx.Err() == nil {
				if t.Valid() {
					p.printed[name]++
				}
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
			return nil
		})
	}
}

// What a user's own test may look like: minutes of cluster life in milliseconds.
func TestExample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t, 3, cluster.Options{})
		p := printer{printed: map[string]int{}}
		for _, m := range c.Members() {
			go p.run(m.Service, m.Name)(m.Context())
		}
		c.Advance(time.Minute)
		first := c.Leader("printer")
		if len(p.printed) != 1 || p.printed[first.Name] < 40 {
			t.Fatalf("printed %v", p.printed)
		}

		first.Partition()
		c.Advance(time.Minute)
		second := c.Leader("printer")
		if second == nil || second == first {
			t.Fatal("nobody took over")
		}
		if sum := p.printed[first.Name] + p.printed[second.Name]; sum > 120 {
			t.Errorf("printed twice at a time: %v", p.printed)
		}

		c.Heal()
		second.Crash()
		c.Advance(20 * time.Second)
		if third := c.Leader("printer"); third == nil || third == second {
			t.Error("nobody took over")
		}
	})
}

// TestFaults makes sure that each fault does what it says.
func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clustertest.New(t, 2, cluster.Options{})
		fn := func(ctx context.Context, _ cluster.Term) error { <-ctx.Done(); return nil }
		for _, m := range c.Members() {
			go m.Service.Run(m.Context(), "l", fn)
		}
		c.Advance(time.Minute)
		old := c.Leader("l")

		old.Pause()
		frozen := make(chan struct{})
		go func() {
			old.Frozen(t.Context())
			close(frozen)
		}()
		before := old.Service.Stats().Stepped
		c.Advance(time.Minute)
		select {
		case <-frozen:
			t.Error("not frozen")
		default:
		}
		if !old.Service.Stats().Stepped.Equal(before) || !old.Service.View("l").Leading() {
			t.Error("a paused member moved")
		}
		old.Resume()
		c.Advance(time.Second)
		<-frozen
		if old.Service.View("l").Leading() {
			t.Error("a resumed member still leads")
		}

		c.Delete(cluster.TableKey)
		c.Advance(time.Second)
		if c.Leader("l") != nil {
			t.Error("somebody leads without a table")
		}
		c.Advance(30 * time.Second)
		if c.Leader("l") == nil || c.Value(cluster.TableKey) == nil {
			t.Error("nobody leads with a new table")
		}

		third := c.Add()
		go third.Service.Run(third.Context(), "l", fn)
		c.Leader("l").Sleep(time.Hour)
		c.Advance(10 * time.Second)
		if c.Leader("l") == nil || len(third.Service.Members()) != 3 {
			t.Errorf("members %v", third.Service.Members())
		}
	})
}
