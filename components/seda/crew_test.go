package seda_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// delay waits as long as the body says.
func delay(ex *route.Exchange) any { return ex.Body }

func sendAll(t *testing.T, e *route.Engine, bodies ...any) {
	t.Helper()
	for _, body := range bodies {
		if err := e.Send(t.Context(), "seda:q", body); err != nil {
			t.Fatal(err)
		}
	}
}

// One worker takes the next message while one is paused: short waits overtake long ones.
func TestPausedExchangesLeaveTheirWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		e := routetest.Run(t, config(mock), route.From("seda:q").Delay(delay).To("mock:out"))
		sendAll(t, e, 3*time.Second, time.Second, 2*time.Second)
		routetest.Advance(1500 * time.Millisecond)
		mock.Check(t, "out", routetest.Bodies(time.Second))
		routetest.Advance(2 * time.Second)
		mock.Check(t, "out", routetest.Bodies(time.Second, 2*time.Second, 3*time.Second))
	})
}

func TestBlockingDelayKeepsTheOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		e := routetest.Run(t, config(mock), route.From("seda:q").Delay(delay, blocking).To("mock:out"))
		sendAll(t, e, 3*time.Second, time.Second, 2*time.Second)
		routetest.Advance(4500 * time.Millisecond)
		mock.Check(t, "out", routetest.Bodies(3*time.Second, time.Second))
		routetest.Advance(2 * time.Second)
		mock.Check(t, "out", routetest.Count(3))
	})
}

// No more are away than the queue holds; the others wait in it.
func TestPausedExchangesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		e := routetest.Run(t, config(mock), route.From("seda:q?size=2").To("mock:begun").Delay(time.Second).To("mock:out"))
		for n := range 8 {
			if err := e.Send(t.Context(), "seda:q?size=2&blockWhenFull=true", n); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := len(mock.Got("begun")); n < 5 && got != min(n+1, 3) { // two away and one with the worker
				t.Errorf("after %d %d have begun", n+1, got)
			}
		}
		routetest.Advance(time.Minute)
		mock.Check(t, "out", routetest.Count(8))
	})
}

// However many pause and return, no message is taken while as many are at work as there are
// workers, and all of them are worked on.
func TestMessagesAreTakenByAsManyAsWanted(t *testing.T) {
	for _, u := range []route.URI{"seda:q", "seda:q?concurrentConsumers=3", "seda:q?multipleConsumers=true"} {
		t.Run(string(u), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want, mock := int64(1), new(routetest.Mock)
				if u == "seda:q?concurrentConsumers=3" {
					want = 3
				}
				var now, most atomic.Int64
				busy := func(context.Context, *route.Exchange) error {
					time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
					return nil
				}
				taken := func(ctx context.Context, ex *route.Exchange) error {
					n := now.Add(1)
					for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
					}
					defer now.Add(-1)
					return busy(ctx, ex)
				}
				short := func(*route.Exchange) any { return time.Duration(rand.IntN(20)) * time.Millisecond }
				e := routetest.Run(t, config(mock), route.From(u).Process(taken).Delay(short).Process(busy).Delay(short).Process(busy).To("mock:out"))
				for n := range 300 {
					sendAll(t, e, n)
					if n%20 == 0 {
						time.Sleep(50 * time.Millisecond)
					}
				}
				routetest.Advance(time.Minute)
				mock.Check(t, "out", routetest.Count(300))
				if most.Load() != want {
					t.Errorf("%d at once, want %d", most.Load(), want)
				}
			})
		})
	}
}

func TestReturnedWorkersCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		e := routetest.Run(t, config(mock), route.From("seda:q").To("mock:taken").Delay(delay).Delay(10*time.Second, blocking).To("mock:out"))
		sendAll(t, e, time.Second)
		routetest.Advance(2 * time.Second) // it is at work again
		sendAll(t, e, 0)
		routetest.Advance(8 * time.Second)
		mock.Check(t, "taken", routetest.Count(1))
		routetest.Advance(2 * time.Second)
		mock.Check(t, "taken", routetest.Count(2))
		routetest.Advance(time.Minute)
		mock.Check(t, "out", routetest.Bodies(time.Second, 0))
	})
}

// One that pauses may hold what the worker waits for: it does not wait for the worker.
func TestPausedExchangesDoNotBlockEachOther(t *testing.T) {
	for _, async := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			mock := new(routetest.Mock)
			e := routetest.Run(t, config(mock), route.From("seda:q?size=5").
				Throttle(1, route.ThrottleOptions{Concurrent: true, Async: async}).Delay(time.Second).To("mock:out"))
			sendAll(t, e, 1, 2, 3, 4)
			routetest.Advance(time.Minute)
			mock.Check(t, "out", routetest.BodiesInAnyOrder(1, 2, 3, 4))
		})
	}
}

// A stop finishes those that are paused and those in the queue, which pause too.
func TestStopWaitsForPausedExchanges(t *testing.T) {
	for _, options := range []string{"", "?concurrentConsumers=2"} {
		synctest.Test(t, func(t *testing.T) {
			mock := new(routetest.Mock)
			e, err := route.New(route.Config{Components: config(mock).Components, Drain: time.Minute, Poison: true},
				route.From(route.URI("seda:q"+options)).Process(func(_ context.Context, ex *route.Exchange) error {
					time.Sleep(10 * time.Millisecond)
					return nil
				}).Delay(time.Second).To("mock:out"))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- e.Run(ctx) }()
			synctest.Wait()
			var want []any
			for n := range 50 {
				want = append(want, n)
			}
			sendAll(t, e, want...)
			time.Sleep(100 * time.Millisecond)
			begun := time.Now()
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if took := time.Since(begun); took > 3*time.Second {
				t.Errorf("took %v: those in the queue did not pause at the same time", took)
			}
			mock.Check(t, "out", routetest.BodiesInAnyOrder(slices.Clone(want)...))
		})
	}
}

// Where the drain time is over, those that are paused are given up and told to their sender.
func TestPausedExchangesAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := route.New(route.Config{Components: config(new(routetest.Mock)).Components, Drain: time.Second},
			route.From("seda:q").Delay(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- e.Run(ctx) }()
		synctest.Wait()
		sendAll(t, e, 1, 2, 3)
		synctest.Wait()
		cancel()
		drain, ok := (<-done).(*route.DrainError)
		if !ok || len(drain.InFlight) != 3 {
			t.Errorf("%v, want three in flight", drain)
		}
	})
}
