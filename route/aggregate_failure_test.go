package route_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// badAt is a strategy that fails, or panics, at some bodies.
func badAt(ctx context.Context, group, next *route.Exchange) error {
	switch next.Body {
	case "bad":
		group.SetHeader("half", "done")
		group.Body = "spoiled"
		return errors.New("cannot merge")
	case "panic":
		panic("oh no")
	}
	return join(ctx, group, next)
}

// A strategy that fails fails the exchange, and leaves the group as it was.
func TestAggregateStrategyFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, badAt, route.AggregateOptions{Size: 2})
		for _, m := range []string{"x bad", "y panic"} {
			k.logs.take()
			err := k.offer(m)
			if err == nil {
				t.Errorf("%s: no error", m)
			}
			k.of(t, strings.Fields(m)[0]+" 1")
			if err := k.offer(m); err == nil {
				t.Errorf("%s: no error", m)
			}
			k.of(t, strings.Fields(m)[0]+" 2")
		}
		g.want(t, "x size 2: 1+2", "y size 2: 1+2")
	})
}

func TestAggregateDiscardsOnFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, badAt, route.AggregateOptions{Size: 3, DiscardOnFailure: true})
		k.of(t, "x 1", "x bad", "x 2", "x 3", "y panic", "x 4")
		g.want(t, "x size 3: 2+3+4")
		wantLines(t, "log", k.logs.take(),
			"WARN group discarded: its strategy failed route=route1 key=x exchanges=2 error=cannot merge",
			"WARN group discarded: its strategy failed route=route1 key=y exchanges=1 error=panic: oh no")
	})
}

// A group that fails is told, and does not fail the exchange that has completed it.
func TestAggregateGroupFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:a").
			Aggregate(byKind, join, route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
				if ex.Body == "panic" {
					panic("oh no")
				}
				return errors.New("cannot ship")
			}), route.AggregateOptions{Size: 1}))
		k.of(t, "x 1", "x panic")
		lines := k.logs.take()
		line := here(-2)
		line = line[:strings.LastIndex(line, ":")]
		if len(lines) != 2 || !strings.Contains(lines[0], "ERROR exchange failed route=route1") || !strings.Contains(lines[0], "step=process") ||
			!strings.Contains(lines[0], line) || !strings.Contains(lines[0], "error=cannot ship") || !strings.Contains(lines[1], "error=panic: oh no") {
			t.Errorf("log: %q", lines)
		}
		if s := status(t, k, "route1"); s.Failed != 2 || s.Total != 2 || len(s.InFlight) != 0 {
			t.Errorf("status %+v", s)
		}
	})
}

// As many groups as told are processed at the same time; who completes one more waits.
func TestAggregateInParallel(t *testing.T) {
	for name, byTime := range map[string]bool{"by size": false, "by timeout": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := route.AggregateOptions{Parallel: 2, Size: 1}
				if byTime {
					o.Size, o.Timeout = nil, time.Second
				}
				g := new(groups)
				k := start(t, route.Config{Poison: true}, route.From("in:a").
					Aggregate(byKind, join, route.Do().Delay(10*time.Second).Process(g.add), o))
				begun := time.Now()
				k.of(t, "x 1", "y 1")
				if d := time.Since(begun); d != 0 {
					t.Errorf("waited for %v", d)
				}
				k.of(t, "z 1")
				if d := time.Since(begun); !byTime && d != 10*time.Second {
					t.Errorf("waited for %v, want 10s", d)
				}
				synctest.Wait()
				if err := k.stop(); err != nil {
					t.Error(err)
				}
				if byTime { // those that time had not completed when the route was stopped
					if len(g.lines) != 0 {
						t.Error(g.lines)
					}
					return
				}
				if d := time.Since(begun); d != 20*time.Second || len(g.lines) != 3 {
					t.Errorf("%q after %v", g.lines, d)
				}
			})
		})
	}
}

func TestAggregateInParallelByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for parallel, want := range []time.Duration{41 * time.Second, 41 * time.Second, 21 * time.Second} {
			g := new(groups)
			k := start(t, route.Config{}, route.From("in:a").Aggregate(byKind, join,
				route.Do().Delay(10*time.Second).Process(g.add), route.AggregateOptions{Parallel: parallel, Timeout: time.Second}))
			begun := time.Now()
			k.of(t, "w 1", "x 1", "y 1", "z 1")
			pass(time.Second)
			if n := len(status(t, k, "route1").InFlight); n != max(parallel, 1) {
				t.Errorf("%d groups in flight, want %d", n, parallel)
			}
			pass(time.Minute)
			if d := g.after.Sub(begun); d != want || len(g.lines) != 4 {
				t.Errorf("%d at a time: %q after %v, want %v", parallel, g.lines, d, want)
			}
		}
	})
}

