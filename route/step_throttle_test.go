package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// passages notes when exchanges come by.
type passages struct {
	begun time.Time
	mu    sync.Mutex
	times []time.Duration
}

func (p *passages) note(context.Context, *route.Exchange) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.times = append(p.times, time.Since(p.begun))
	return nil
}

func (p *passages) all() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.times)
}

// most is how many have come by at most in any time as long as per.
func most(times []time.Duration, per time.Duration) (most int) {
	from := 0
	for i, t := range times {
		for times[from]+per <= t {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

func TestThrottleHoldsTheRate(t *testing.T) {
	rate := 10_000
	if raceEnabled { // the detector makes it too slow
		rate = 500
	}
	second := float64(time.Second)
	for _, test := range []struct {
		name    string
		senders int
		pause   time.Duration // of a sender after each
	}{
		{"flood", 100, 0},
		{"a little more than allowed", 1, time.Duration(second / float64(rate) * 0.9)},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &passages{begun: time.Now()}
				k := start(t, route.Config{Drain: time.Hour}, route.From("in:x").Throttle(rate).Process(p.note))
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second-time.Nanosecond)
				defer cancel()
				var senders sync.WaitGroup
				for range test.senders {
					senders.Go(func() {
						n, ex := k.nextOf("x"), route.NewExchange(nil)
						for ctx.Err() == nil {
							if err := n.Process(ctx, ex); err != nil && ctx.Err() == nil {
								t.Error(err)
							}
							if test.pause > 0 {
								time.Sleep(test.pause)
							}
						}
					})
				}
				senders.Wait()
				times := p.all()
				if n := len(times); n < rate*99/10 || n > rate*101/10 {
					t.Errorf("%d in 10s, want %d within 1 %%", n, 10*rate)
				}
				if n := most(times, time.Second); n > rate {
					t.Errorf("%d in one second", n)
				}
			})
		})
	}
}

// The first ones pass at once, the others in the order in which they came.
func TestThrottleIsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var mu sync.Mutex
		var got []string
		k := start(t, route.Config{Drain: time.Hour}, route.From("in:x").Throttle(3, route.ThrottleOptions{Per: time.Minute}).
			Script(func(ex *route.Exchange) any {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, fmt.Sprint(ex.Body, " ", time.Since(begun)))
				return nil
			}))
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() { k.send(t, "x", i) })
			synctest.Wait()
		}
		all.Wait()
		wantLines(t, "order", got, "0 0s", "1 0s", "2 0s", "3 1m0s", "4 1m0s", "5 1m0s", "6 2m0s", "7 2m0s")
	})
}

// Who floods one key does not keep the others waiting, and has no more than its own.
func TestThrottleIsFairByKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		flood, calm := &passages{begun: time.Now()}, &passages{begun: time.Now()}
		k := start(t, route.Config{Drain: time.Hour}, route.From("in:x").
			Throttle(100, route.ThrottleOptions{By: kind}).
			Choice(route.When(route.Is(kind, "flood")).Process(flood.note), route.Otherwise().Process(calm.note)))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second-time.Nanosecond)
		defer cancel()
		sender := func(key string, pause time.Duration) func() {
			return func() {
				for n := k.nextOf("x"); ctx.Err() == nil; time.Sleep(pause) {
					ex := route.NewExchange(nil)
					kind.Set(ex, key)
					begun := time.Now()
					_ = n.Process(ctx, ex)
					if waited := time.Since(begun); key == "calm" && waited > 0 {
						t.Errorf("a calm one waited %v", waited)
					}
				}
			}
		}
		var senders sync.WaitGroup
		for range 50 {
			senders.Go(sender("flood", 0))
		}
		senders.Go(sender("calm", 20*time.Millisecond))
		senders.Wait()
		if a, b := len(flood.all()), len(calm.all()); a != 1000 || b != 500 {
			t.Errorf("%d and %d, want 1000 and 500", a, b)
		}
	})
}

func TestThrottleConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &passages{begun: time.Now()}
		k := start(t, route.Config{Drain: time.Hour}, route.From("in:x").
			Throttle(route.Simple("${header.max}"), route.ThrottleOptions{Concurrent: true, By: kind}).
			Process(p.note).Delay(time.Second).
			Choice(route.When(func(ex *route.Exchange) bool { return ex.Body == 1 }).ThrowText("bad"),
				route.When(func(ex *route.Exchange) bool { return ex.Body == 2 }).Process(func(context.Context, *route.Exchange) error { panic("worse") })))
		var all sync.WaitGroup
		for i := range 7 {
			all.Go(func() {
				ex := route.NewExchange(i)
				kind.Set(ex, "a")
				ex.SetHeader("max", 2)
				_ = k.give("x", ex)
			})
			synctest.Wait()
		}
		all.Wait()
		if want := []time.Duration{0, 0, 1e9, 1e9, 2e9, 2e9, 3e9}; !slices.Equal(p.all(), want) {
			t.Errorf("%v, want %v", p.all(), want)
		}
	})
}

// An exchange that comes by again has its place still.
func TestThrottleConcurrentInALoop(t *testing.T) {
	trace, _, err := through(t, route.NewExchange("b"), func(r *route.Route) {
		r.Loop(3, route.Do().Throttle(1, route.ThrottleOptions{Concurrent: true}).To("to:trace"))
	})
	if err != nil || len(trace) != 3 {
		t.Error(trace, err)
	}
}

