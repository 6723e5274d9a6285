package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// fanned leads body through a route, in virtual time, and returns the exchange as it then
// is, what it took, and the error.
func fanned(t *testing.T, body any, add func(*route.Route)) (ex *route.Exchange, took time.Duration, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := route.From("in:x")
		add(r)
		k := start(t, route.Config{Poison: true}, r)
		ex = route.NewExchange(body)
		begun := time.Now()
		err = k.give("x", ex)
		took = time.Since(begun)
	})
	return ex, took, err
}

const ms = time.Millisecond

// waits is a step that takes as long as the body says, in milliseconds; a negative number
// fails after that long.
func waits(ctx context.Context, ex *route.Exchange) error {
	d := ex.Body.(int)
	select {
	case <-time.After(time.Duration(max(d, -d)) * ms):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if d < 0 {
		return fmt.Errorf("boom %d", -d)
	}
	return nil
}

func TestFanOutMergesInOrder(t *testing.T) {
	collect := route.FanOut{Merge: route.Collect}
	parallel, unordered := collect, collect
	parallel.Parallel, unordered.Parallel, unordered.Unordered = 3, 3, true
	for _, test := range []struct {
		name string
		o    route.FanOut
		want string
		took time.Duration
	}{
		{"one after the other", collect, "[30 10 20]", 60 * ms},
		{"one", route.FanOut{Parallel: 1, Merge: route.Collect, Unordered: true}, "[30 10 20]", 60 * ms},
		{"two at once", route.FanOut{Parallel: 2, Merge: route.Collect}, "[30 10 20]", 30 * ms},
		{"parallel", parallel, "[30 10 20]", 30 * ms},
		{"unordered", unordered, "[10 20 30]", 30 * ms},
		{"latest of a multicast", route.FanOut{Parallel: 3}, "20", 30 * ms},
		{"original", route.FanOut{Parallel: 3, KeepOriginal: true}, "[30 10 20]", 30 * ms},
	} {
		ways := map[string]func(*route.Route){
			"multicast": func(r *route.Route) {
				r.MulticastWith(test.o, route.Do().SetBody(30).Process(waits), route.Do().SetBody(10).Process(waits), route.Do().SetBody(20).Process(waits))
			},
			"list": func(r *route.Route) {
				r.Split(route.Simple("${body}"), route.Do().Process(waits), route.SplitOptions{FanOut: test.o})
			},
			"sequence": func(r *route.Route) {
				r.Split(func(ex *route.Exchange) any { return slices.Values(ex.Body.([]int)) }, route.Do().Process(waits), route.SplitOptions{FanOut: test.o})
			},
		}
		for way, add := range ways {
			want := test.want
			if way != "multicast" && test.o.Merge == nil {
				want = "[30 10 20]" // a split goes on as it was
			}
			ex, took, err := fanned(t, []int{30, 10, 20}, add)
			if err != nil || fmt.Sprint(ex.Body) != want || took != test.took {
				t.Errorf("%s, %s: %v after %v, %v; want %s after %v", test.name, way, ex.Body, took, err, want, test.took)
			}
		}
	}
}

func TestFanOutResult(t *testing.T) {
	ex, _, err := fanned(t, "body", func(r *route.Route) {
		r.SetHeader("old", 1).SetProperty("p", 1).
			Multicast(
				route.Do().SetHeader("a", 1).SetBody("first"),
				route.Do().SetHeader("b", 2).RemoveHeader("old").SetProperty("p", 2).SetBody("second").Stop())
	})
	if err != nil || ex.Body != "second" || ex.Header("a") != nil || ex.Header("b") != 2 || ex.Header("old") != nil || ex.Property("p") != 1 {
		t.Errorf("%v, %v: want the body and headers of the second branch, and nothing else", ex.Body, err)
	}
	if ex.Property("CamelMulticastIndex") != nil || ex.Property("CamelTimedOut") != nil {
		t.Error("the whole has a property of a part")
	}

	for _, parallel := range []int{0, 4} {
		ex, _, err = fanned(t, "body", func(r *route.Route) {
			r.MulticastWith(route.FanOut{Parallel: parallel, Merge: route.Collect},
				route.Do().SetBody(1).Stop().SetBody("not reached"),
				route.Do().SetBody(2).Filter(false).SetBody("not reached"),
				route.Do().Multicast(route.Do().SetBody(3), route.Do().SetBody(4).Stop())).
				Process(func(_ context.Context, ex *route.Exchange) error {
					ex.SetHeader("reached", true)
					return nil
				})
		})
		if err != nil || fmt.Sprint(ex.Body) != "[1 2 4]" || ex.Header("reached") != true {
			t.Errorf("%d: %v, %v, %v; want [1 2 4]: parts that stop have succeeded", parallel, ex.Body, ex.Header("reached"), err)
		}

		// nothing to merge
		ex, _, err = fanned(t, "body", func(r *route.Route) {
			r.Split([]int{}, route.Do().Process(nop), route.SplitOptions{FanOut: route.FanOut{Parallel: parallel, Merge: route.Collect}})
		})
		if err != nil || ex.Body != "body" {
			t.Errorf("%d: %v, %v; want it as it was", parallel, ex.Body, err)
		}

		// a part fails: the others are done, the whole is left as it was
		var n atomic.Int64
		ex, _, err = fanned(t, "body", func(r *route.Route) {
			r.Split([]int{1, -2, 3, -4}, route.Do().Process(waits).Process(func(context.Context, *route.Exchange) error { n.Add(1); return nil }),
				route.SplitOptions{FanOut: route.FanOut{Parallel: parallel, Merge: route.Collect}})
		})
		if err == nil || !strings.Contains(err.Error(), "boom 2\n") || !strings.Contains(err.Error(), "boom 4") || ex.Body != "body" || n.Load() != 2 {
			t.Errorf("%d: %v, %v, %d done; want both errors, the body, 2 done", parallel, ex.Body, err, n.Load())
		}
	}
}

func TestFanOutStopsOnError(t *testing.T) {
	for _, parallel := range []int{0, 2} {
		for _, merge := range []route.Strategy{nil, route.Collect} {
			var mu sync.Mutex
			var begun []any
			var causes []error
			o := route.FanOut{StopOnError: true, Parallel: parallel, Merge: merge}
			_, took, err := fanned(t, []int{10, -20, 30, 40, 50}, func(r *route.Route) {
				r.Split(route.Simple("${body}"), route.Do().Process(func(ctx context.Context, ex *route.Exchange) error {
					mu.Lock()
					begun = append(begun, ex.Body)
					mu.Unlock()
					err := waits(ctx, ex)
					if ctx.Err() != nil {
						mu.Lock()
						causes = append(causes, err)
						mu.Unlock()
					}
					return err
				}), route.SplitOptions{FanOut: o})
			})
			want, wantTook, wantCauses := "[10 -20]", 30*ms, "[]"
			if parallel > 0 { // 30 has begun after 10
				want, wantTook, wantCauses = "[10 -20 30]", 20*ms, "[given up because of another part]"
			}
			slices.SortFunc(begun, func(a, b any) int { return max(a.(int), -a.(int)) - max(b.(int), -b.(int)) })
			if fmt.Sprint(begun) != want || took != wantTook || fmt.Sprint(causes) != wantCauses {
				t.Errorf("%d: %v have begun, %v, %v; want %s, %v, %s", parallel, begun, took, causes, want, wantTook, wantCauses)
			}
			if err == nil || strings.Count(err.Error(), "\n") > 0 || !strings.HasSuffix(err.Error(), ": boom 20") {
				t.Errorf("%d: %v, want only boom 20", parallel, err)
			}
		}
	}
}

func TestFanOutTimeout(t *testing.T) {
	for _, test := range []struct {
		o      route.FanOut
		bodies []int
		want   any
		took   time.Duration
		late   any
	}{
		{route.FanOut{}, []int{10, 20}, "[10 20]", 30 * ms, nil},
		{route.FanOut{}, []int{10, 100, 10}, "[10]", 50 * ms, true},
		{route.FanOut{Parallel: 2}, []int{100, 10, 20}, "[10 20]", 50 * ms, true},
		{route.FanOut{Parallel: 2, Unordered: true}, []int{100, 20, 10, 200, 5}, "[20 10]", 50 * ms, true},
		{route.FanOut{Parallel: 2}, []int{100, 100}, "[100 100]", 50 * ms, true}, // as it was
		{route.FanOut{Parallel: 2}, []int{}, "[]", 0, nil},
		{route.FanOut{Parallel: 2, StopOnError: true}, []int{100, 10}, "[10]", 50 * ms, true}, // being late is no error
	} {
		test.o.Timeout, test.o.Merge = 50*ms, route.Collect
		ex, took, err := fanned(t, test.bodies, func(r *route.Route) {
			r.Split(route.Simple("${body}"), route.Do().Process(waits), route.SplitOptions{FanOut: test.o})
		})
		if err != nil || fmt.Sprint(ex.Body) != test.want || took != test.took || ex.Property("CamelTimedOut") != test.late {
			t.Errorf("%v: %v after %v, late: %v, %v; want %v after %v, late: %v", test.bodies, ex.Body, took, ex.Property("CamelTimedOut"), err, test.want, test.took, test.late)
		}
	}

	// what fails is told all the same
	ex, _, err := fanned(t, []int{100, -10}, func(r *route.Route) {
		r.Split(route.Simple("${body}"), route.Do().Process(waits), route.SplitOptions{FanOut: route.FanOut{Timeout: 50 * ms, Parallel: 2}})
	})
	if err == nil || !strings.HasSuffix(err.Error(), ": boom 10") || ex.Property("CamelTimedOut") != nil {
		t.Errorf("%v, want boom 10", err)
	}

	// an inner one does not take the end of an outer one for its own
	ex, took, err := fanned(t, nil, func(r *route.Route) {
		inner := route.FanOut{Timeout: time.Hour, Merge: route.Collect}
		r.MulticastWith(route.FanOut{Timeout: 50 * ms, Merge: route.Collect},
			route.Do().SetBody("fast"),
			route.Do().MulticastWith(inner, route.Do().SetBody(10).Process(waits), route.Do().SetBody(100).Process(waits)))
	})
	if err != nil || fmt.Sprint(ex.Body) != "[fast]" || took != 50*ms {
		t.Errorf("%v after %v, %v; want [fast] after 50ms", ex.Body, took, err)
	}

	// who does not heed the context is waited for, and not lost
	ex, took, err = fanned(t, nil, func(r *route.Route) {
		r.MulticastWith(route.FanOut{Timeout: 50 * ms, Merge: route.Collect, Parallel: 2},
			route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
				time.Sleep(time.Second)
				ex.Body = "slow"
				return nil
			}))
	})
	if err != nil || fmt.Sprint(ex.Body) != "[slow]" || took != time.Second {
		t.Errorf("%v after %v, %v; want [slow] after 1s", ex.Body, took, err)
	}
}

