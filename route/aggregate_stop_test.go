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

func TestAggregateCompletesOnStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, parallel := range []int{0, 4} {
			k, g := aggregating(t, join, route.AggregateOptions{Size: 10, ForceCompletionOnStop: true, Parallel: parallel})
			k.of(t, "y 1", "x 1", "x 2")
			if err := k.stop(); err != nil {
				t.Error(err)
			}
			if parallel > 0 {
				if len(g.lines) != 2 {
					t.Error(g.lines)
				}
				continue
			}
			g.want(t, "x force 2: 1+2", "y force 1: 1")
		}
	})
}

// Without it, groups in memory wait for the route, or are lost, which is told.
func TestAggregateKeepsGroupsOfAStoppedRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, join, route.AggregateOptions{Size: 3, Timeout: time.Minute})
		k.of(t, "x 1")
		if err := k.Suspend(t.Context(), "route1"); err != nil {
			t.Error(err)
		}
		wantLines(t, "log", k.logs.take(), "WARN groups are open while the route is stopped: they are in memory only route=route1 groups=1")
		pass(10 * time.Minute)
		g.want(t)
		if err := k.Resume("route1"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		g.want(t, "x timeout 1: 1")
	})
}

// CompleteAllOnStop waits for what time completes, but not for what it does not.
func TestAggregateWaitsOnStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			o    route.AggregateOptions
			took time.Duration
			want []string
		}{
			{route.AggregateOptions{Timeout: 5 * time.Second}, 5 * time.Second, []string{"x timeout 1: 1"}},
			{route.AggregateOptions{Interval: 7 * time.Second}, 7 * time.Second, []string{"x interval 1: 1"}},
			{route.AggregateOptions{Size: 2}, 0, nil},
			{route.AggregateOptions{Size: 2, ForceCompletionOnStop: true}, 0, []string{"x force 1: 1"}},
			{route.AggregateOptions{Timeout: time.Hour}, 25 * time.Second, nil},
		} {
			c.o.CompleteAllOnStop = true
			k, g := aggregating(t, join, c.o)
			k.of(t, "x 1")
			begun := time.Now()
			err := k.stop()
			if took := time.Since(begun); took != c.took || (err != nil) != (c.took > 20*time.Second) && err != nil {
				t.Errorf("%+v: stopped after %v, want %v: %v", c.o, took, c.took, err)
			}
			g.want(t, c.want...)
		}
	})
}

// A consumer that has no more to give is no reason to forget the groups.
func TestAggregateOutlivesItsConsumer(t *testing.T) {
	for name, stopEarly := range map[string]bool{"to the end": false, "stopped": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := new(groups)
				once := consumers(func(ctx context.Context, next route.Processor) error {
					if err := next.Process(ctx, route.NewExchange("1")); err != nil {
						t.Error(err)
					}
					return route.ErrDone
				})
				begun := time.Now()
				k := start(t, route.Config{Components: once}, route.From("c:x").Aggregate("k", join, g.block(), route.AggregateOptions{Timeout: 10 * time.Second}))
				if stopEarly {
					pass(time.Second)
					if err := k.stop(); err != nil || time.Since(begun) != time.Second {
						t.Errorf("%v after %v", err, time.Since(begun))
					}
					g.want(t)
					return
				}
				pass(time.Minute)
				g.want(t, "k timeout 1: 1")
				wantState(t, k, "route1", route.Done)
			})
		})
	}
}

// When the drain time is over, a group that is processed is given up, and those that are
// not yet stay.
func TestAggregateIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{Drain: 5 * time.Second}, route.From("in:a").Aggregate(byKind, join,
			route.Do().Delay(time.Hour), route.AggregateOptions{Size: 2, ForceCompletionOnStop: true}))
		k.of(t, "x 1", "y 1")
		begun := time.Now()
		drained, ok := errors.AsType[*route.DrainError](k.stop())
		if took := time.Since(begun); !ok || took != 5*time.Second || len(drained.InFlight) != 1 || drained.InFlight[0].Step != "delay 1h0m0s" {
			t.Errorf("after %v: %v", took, drained)
		}
		log := strings.Join(k.logs.take(), "\n")
		for _, want := range []string{"exchange given up", "exchange failed", "groups are open while the route is stopped: they are in memory only route=route1 groups=1"} {
			if !strings.Contains(log, want) {
				t.Errorf("%q is not in the log:\n%s", want, log)
			}
		}
	})
}

