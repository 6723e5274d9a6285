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

func TestStopFinishesWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:a").Delay(10*time.Second).SetBody("done"))
		ex := route.NewExchange(nil)
		acked := make(chan error, 1)
		go func() { acked <- k.give("a", ex) }()
		synctest.Wait()
		begun := time.Now()
		go k.stop()
		time.Sleep(time.Second)
		wantState(t, k, "route1", route.Stopping)
		if err := k.give("a", route.NewExchange(nil)); err == nil {
			t.Error("the route takes messages while it stops")
		}
		wantError(t, k.Start("route1"), "route: the engine does not run")
		if err := k.stop(); err != nil || time.Since(begun) != 10*time.Second {
			t.Errorf("stopped after %v: %v", time.Since(begun), err)
		}
		if err := <-acked; err != nil || ex.Body != "done" {
			t.Errorf("in flight: %v, %v", ex.Body, err)
		}
	})
}

func TestASlowRouteDoesNotHoldBackTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		told := map[string]time.Duration{}
		var mu sync.Mutex
		c := route.ComponentFunc(func(_ route.Env, a route.Address) (route.Endpoint, error) {
			return consumerFunc(func(ctx context.Context, _ route.Processor) error {
				<-ctx.Done()
				mu.Lock()
				told[a.Path] = time.Since(begun)
				mu.Unlock()
				time.Sleep(5 * time.Second)
				return nil
			}), nil
		})
		cfg := route.Config{Components: route.Components{"c": c}, Drain: 20 * time.Second}
		k := start(t, cfg, route.From("c:first"), route.From("c:second"), route.From("c:third"))
		if err := k.stop(); err != nil || time.Since(begun) != 7*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		if told["third"] != 0 || told["second"] != time.Second || told["first"] != 2*time.Second {
			t.Errorf("told to stop: %v", told)
		}

		many := make([]*route.Route, 50)
		for i := range many {
			many[i] = route.From(route.URI(fmt.Sprint("c:r", i)))
		}
		k = start(t, cfg, many...)
		begun = time.Now()
		if err := k.stop(); err != nil || told["r0"] > 10*time.Second {
			t.Errorf("the last of 50 slow routes is told to stop after %v: %v", told["r0"], err)
		}
	})
}

func TestQueuesDrainWhenTheEngineStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []any
		k := &kit{to: map[string]route.ProcessorFunc{"sink": func(_ context.Context, ex *route.Exchange) error {
			got = append(got, ex.Body)
			return nil
		}}}
		k.start(t, route.Config{},
			route.From("queue:c").Delay(time.Millisecond).To("to:sink"),
			route.From("in:a").Delay(2*time.Second).To("queue:a"),
			route.From("queue:a").Delay(100).To("queue:b"),
			route.From("queue:b").Delay(50).To("call:d"),
			route.From("call:d").To("queue:c"))
		var acks sync.WaitGroup
		for i := range 20 {
			acks.Go(func() {
				if err := k.give("a", route.NewExchange(i)); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if err := k.stop(); err != nil {
			t.Error(err)
		}
		acks.Wait()
		if len(got) != 20 {
			t.Errorf("%d messages came through, want 20", len(got))
		}
		for _, line := range k.logs.take() {
			t.Error(line)
		}
	})
}

func TestMessagesOfASuspendedRouteAreNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("queue:a").ID("a"), route.From("in:b").To("queue:a"))
		if err := k.Suspend(t.Context(), "a"); err != nil {
			t.Error(err)
		}
		k.send(t, "b", 1)
		begun := time.Now()
		if err := k.stop(); err != nil || time.Since(begun) != 0 || k.queue("a").Pending() != 1 {
			t.Errorf("%v after %v, %d in the queue", err, time.Since(begun), k.queue("a").Pending())
		}
		wantState(t, k, "a", route.Stopped)
	})
}

func TestStopWhileAConsumerWaitsToBeStartedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{Components: consumers(func(context.Context, route.Processor) error { return errors.New("no") })}, route.From("c:x"))
		wantState(t, k, "route1", route.Restarting)
		begun := time.Now()
		if err := k.stop(); err != nil || time.Since(begun) != 0 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		wantState(t, k, "route1", route.Stopped)
	})
}

func TestDrainTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cause error
		k := start(t, route.Config{Drain: 10 * time.Second},
			route.From("in:a").ID("a").To("call:b"),
			route.From("call:b").ID("b").
				SetBody(1).
				Process(func(ctx context.Context, ex *route.Exchange) error {
					<-ctx.Done()
					cause = context.Cause(ctx)
					return ctx.Err()
				}),
			route.From("in:c").ID("c"))
		first, last := "stop_test.go:"+fmt.Sprint(atoi(here(0)[len("stop_test.go:"):])-9), here(-6)
		ex := route.NewExchange(nil)
		acked := make(chan error, 1)
		go func() { acked <- k.give("a", ex) }()
		time.Sleep(3 * time.Second)
		begun := time.Now()
		err := k.stop()
		drained, ok := errors.AsType[*route.DrainError](err)
		if !ok || drained.Drain != 10*time.Second || len(drained.InFlight) != 2 || len(drained.Routes) != 0 || time.Since(begun) != 10*time.Second {
			t.Fatalf("%v after %v", err, time.Since(begun))
		}
		wantError(t, err, "route: after 10s in flight and given up: 2\n"+
			"\t"+first+": route \"a\": exchange ID: to \"call:b\": in flight for 13s\n"+
			"\t"+last+": route \"b\": exchange ID: process: in flight for 13s")
		for _, f := range drained.InFlight {
			if f.Exchange != ex.ID() {
				t.Errorf("%s, want exchange %s", f, ex.ID())
			}
		}
		if err := <-acked; !errors.Is(err, context.Canceled) {
			t.Errorf("acknowledged with %v", err)
		}
		if cause == nil || cause.Error() != "route: stopped: the drain time is over" {
			t.Errorf("cause %v", cause)
		}
		logs := k.logs.take()
		slices.Sort(logs)
		wantLines(t, "logs", logs,
			`ERROR exchange failed route=b exchange=ID step=process place=`+last+` error=context canceled`,
			`ERROR exchange given up: it was still in flight when the drain time was over route=a exchange=ID step=to "call:b" place=`+first+` age=13s`,
			`ERROR exchange given up: it was still in flight when the drain time was over route=b exchange=ID step=process place=`+last+` age=13s`)
	})
}

func TestGoesOnWithoutWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		k := start(t, route.Config{Drain: 10 * time.Second, Abandon: 3 * time.Second},
			route.From("in:a").ID("a").Process(func(ctx context.Context, ex *route.Exchange) error { <-hang; return nil }))
		go k.give("a", route.NewExchange(nil))
		synctest.Wait()
		begun := time.Now()
		err := k.Suspend(t.Context(), "a")
		wantError(t, err, "route: after 10s in flight and given up: 1\n"+
			"\t"+here(-6)+": route \"a\": exchange ID: process: in flight for 10s\n"+
			"\troute \"a\" does not stop: its consumer has not returned")
		if time.Since(begun) != 13*time.Second {
			t.Errorf("after %v", time.Since(begun))
		}
		wantState(t, k, "a", route.Suspended)
		wantError(t, k.Resume("a"), `route: route "a" was given up, and its consumer has not returned yet`)
		close(hang)
		synctest.Wait()
		if err := k.Resume("a"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		k.send(t, "a", 1)
		if err := k.stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestMessagesThatAreLostAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		k := start(t, route.Config{}, route.From("queue:a").Process(func(context.Context, *route.Exchange) error {
			<-hang
			return nil
		}))
		for n := range 3 {
			if err := k.Send(t.Context(), "queue:a", n); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		drained, ok := errors.AsType[*route.DrainError](k.stop())
		if !ok || drained.Waiting != 2 || len(drained.InFlight) != 1 {
			t.Errorf("%v", drained)
		}
		if logs := strings.Join(k.logs.take(), "\n"); !strings.Contains(logs, "messages lost=2") {
			t.Error(logs)
		}
		close(hang)
	})
}

func TestRunReturnsWithoutAConsumerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		k := start(t, route.Config{Drain: 10 * time.Second, Components: consumers(func(context.Context, route.Processor) error { <-hang; return nil })},
			route.From("c:x").ID("a"), route.From("in:b"))
		begun := time.Now()
		err := k.stop()
		wantError(t, err, "route: after 10s in flight and given up: 0\n\troute \"a\" does not stop: its consumer has not returned")
		if time.Since(begun) != 12*time.Second {
			t.Errorf("after %v", time.Since(begun))
		}
		if logs := k.logs.take(); len(logs) != 1 || logs[0] != "ERROR route does not stop: going on without it route=a waited=2s" {
			t.Errorf("logs %q", logs)
		}
		close(hang)
	})
}

func TestStopUntilTheCallersTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:a").ID("a").Delay(time.Hour))
		acked := make(chan error, 1)
		go func() { acked <- k.give("a", route.NewExchange(nil)) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		other := make(chan error)
		go func() { other <- k.Stop(t.Context(), "a") }()
		synctest.Wait()
		wantError(t, k.Start("a"), `route: route "a" is stopping`)
		if err, ok := errors.AsType[*route.DrainError](k.Remove(ctx, "a")); !ok || err.Drain != 5*time.Second || len(err.InFlight) != 1 || len(err.Routes) != 0 {
			t.Errorf("%+v", err)
		}
		if err := <-other; err != nil { // which did not give up
			t.Error(err)
		}
		if err := <-acked; err == nil || !strings.HasSuffix(err.Error(), "delay 1h0m0s: route: stopped: the drain time is over") {
			t.Errorf("acknowledged with %v", err)
		}
		if len(k.Status().Routes) != 0 {
			t.Error("the route is still there")
		}
	})
}

func TestAgesAreExactForSparseTraffic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:a").Delay(200*time.Millisecond))
		for i := range 20 {
			time.Sleep(2*time.Second + time.Duration(i)*123*time.Millisecond)
			done := make(chan struct{})
			go func() { k.send(t, "a", 1); close(done) }()
			time.Sleep(150 * time.Millisecond)
			if f := status(t, k, "route1").InFlight; len(f) != 1 || f[0].Age != 150*time.Millisecond {
				t.Errorf("in flight: %v", f)
			}
			<-done
		}
		for range 100 { // and to the second for others
			go k.send(t, "a", 1)
			time.Sleep(30 * time.Millisecond)
			for _, f := range status(t, k, "route1").InFlight {
				if f.Age < 0 || f.Age > 1200*time.Millisecond {
					t.Errorf("in flight: %v", f)
				}
			}
		}
		time.Sleep(time.Second)
	})
}