func TestFanOutIsCancelled(t *testing.T) {
	type key struct{}
	enough := errors.New("enough")
	for _, o := range []route.FanOut{
		{},
		{Parallel: 3},
		{Parallel: 3, Merge: route.Collect},
		{Timeout: time.Hour, Merge: route.Collect},
		{Parallel: 3, StopOnError: true, Timeout: time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			var begun atomic.Int64
			k := start(t, route.Config{Poison: true}, route.From("call:x").
				Split([]int{10, 1000, 1000, 1000, 1000, 1000, 1000}, route.Do().Process(func(ctx context.Context, ex *route.Exchange) error {
					begun.Add(1)
					if ctx.Value(key{}) != "value" {
						t.Error("the context has lost its values")
					}
					return waits(ctx, ex)
				}), route.SplitOptions{FanOut: o}))
			ctx, cancel := context.WithCancelCause(context.WithValue(t.Context(), key{}, "value"))
			time.AfterFunc(100*ms, func() { cancel(enough) })
			ex := route.NewExchange(nil)
			defer ex.Release()
			begin := time.Now()
			err := k.nextOf("x").Process(ctx, ex)
			if !errors.Is(err, enough) || strings.Count(err.Error(), "enough") != 1 || time.Since(begin) != 100*ms {
				t.Errorf("%+v: %v after %v; want enough, once, after 100ms", o, err, time.Since(begin))
			}
			if n := int(begun.Load()); n != max(2, o.Parallel+1) {
				t.Errorf("%+v: %d parts have begun", o, n)
			}
		})
	}
}

