package route_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// counts counts how often a step has met each body.
type counts struct {
	mu sync.Mutex
	of map[any]int
}

func (c *counts) add(body any) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[any]int{}
	}
	c.of[body]++
	return c.of[body]
}

// A step of a part that fails is run again, not the part, and not the whole.
func TestFanOutRedelivery(t *testing.T) {
	for _, parallel := range []int{0, 3} {
		for _, lasting := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				var first, second counts
				k := start(t, route.Config{Poison: true}, route.From("in:x").
					ErrorHandler(route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 2, Delay: time.Second}}).
					Split([]int{1, 2, 3}, route.Do().
						Process(func(_ context.Context, ex *route.Exchange) error { first.add(ex.Body); return nil }).
						Process(func(_ context.Context, ex *route.Exchange) error {
							if n := second.add(ex.Body); ex.Body != 1 && (lasting || n < 3) {
								return fmt.Errorf("boom %v", ex.Body)
							}
							return nil
						}),
						route.SplitOptions{FanOut: route.FanOut{Parallel: parallel, Merge: route.Collect}}))
				ex := route.NewExchange(nil)
				defer ex.Release()
				begun := time.Now()
				err := k.give("x", ex)
				if lasting && (err == nil || !strings.Contains(err.Error(), "boom 2") || !strings.Contains(err.Error(), "boom 3") || ex.Body != nil) {
					t.Errorf("%v, body %v", err, ex.Body)
				}
				if !lasting && (err != nil || fmt.Sprint(ex.Body) != "[1 2 3]") {
					t.Errorf("%v, body %v", err, ex.Body)
				}
				if fmt.Sprint(first.of, second.of) != "map[1:1 2:1 3:1] map[1:1 2:3 3:3]" {
					t.Errorf("%d: the steps were run %v and %v times", parallel, first.of, second.of)
				}
				if took, want := time.Since(begun), time.Duration(4-2*min(parallel, 1))*time.Second; took != want {
					t.Errorf("%d: after %v, want %v", parallel, took, want)
				}
			})
		}
	}
}

// A part whose failure is handled has succeeded, and one that is given up is not run again.
func TestFanOutErrorsHandled(t *testing.T) {
	boom := errors.New("boom")
	fails := func(context.Context, *route.Exchange) error { return boom }
	for _, parallel := range []int{0, 2} {
		ex, _, err := fanned(t, nil, func(r *route.Route) {
			r.OnError(route.OnError[error]().Handled(true).SetBody("handled")).
				MulticastWith(route.FanOut{Parallel: parallel, Merge: route.Collect},
					route.Do().SetBody("first").Process(fails).SetBody("not reached"), route.Do().SetBody("second"))
		})
		if err != nil || fmt.Sprint(ex.Body) != "[handled second]" {
			t.Errorf("%d: %v, %v", parallel, ex.Body, err)
		}
	}

	var n counts
	_, took, err := fanned(t, nil, func(r *route.Route) {
		r.OnError(route.OnErrorIs(boom).Redeliver(route.Redelivery{Maximum: -1, Delay: time.Second})).
			MulticastWith(route.FanOut{Parallel: 2, StopOnError: true},
				route.Do().Process(func(context.Context, *route.Exchange) error { n.add("tries"); return boom }),
				route.Do().SetBody(-5500).Process(waits))
	})
	if err == nil || !strings.HasSuffix(err.Error(), ": boom 5500") || took != 5500*ms || n.of["tries"] != 6 {
		t.Errorf("%v after %v and %d tries, want boom 5500 after 5.5s and 6 tries", err, took, n.of["tries"])
	}
}

// What a part leaves running goes on when the parts have ended.
func TestFanOutLeavesWireTapsRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tapped error = errors.New("not run")
		k := &kit{to: map[string]route.ProcessorFunc{"tap": func(ctx context.Context, _ *route.Exchange) error {
			time.Sleep(time.Second)
			tapped = context.Cause(ctx)
			return nil
		}}}
		k.start(t, route.Config{Poison: true}, route.From("in:x").
			MulticastWith(route.FanOut{Parallel: 2, Timeout: 100 * ms},
				route.Do().WireTap("to:tap"), route.Do().SetBody(1000).Process(waits)))
		k.send(t, "x", nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if tapped != nil {
			t.Errorf("the tap was given up: %v", tapped)
		}
	})
}
