package route_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// noting is a worker that notes when it is left and returned to.
type noting struct {
	begun time.Time
	notes []string
}

func (n *noting) Leave()  { n.notes = append(n.notes, "left at "+time.Since(n.begun).String()) }
func (n *noting) Return() { n.notes = append(n.notes, "back at "+time.Since(n.begun).String()) }

func TestDelayLeavesTheWorker(t *testing.T) {
	for _, test := range []struct {
		name string
		add  func(r *route.Route)
		want []string
	}{
		{"by default", func(r *route.Route) { r.Delay(time.Second) }, []string{"left at 0s", "back at 1s"}},
		{"not for nothing", func(r *route.Route) { r.Delay(0) }, nil},
		{"blocking", func(r *route.Route) { r.Delay(time.Second, route.DelayOptions{Blocking: true}) }, nil},
		{"in another route", func(r *route.Route) { r.To("call:y") }, []string{"left at 0s", "back at 1s"}},
		{"not in a part", func(r *route.Route) { r.Split([]any{1}, route.Do().Delay(1000)) }, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := route.From("in:x")
			test.add(r)
			k := start(t, route.Config{}, r, route.From("call:y").Delay("1s"))
			w := &noting{begun: time.Now()}
			ex := route.NewExchange(nil)
			ex.SetWorker(w)
			if err := k.give("x", ex); err != nil || !slices.Equal(w.notes, test.want) {
				t.Errorf("%s: %q, %v, want %q", test.name, w.notes, err, test.want)
			}
			ex.Release()
		})
	}
}

func TestDelayReturnsToTheWorkerWhenTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:x").Delay(time.Hour))
		n := k.nextOf("x")
		gone := errors.New("gone")
		ctx, cancel := context.WithTimeoutCause(route.Work(n.ctx), time.Second, gone)
		defer cancel()
		w := &noting{begun: time.Now()}
		ex := route.NewExchange(nil)
		ex.SetWorker(w)
		if err := n.Process(ctx, ex); !errors.Is(err, gone) || !slices.Equal(w.notes, []string{"left at 0s", "back at 1s"}) {
			t.Errorf("%q, %v", w.notes, err)
		}
	})
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").Delay(1, route.DelayOptions{}, route.DelayOptions{})),
		"delay 1: want one route.DelayOptions, have 2")
}