func TestAggregateBadInput(t *testing.T) {
	some := func() *route.Block { return route.Do().SetBody(1) }
	one := route.AggregateOptions{Size: 1}
	for _, c := range []struct {
		add  func(r *route.Route)
		want []string
	}{
		{func(r *route.Route) { r.Aggregate(1, nil, some(), one) }, []string{"nil strategy"}},
		{func(r *route.Route) { r.Aggregate(1, join, nil, one) }, []string{"want a block with steps: route.Do()"}},
		{func(r *route.Route) { r.Aggregate(1, join, route.Do(), one) }, []string{"want a block with steps: route.Do()"}},
		{func(r *route.Route) { r.Aggregate(route.Expression(nil), join, some(), one) }, []string{"nil function"}},
		{func(r *route.Route) { r.Aggregate("${body}", join, some(), one) }, []string{"the text \"${body}\" would not be evaluated: use route.Simple, or route.Constant to have it as it is"}},
		{func(r *route.Route) { r.Aggregate(1, join, some()) }, []string{"groups would never be completed: want at least one of Size, Timeout, Interval, When and FromBatch"}},
		{func(r *route.Route) { r.Aggregate(1, join, some(), one, one) }, []string{"want one route.AggregateOptions, have 2"}},
		{
			func(r *route.Route) { r.Aggregate(1, join, some(), route.AggregateOptions{Size: 0, Timeout: -1}) },
			[]string{"Size: want a whole number from 1, have 0", `Timeout: want a duration that is not negative, have "-1"`},
		},
		{
			func(r *route.Route) {
				r.Aggregate(1, join, some(), route.AggregateOptions{Size: "many", Timeout: time.Duration(0), When: 1})
			},
			[]string{
				"Size: want a whole number from 1, have many", "Timeout: want a duration greater than 0",
				"want a route.Predicate or one of route.Cond's other kinds, have int",
			},
		},
		{
			func(r *route.Route) {
				r.Aggregate(1, join, some(), route.AggregateOptions{Timeout: 1, Interval: 1, Parallel: -1, MaxGroups: -2, CloseKeys: -3})
			},
			[]string{
				"Interval and Timeout exclude each other", "CloseKeys: want no negative value, have -3",
				"Parallel: want no negative value, have -1", "MaxGroups: want no negative value, have -2",
			},
		},
		{
			func(r *route.Route) {
				r.Aggregate(1, join, some(), route.AggregateOptions{Size: 1, Retry: route.OptimisticRetry{Delay: 1}, Recovery: route.Recovery{Off: true}})
			},
			[]string{"Retry needs OptimisticLocking", "Recovery needs a Repository that is a route.RecoverableRepository, have <nil>"},
		},
		{
			func(r *route.Route) {
				r.Aggregate(1, join, some(), route.AggregateOptions{Size: 1, Repository: newRecoverable(), Recovery: route.Recovery{MaximumRedeliveries: 1}})
			},
			[]string{"Recovery: want both MaximumRedeliveries and DeadLetter, or neither"},
		},
		{
			func(r *route.Route) {
				r.Aggregate(1, join, some(), route.AggregateOptions{Size: 1, Repository: newRecoverable(), Recovery: route.Recovery{Off: true, Interval: 1}})
			},
			[]string{"Recovery: want nothing else where it is Off"},
		},
	} {
		r := route.From("in:a")
		c.add(r)
		err := new(kit).build(route.Config{}, r)
		if err == nil {
			t.Errorf("no error, want %q", c.want)
			continue
		}
		var got []string
		for line := range strings.Lines(err.Error()) {
			_, cause, ok := strings.Cut(line, ": aggregate: ")
			if !ok {
				t.Errorf("%q is of no aggregate", line)
			}
			got = append(got, strings.TrimSpace(cause))
		}
		wantLines(t, fmt.Sprintf("mistakes of %q", c.want), got, c.want...)
	}
}

// The error handling of the route holds for groups too.
func TestAggregateGroupFailureIsHandled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, o := range []route.AggregateOptions{{Size: 1}, {Size: 1, Parallel: 1}, {Timeout: time.Second}} {
			var dead []string
			k := &kit{to: map[string]route.ProcessorFunc{"dead": func(_ context.Context, ex *route.Exchange) error {
				dead = append(dead, ex.Body.(string))
				return nil
			}}}
			tries := 0
			k.start(t, route.Config{}, route.From("in:a").
				ErrorHandler(route.ErrorHandler{DeadLetter: "to:dead", Redelivery: route.Redelivery{Maximum: 2}}).
				Aggregate(byKind, join, route.Do().Process(func(context.Context, *route.Exchange) error {
					tries++
					return errors.New("cannot ship")
				}), o))
			k.of(t, "x 1")
			pass(time.Minute)
			if tries != 3 || len(dead) != 1 || dead[0] != "1" {
				t.Errorf("%+v: %d tries, dead letters %q", o, tries, dead)
			}
		}
	})
}