func TestFanOutPanicsAreErrors(t *testing.T) {
	panics := func(context.Context, *route.Exchange) error { panic("oh") }
	fails := func(context.Context, *route.Exchange) error { return errors.New("oh") }
	for _, parallel := range []int{0, 3} {
		for name, o := range map[string]route.FanOut{
			`split: merge of part 1: panic: oh`: {Merge: func(_ context.Context, group, next *route.Exchange) error {
				if next.Body == 2 {
					panic("oh")
				}
				return nil
			}},
			`split: merge of part 1: oh`: {Merge: func(ctx context.Context, group, next *route.Exchange) error {
				if next.Body == 2 {
					return fails(ctx, next)
				}
				return nil
			}},
			`split: panic: oh`: {Prepare: panics},
			`split: oh`:        {Prepare: fails},
		} {
			o.Parallel, o.StopOnError = parallel, true
			ex, _, err := fanned(t, "body", func(r *route.Route) {
				r.Split([]int{1, 2, 3}, route.Do().Process(nop), route.SplitOptions{FanOut: o})
			})
			if err == nil || strings.Count(err.Error(), "\n") > 0 && o.Merge != nil || !strings.Contains(err.Error(), name) || ex.Body != "body" {
				t.Errorf("%d: %v, want %s", parallel, err, name)
			}
		}
		_, _, err := fanned(t, "body", func(r *route.Route) {
			r.Split([]int{1, 2, 3}, route.Do().Process(panics), route.SplitOptions{FanOut: route.FanOut{Parallel: parallel}})
		})
		if err == nil || strings.Count(err.Error(), ": process: panic: oh") != 3 {
			t.Errorf("%d: %v, want three panics", parallel, err)
		}

		// parts that are on their way when the sequence panics are waited for
		var done atomic.Int64
		_, _, err = fanned(t, "body", func(r *route.Route) {
			r.Split(func(*route.Exchange) any {
				return func(yield func(int) bool) { _ = yield(10) && yield(20) && yield(30); panic("in the sequence") }
			}, route.Do().Process(waits).Process(func(context.Context, *route.Exchange) error { done.Add(1); return nil }),
				route.SplitOptions{FanOut: route.FanOut{Parallel: parallel}})
		})
		if err == nil || !strings.HasSuffix(err.Error(), ": split: panic: in the sequence") || done.Load() != 2 {
			t.Errorf("%d: %v, %d done", parallel, err, done.Load())
		}
	}
}