// A group under a leader's term is completed under the term of its last exchange, and not
// at all when that has ended, also where its exchanges came from another route.
func TestAggregateUnderATerm(t *testing.T) {
	for _, inner := range []bool{false, true} {
		t.Run(fmt.Sprint("inner route ", inner), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := new(kit)
				var seen []any
				var begin func(term string) context.CancelCauseFunc
				wrap := consumers(func(ctx context.Context, next route.Processor) error {
					begin = func(term string) context.CancelCauseFunc {
						work, end := context.WithCancelCause(context.WithValue(route.Work(ctx), value{}, term))
						taking, stop := context.WithCancel(ctx)
						go func() {
							if err := (&in{k, "a"}).Consume(route.WithWork(taking, work), next); err != nil {
								t.Error(err)
							}
						}()
						synctest.Wait()
						return func(cause error) { end(cause); stop() }
					}
					<-ctx.Done()
					return nil
				})
				g := new(groups)
				block := route.Do().Process(func(ctx context.Context, ex *route.Exchange) error {
					seen = append(seen, ctx.Value(value{}))
					return g.add(ctx, ex)
				}).Delay(func(ex *route.Exchange) any { return ex.Header("delay") })
				o := route.AggregateOptions{Timeout: 10 * time.Second}
				routes := []*route.Route{route.From("c:x").Aggregate(byKind, join, block, o)}
				if inner {
					routes = []*route.Route{route.From("c:x").To("call:b"), route.From("call:b").Aggregate(byKind, join, block, o)}
				}
				k.start(t, route.Config{Components: wrap}, routes...)
				delay := func(ex *route.Exchange) { ex.SetHeader("delay", time.Minute) }
				short := func(ex *route.Exchange) { ex.SetHeader("delay", time.Duration(0)) }

				end := begin("first")
				_ = k.offer("x 1", short)
				_ = k.offer("y 1", short)
				pass(11 * time.Second)
				g.want(t, "x timeout 1: 1", "y timeout 1: 1")
				_ = k.offer("x 1", short)
				_ = k.offer("y 1", short)
				pass(5 * time.Second)
				end(errors.New("lock lost"))
				end = begin("second")
				_ = k.offer("y 2", short)
				pass(11 * time.Second)
				g.want(t, "y timeout 2: 1+2")
				if s := fmt.Sprint(seen); s != "[first first second]" {
					t.Error(s)
				}
				name := k.Status().Routes[len(routes)-1].ID
				if inner {
					name = "route2"
				}
				wantLines(t, "log", k.logs.take(), "ERROR group given up: its term is over route="+name+" key=x exchanges=1 in memory=true cause=lock lost")

				_ = k.offer("z 1", delay) // is processed when the term ends
				pass(15 * time.Second)
				g.want(t, "z timeout 1: 1")
				end(errors.New("lost again"))
				synctest.Wait()
				if log := strings.Join(k.logs.take(), "\n"); !strings.Contains(log, "exchange failed route="+name) || !strings.Contains(log, "error=lost again") {
					t.Error(log)
				}
			})
		})
	}
}

// That the route which sent to this one has stopped does not end the groups.
func TestAggregateOutlivesTheRouteThatSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, o := range []route.AggregateOptions{{Timeout: 10 * time.Second}, {Size: 1, Parallel: 1}} {
			g := new(groups)
			k := start(t, route.Config{}, route.From("in:a").To("call:b"),
				route.From("call:b").Aggregate(byKind, join, route.Do().Delay(10*time.Second).Process(g.add), o))
			k.of(t, "x 1")
			if err := k.Stop(t.Context(), "route1"); err != nil {
				t.Error(err)
			}
			pass(21 * time.Second)
			if len(g.lines) != 1 {
				t.Errorf("%+v: %q", o, g.lines)
			}
			for _, line := range k.logs.take() {
				t.Error(line)
			}
		}
	})
}

// A route that depends on a lock recovers nothing while it stands by; what it has recovered
// is under the term of its leader.
func TestAggregateRecoversAsLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRecoverable()
		deadline := time.Now().Add(time.Second)
		if err := errors.Join(r.Complete(t.Context(), "1", &route.Group{Key: "done", Size: 3, Body: "1+2+3", CompletedBy: "size"}),
			r.Put(t.Context(), &route.Group{Key: "open", Size: 1, Timeout: time.Second, Deadline: deadline, Body: "1"})); err != nil {
			t.Fatal(err)
		}
		k, begin := new(kit), make(chan bool)
		wrap := consumers(func(ctx context.Context, next route.Processor) error {
			route.ReportLeadership(ctx, route.Leadership{Lock: "lock1"})
			select {
			case <-begin:
			case <-ctx.Done():
				return nil
			}
			route.ReportLeadership(ctx, route.Leadership{Lock: "lock1", Leading: true})
			return (&in{k, "a"}).Consume(route.WithWork(ctx, context.WithValue(route.Work(ctx), value{}, "term")), next)
		})
		var terms []any
		k.start(t, route.Config{Components: wrap}, route.From("c:x").Aggregate(byKind, join, route.Do().Process(func(ctx context.Context, ex *route.Exchange) error {
			terms = append(terms, ctx.Value(value{}), ex.Body)
			return nil
		}), route.AggregateOptions{Timeout: time.Minute, Repository: r}))
		pass(time.Hour)
		begin <- true
		pass(time.Hour)
		if len(terms) != 0 {
			t.Errorf("without a term: %v", terms)
		}
		k.of(t, "x 5")
		pass(10 * time.Second)
		if got := fmt.Sprint(terms); got != "[term 1 term 1+2+3]" && got != "[term 1+2+3 term 1]" {
			t.Error(got)
		}
	})
}

// A group is not in the transaction of the exchange that has completed it.
func TestAggregateTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &ledger{notes: new([]string)}
		var inside, group route.Tx
		k := start(t, route.Config{}, route.From("in:a").Transacted(db, route.Do().
			Process(func(ctx context.Context, _ *route.Exchange) error { inside = route.TxFrom(ctx, db); return nil }).
			Aggregate(byKind, join, route.Do().Process(func(ctx context.Context, _ *route.Exchange) error {
				group = route.TxFrom(ctx, db)
				return nil
			}), route.AggregateOptions{Size: 1})))
		k.of(t, "x 1")
		if inside == nil || group != nil {
			t.Errorf("the exchange is in %v, the group in %v", inside, group)
		}
	})
}

// The groups of an outer aggregate that are completed by its stop reach an inner one in
// time.
func TestAggregateInsideOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := new(groups)
		o := route.AggregateOptions{Size: 10, ForceCompletionOnStop: true}
		k := start(t, route.Config{}, route.From("in:a").Aggregate(byKind, join, route.Do().Aggregate("all", route.Collect, g.block(), o), o))
		k.of(t, "x 1", "x 2", "y 3")
		if err := k.stop(); err != nil {
			t.Error(err)
		}
		g.want(t, "all force 2: [1+2 3]")
	})
}