func TestThrottleRejects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{},
			route.From("in:rate").Throttle(2, route.ThrottleOptions{Reject: true, By: route.Simple("key-${body}")}),
			route.From("in:count").Throttle(1, route.ThrottleOptions{Reject: true, Concurrent: true}).Delay(time.Second))
		for i, want := range []bool{true, true, false, false} {
			err := k.give("rate", route.NewExchange("x"))
			if (err == nil) != want {
				t.Errorf("%d: %v", i, err)
			}
			time.Sleep(100 * time.Millisecond)
			if throttled, ok := errors.AsType[*route.ThrottledError](err); ok != !want ||
				ok && (throttled.After != time.Second-time.Duration(i)*100*time.Millisecond || throttled.Error() != `throttled: no more than 2 in 1s with key "key-x"`) {
				t.Errorf("%d: %+v", i, throttled)
			}
		}
		time.Sleep(time.Second)
		k.send(t, "rate", "x")
		go k.send(t, "count", 1)
		synctest.Wait()
		if err := k.give("count", route.NewExchange(2)); err == nil || !strings.HasSuffix(err.Error(), "throttle 1 at a time: throttled: no more than 1 at a time") {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		k.send(t, "count", 3)
	})
}

// What max is may change.
func TestThrottleByExpression(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &passages{begun: time.Now()}
		k := start(t, route.Config{}, route.From("in:x").Throttle(func(ex *route.Exchange) any { return ex.Variable("global:max") }).Process(p.note))
		k.SetVariable("global:max", 1)
		k.send(t, "x", 0)
		k.SetVariable("global:max", "3")
		k.send(t, "x", 1)
		k.send(t, "x", 2)
		k.SetVariable("global:max", 2)
		time.Sleep(time.Millisecond)
		k.send(t, "x", 3)
		if want := []time.Duration{0, 0, 0, 1e9}; !slices.Equal(p.all(), want) {
			t.Errorf("%v, want %v", p.all(), want)
		}
		for bad, want := range map[any]string{0: "want a number of exchanges that is at least 1, have 0", "x": "want a number of exchanges: cannot convert"} {
			k.SetVariable("global:max", bad)
			if err := k.give("x", route.NewExchange(nil)); err == nil || !strings.Contains(err.Error(), want) {
				t.Error(err)
			}
		}
	})
}

// Who gives up leaves the place to the next.
func TestThrottleWaitEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &passages{begun: time.Now()}
		k := start(t, route.Config{Drain: time.Hour}, route.From("in:x").Throttle(1).Process(p.note))
		n, gone := k.nextOf("x"), errors.New("gone")
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				ctx, cancel := context.WithTimeoutCause(route.Work(n.ctx), time.Duration(i%2*10+1)*500*time.Millisecond, gone)
				defer cancel()
				if err := n.Process(ctx, route.NewExchange(i)); (err == nil) != (i%2 == 1 || i == 0) || err != nil && !errors.Is(err, gone) {
					t.Errorf("%d: %v", i, err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
		if want := []time.Duration{0, 1e9, 2e9, 3e9}; !slices.Equal(p.all(), want) {
			t.Errorf("%v, want %v", p.all(), want)
		}
	})
}

func TestThrottleKeysAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:x").Throttle(1, route.ThrottleOptions{By: route.Simple("${body}"), MaxKeys: 3, Reject: true}))
		for i := range 3 {
			k.send(t, "x", i)
			time.Sleep(100 * time.Millisecond)
		}
		for i, want := range map[int]string{3: `3 keys are in use already, "3" is one more`, 1: "throttled"} {
			if err := k.give("x", route.NewExchange(i)); err == nil || !strings.Contains(err.Error(), want) {
				t.Error(i, err)
			}
		}
		time.Sleep(700 * time.Millisecond) // the first is forgotten
		k.send(t, "x", 4)
		if err := k.give("x", route.NewExchange("")); err == nil || !strings.Contains(err.Error(), "the message has no key") {
			t.Error(err)
		}
	})
}

func TestThrottleLeavesTheWorker(t *testing.T) {
	for _, async := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			k := start(t, route.Config{}, route.From("in:x").Throttle(1, route.ThrottleOptions{Async: async}))
			var want []string
			if async {
				want = []string{"left at 0s", "back at 1s"}
			}
			w := &noting{begun: time.Now()}
			for range 2 {
				ex := route.NewExchange(nil)
				ex.SetWorker(w)
				if err := k.give("x", ex); err != nil {
					t.Error(err)
				}
			}
			if !slices.Equal(w.notes, want) {
				t.Errorf("%q, want %q", w.notes, want)
			}
		})
	}
}

func TestBadThrottles(t *testing.T) {
	type o = route.ThrottleOptions
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").
		Throttle(0, o{Per: -time.Second}).
		Throttle("many", o{Per: time.Minute, Concurrent: true}).
		Throttle(1, o{MaxKeys: 5}).
		Throttle(nil, o{By: "key", MaxKeys: -1})),
		`throttle 0 in -1s: want a Per that is not negative, have -1s`,
		`throttle 0 in -1s: want a number of exchanges that is at least 1, have 0`,
		`throttle at a time: want a Per or Concurrent, have both`,
		`throttle at a time: want a number of exchanges: cannot convert string "many" to int: want a whole number in decimal digits`,
		`throttle 1 in 1s: want a MaxKeys that is not negative, and only with By, have 5`,
		`throttle in 1s: want a MaxKeys that is not negative, and only with By, have -1`,
		`throttle in 1s: want a number of exchanges: cannot convert nil to int: there is no value`,
		`throttle in 1s: want an expression, have "key", which is the same for all messages`)
}