func TestFanOutPrepare(t *testing.T) {
	for _, parallel := range []int{0, 2} {
		ex, _, err := fanned(t, []int{1}, func(r *route.Route) {
			r.MulticastWith(route.FanOut{
				Parallel: parallel,
				Merge:    route.Collect,
				Prepare: func(_ context.Context, part *route.Exchange) error {
					part.Body = slices.Clone(part.Body.([]int))
					return nil
				},
			}, route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
				ex.Body.([]int)[0] = 7
				return nil
			}), route.Do().Process(nop))
		})
		if err != nil || fmt.Sprint(ex.Body) != "[[7] [1]]" {
			t.Errorf("%d: %v, %v", parallel, ex.Body, err)
		}
	}
}

func TestFanOutIsBounded(t *testing.T) {
	for _, unordered := range []bool{false, true} {
		var now, most, begun, last atomic.Int64
		values := func(yield func(int) bool) {
			for i := range 1000 {
				last.Store(int64(i))
				if !yield(i) {
					return
				}
			}
		}
		ex, _, err := fanned(t, nil, func(r *route.Route) {
			r.Split(func(*route.Exchange) any { return values }, route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
				begun.Add(1)
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				if ex.Body == 0 {
					time.Sleep(time.Second)
					if n := begun.Load(); !unordered && (n != 20 || last.Load() > 21) {
						t.Errorf("%d parts have begun of %d that were taken while the first one was on its way, want 20", n, last.Load())
					}
				} else {
					time.Sleep(ms)
				}
				return nil
			}), route.SplitOptions{FanOut: route.FanOut{Parallel: 5, Unordered: unordered, Merge: route.Collect}})
		})
		if all, _ := ex.Body.([]any); err != nil || len(all) != 1000 || most.Load() != 5 || (all[0] == 0) == unordered {
			t.Errorf("%d parts, %v, %d at once", len(all), err, most.Load())
		}
	}
}

func TestFanOutIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:x").Multicast(route.Do().
			Split([]int{50, 60, 70}, route.Do().Process(waits), route.SplitOptions{FanOut: route.FanOut{Parallel: 3}})))
		go func() { k.send(t, "x", nil) }()
		time.Sleep(10 * ms)
		var seen []string
		for _, f := range k.Status().Routes[0].InFlight {
			seen = append(seen, f.Step+" "+f.Age.String())
		}
		if want := []string{"split 10ms", "process 10ms", "process 10ms", "process 10ms"}; !slices.Equal(seen, want) {
			t.Errorf("in flight: %q, want %q", seen, want)
		}
		time.Sleep(time.Second)
		if n := len(k.Status().Routes[0].InFlight); n != 0 {
			t.Errorf("%d in flight afterwards", n)
		}
	})
}

func TestFanOutToAnotherRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{Poison: true},
			route.From("in:x").MulticastWith(route.FanOut{Parallel: 3, Merge: route.Collect},
				route.Do().SetBody(30).To("call:y"), route.Do().SetBody(-10).To("call:y"), route.Do().SetBody(20).To("call:y")),
			route.From("call:y").Process(waits))
		ex := route.NewExchange(nil)
		defer ex.Release()
		err := k.give("x", ex)
		if err == nil || !strings.Contains(err.Error(), `route "route2"`) || !strings.HasSuffix(err.Error(), "boom 10") {
			t.Errorf("%v, want the error of the second branch", err)
		}
		if logs := k.logs.take(); len(logs) != 1 {
			t.Errorf("want the failure told once, have %q", logs)
		}
	})
}

func TestFanOutMistakes(t *testing.T) {
	block := route.Do().Process(nop)
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").
		Multicast().
		Multicast(block, nil, route.Do()).
		MulticastWith(route.FanOut{Parallel: -1, Timeout: -time.Second}, block).
		MulticastWith(route.FanOut{Parallel: 10_001, KeepOriginal: true, Merge: route.Collect}, block)),
		`multicast: want at least one branch: route.Do()`,
		`multicast: branch 2 is nil`,
		`multicast: branch 3 has no steps`,
		`multicast: want Parallel from 0 to 10000, have -1`,
		`multicast: want a Timeout that is not negative, have -1s`,
		`multicast: want Parallel from 0 to 10000, have 10001`,
		`multicast: want Merge or KeepOriginal, have both`)
}
