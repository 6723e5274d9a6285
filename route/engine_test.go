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

// consumers is a component of consumers.
func consumers(f func(ctx context.Context, next route.Processor) error) route.Components {
	return route.Components{"c": route.ComponentFunc(func(route.Env, route.Address) (route.Endpoint, error) { return consumerFunc(f), nil })}
}

func status(t testing.TB, k *kit, id string) route.RouteStatus {
	t.Helper()
	s, ok := k.Status().Route(id)
	if !ok {
		t.Fatalf("no status of route %q", id)
	}
	return s
}

func wantState(t testing.TB, k *kit, id string, want route.State) {
	t.Helper()
	if s := status(t, k, id); s.State != want {
		t.Errorf("route %s is %s, want %s", id, s.State, want)
	}
}

func TestConsumersAreStartedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var begun []time.Time
		boom := errors.New("boom")
		k := start(t, route.Config{
			Restart: route.Backoff{Delay: time.Second, Max: 5 * time.Second},
			Components: consumers(func(ctx context.Context, _ route.Processor) error {
				mu.Lock()
				begun = append(begun, time.Now())
				n := len(begun)
				mu.Unlock()
				switch n {
				case 1:
					return boom
				case 2:
					return nil
				case 3:
					panic("crash")
				case 6:
					time.Sleep(time.Minute) // long enough to begin with a short wait again
				case 8:
					<-ctx.Done()
				}
				return boom
			}),
		}, route.From("c:x?password=hunter2"))
		s := status(t, k, "route1")
		if wait := time.Until(s.NextStart); s.State != route.Restarting || wait < 900*time.Millisecond || wait > 1100*time.Millisecond ||
			s.Restarts != 1 || s.LastFailure.Err != boom || s.LastFailure.Exchange != "" || s.LastFailure.Step != `from "c:x?password=xxxxx"` || time.Since(s.Since) != 0 {
			t.Errorf("after the first failure: %+v, %+v", s, s.LastFailure)
		}
		time.Sleep(5 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		var waits []time.Duration
		for i := range begun[1:] {
			waits = append(waits, begun[i+1].Sub(begun[i]))
		}
		for i, want := range []time.Duration{1, 2, 4, 5, 5, 61, 2} {
			want *= time.Second
			jitter := want / 10
			if want > time.Minute {
				jitter = time.Second / 10
			}
			if got := waits[i]; got < want-jitter || got > want+jitter {
				t.Errorf("wait %d is %v, want %v ± %v", i+1, got, want, jitter)
			}
		}
		s = status(t, k, "route1")
		if s.State != route.Started || s.Restarts != 7 || !s.NextStart.IsZero() || !s.Since.Equal(begun[7]) {
			t.Errorf("at the end: %+v", s)
		}
		logs := k.logs.take()
		for i, want := range []string{"error=boom", "error=the consumer ended", "error=panic: crash stack=github.com/mehari-go/mehari/route_test."} {
			if !strings.HasPrefix(logs[i], "WARN consumer ended early: starting it anew route=route1 from=in wait=") || !strings.Contains(logs[i], want) {
				t.Errorf("log %q, want %q", logs[i], want)
			}
		}
	})
}

func TestJitterDiffers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := map[time.Time]bool{}
		routes := make([]*route.Route, 20)
		for i := range routes {
			routes[i] = route.From("c:x")
		}
		k := start(t, route.Config{Components: consumers(func(ctx context.Context, _ route.Processor) error { return errors.New("no") })}, routes...)
		for _, s := range k.Status().Routes {
			waits[s.NextStart] = true
		}
		if len(waits) < 10 {
			t.Errorf("%d different waits of 20", len(waits))
		}
	})
}

func TestConsumerThatIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		k := start(t, route.Config{Components: consumers(func(ctx context.Context, next route.Processor) error {
			n++
			return fmt.Errorf("no more: %w", route.ErrDone)
		})}, route.From("c:x"))
		time.Sleep(time.Hour)
		wantState(t, k, "route1", route.Done)
		if err := k.Start("route1"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		wantState(t, k, "route1", route.Done)
		if n != 2 || len(k.logs.take()) != 0 {
			t.Errorf("consumed %d times, want 2", n)
		}
		if err := k.Stop(t.Context(), "route1"); err != nil {
			t.Error(err)
		}
		wantState(t, k, "route1", route.Stopped)
	})
}

func TestLifeOfARoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := new(kit)
		a := route.From("in:a").ID("a").AutoStart(false)
		if err := k.build(route.Config{}, a, route.From("in:b").ID("b").StartOrder(7)); err != nil {
			t.Fatal(err)
		}
		if err := k.Start("a"); !errors.Is(err, route.ErrStopped) {
			t.Errorf("Start before Run: %v", err)
		}
		k.start(t, route.Config{}, a, route.From("in:b").ID("b").StartOrder(7))
		ctx := t.Context()
		check := func(what string, err error, state route.State) {
			t.Helper()
			synctest.Wait()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			wantState(t, k, "a", state)
			if ok := k.give("a", route.NewExchange(nil)) == nil; ok != (state == route.Started) {
				t.Errorf("%s: takes messages: %v", what, ok)
			}
		}
		check("at first", nil, route.Stopped)
		if s := status(t, k, "b"); s.AutoStart != true || s.StartOrder != 7 || s.State != route.Started || status(t, k, "a").AutoStart {
			t.Errorf("status %+v", s)
		}
		wantError(t, k.Suspend(ctx, "a"), `route: route "a" is stopped: only a started one can be suspended`)
		wantError(t, k.Resume("a"), `route: route "a" is stopped: only a suspended one can be resumed`)
		check("Start", k.Start("a"), route.Started)
		check("Start again", k.Start("a"), route.Started)
		check("Resume of a started one", k.Resume("a"), route.Started)
		check("Suspend", k.Suspend(ctx, "a"), route.Suspended)
		check("Suspend again", k.Suspend(ctx, "a"), route.Suspended)
		check("Resume", k.Resume("a"), route.Started)
		check("Suspend", k.Suspend(ctx, "a"), route.Suspended)
		check("Start of a suspended one", k.Start("a"), route.Started)
		check("Stop", k.Stop(ctx, "a"), route.Stopped)
		check("Stop again", k.Stop(ctx, "a"), route.Stopped)
		if s := status(t, k, "a"); s.Total != 5 {
			t.Errorf("%d exchanges, want 5", s.Total)
		}
		if err := k.Remove(ctx, "a"); err != nil {
			t.Error(err)
		}
		wantError(t, k.Start("a"), `route: no route "a" (have b)`)
		wantError(t, k.Stop(ctx, "aa"), `route: no route "aa" (have b)`)
		wantError(t, k.Remove(ctx, "a"), `route: no route "a" (have b)`)
		if err := k.Add(a, route.From("in:c").ID("orders")); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		wantState(t, k, "a", route.Stopped)
		wantState(t, k, "orders", route.Started)
		wantError(t, k.Suspend(ctx, "odrers"), `route: no route "odrers" (did you mean orders?) (have a, b, orders)`)
		wantError(t, k.Run(ctx), "route: an engine runs once")
		if err := k.stop(); err != nil {
			t.Error(err)
		}
		wantState(t, k, "orders", route.Stopped)
		for what, err := range map[string]error{"Run": k.Run(ctx), "Add": k.Add(route.From("in:d")), "Start": k.Start("b"), "Resume": k.Resume("b")} {
			if err == nil {
				t.Errorf("%s after the end: no error", what)
			}
		}
		if err := k.Stop(ctx, "b"); err != nil { // it is
			t.Error(err)
		}
	})
}

func TestStartOrder(t *testing.T) {
	var mu sync.Mutex
	var events []string
	c := route.ComponentFunc(func(_ route.Env, a route.Address) (route.Endpoint, error) {
		return consumerFunc(func(ctx context.Context, _ route.Processor) error {
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			events = append(events, a.Path)
			return nil
		}), nil
	})
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{Components: route.Components{"c": c}},
			route.From("c:late").StartOrder(1), route.From("c:first"), route.From("c:second"), route.From("queue:q"), route.From("c:early").StartOrder(-1))
		var order []string
		for _, s := range k.Status().Routes {
			order = append(order, s.ID)
		}
		wantLines(t, "start order", order, "route5", "route4", "route2", "route3", "route1")
		if err := k.Add(route.From("c:added").StartOrder(1)); err != nil {
			t.Error(err)
		}
		if err := k.stop(); err != nil {
			t.Error(err)
		}
		wantLines(t, "stop order", events, "added", "late", "second", "first", "early")
	})
}

func TestChangesAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:a").ID("a"), route.From("in:b").ID("b").Process(nop))
		ctx := t.Context()
		var wg sync.WaitGroup
		do := func(f func(i int)) {
			wg.Go(func() {
				for i := range 50 {
					f(i)
				}
			})
		}
		do(func(int) { _ = k.Start("a") })
		do(func(int) { _ = k.Stop(ctx, "a") })
		do(func(int) { _ = k.Suspend(ctx, "a") })
		do(func(int) { _ = k.Resume("a") })
		do(func(int) { k.Status() })
		do(func(int) { _ = k.give("b", route.NewExchange(1)) })
		for n := range 3 {
			do(func(i int) {
				id := fmt.Sprint("x", n, i%2)
				_ = k.Add(route.From("in:" + route.URI(id)).ID(id))
				_ = k.Start(id)
				_ = k.Remove(ctx, id)
			})
		}
		do(func(i int) {
			_ = k.Add(route.From("in:y").ID("y"))
			_ = k.Start("y")
		})
		do(func(i int) { _ = k.Remove(ctx, "y") })
		wg.Wait()
		if err := k.stop(); err != nil {
			t.Error(err)
		}
		for _, s := range k.Status().Routes {
			if s.State != route.Stopped {
				t.Errorf("route %s is %s after the end", s.ID, s.State)
			}
		}
	})
}

func TestFailuresAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		k := start(t, route.Config{},
			route.From("in:a").ID("a").To("call:b"),
			route.From("call:b").ID("b").To("call:c"),
			route.From("call:c").ID("c").
				Process(func(context.Context, *route.Exchange) error { return boom }),
			route.From("in:d").ID("d").Try(route.Do().To("call:b"), route.Catch[error]()))
		place := here(-2)
		ex := route.NewExchange(nil)
		err := k.give("a", ex)
		wantError(t, err, place+`: route "c": exchange ID: process: boom`)
		if !errors.Is(err, boom) || !strings.Contains(err.Error(), ex.ID()) {
			t.Errorf("%v is not of %s", err, ex.ID())
		}
		wantLines(t, "logs", k.logs.take(), "ERROR exchange failed route=c exchange=ID step=process place="+place+" error=boom")
		for _, id := range []string{"a", "b", "c"} {
			s := status(t, k, id)
			if s.Total != 1 || s.Failed != 1 || s.LastFailure.Err != err || s.LastFailure.Step != "process" || short(s.LastFailure.Place.String()) != place || s.LastFailure.Exchange != ex.ID() {
				t.Errorf("status of %s: %+v %+v", id, s, s.LastFailure)
			}
		}
		if err := k.give("d", ex); err != nil { // caught
			t.Error(err)
		}
		if s := status(t, k, "d"); s.Failed != 0 || len(k.logs.take()) != 0 {
			t.Errorf("a failure that was caught is told: %+v", s)
		}
		if err := k.give("a", route.NewExchange(nil)); err == nil { // the route goes on
			t.Error("no error")
		}
	})
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		k := start(t, route.Config{}, route.From("in:a?secretKey=x").ID("orders").
			Filter(true, route.Do().
				Choice(
					route.When(true).
						Process(func(context.Context, *route.Exchange) error { <-release; return nil }),
					route.Otherwise().
						SetBody(1))).
			Split([]int{}, route.Do().Log("part")).
			Try(route.Do().To("to:x?password=hunter2"), route.Catch[error]().Stop(), route.Finally().Delay(5)))
		line := atoi(strings.TrimPrefix(here(-9), "engine_test.go:"))
		ex := route.NewExchange(1)
		go k.give("a", ex)
		time.Sleep(3 * time.Second)
		s := status(t, k, "orders")
		var tree []string
		var show func(string, []route.StepStatus)
		show = func(indent string, steps []route.StepStatus) {
			for _, st := range steps {
				tree = append(tree, fmt.Sprint(indent, st.Step, " +", st.Place.Line-line))
				show(indent+"  ", st.Steps)
			}
		}
		show("", s.Steps)
		wantLines(t, "steps", tree, "filter +1", "  choice +2", "    process +4", "    set body +6", "split +7", `  log "part" +7`,
			"try +8", `  to "to:x?password=xxxxx" +8`, "  stop +8", "  delay 5 +8")
		if s.From != "in:a" || s.Place.Line != line || s.Total != 1 || s.Failed != 0 || s.LastFailure != nil || s.Leadership != nil || len(s.InFlight) != 1 || time.Since(s.Since) != 3*time.Second {
			t.Errorf("%+v", s)
		}
		if f := s.InFlight[0]; f.Exchange != ex.ID() || f.Route != "orders" || f.Step != "process" || f.Place.Line != line+4 || f.Age != 3*time.Second {
			t.Errorf("in flight: %+v", f)
		}
		if _, ok := k.Status().Route("none"); ok {
			t.Error("a status of no route")
		}
		close(release)
		time.Sleep(time.Second)
		if s := status(t, k, "orders"); len(s.InFlight) != 0 {
			t.Errorf("in flight after the end: %v", s.InFlight)
		}
	})
}

func TestReportLeadership(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lead := make(chan bool)
		k := start(t, route.Config{Components: consumers(func(ctx context.Context, _ route.Processor) error {
			route.ReportLeadership(ctx, route.Leadership{Lock: "lock1"})
			for leading := range lead {
				route.ReportLeadership(ctx, route.Leadership{Lock: "lock1", Leading: leading, Token: 7})
				if !leading {
					break
				}
			}
			<-ctx.Done()
			return nil
		})}, route.From("c:x"))
		if l := status(t, k, "route1").Leadership; l == nil || l.String() != "standby" || l.Lock != "lock1" {
			t.Errorf("at first %+v", l)
		}
		lead <- true
		synctest.Wait()
		if l := status(t, k, "route1").Leadership; l.String() != "leading" || l.Token != 7 {
			t.Errorf("as leader %+v", l)
		}
		lead <- false
		if err := k.Stop(t.Context(), "route1"); err != nil {
			t.Error(err)
		}
		if l := status(t, k, "route1").Leadership; l != nil {
			t.Errorf("when stopped %+v", l)
		}
		route.ReportLeadership(t.Context(), route.Leadership{}) // of no route
	})
}

func TestPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept *route.Exchange
		k := start(t, route.Config{Poison: true}, route.From("in:a").Process(func(_ context.Context, ex *route.Exchange) error {
			if kept != nil {
				kept.Header("x")
			}
			kept = ex
			return nil
		}))
		k.send(t, "a", "x")
		if _, ok := kept.Body.(route.Released); !ok {
			t.Errorf("body after the release: %v", kept.Body)
		}
		err := k.give("a", route.NewExchange("y"))
		wantError(t, err, here(-12)+`: route "route1": exchange ID: process: panic: route: use of a released exchange: keep a Clone instead`)
		for what, f := range map[string]func(){
			"released twice": kept.Release, "a released exchange": func() { _ = kept.Clone() }, "use of a released": func() { kept.SetHeader("x", 1) },
		} {
			func() {
				defer func() {
					if r := recover(); !strings.Contains(fmt.Sprint(r), what) {
						t.Errorf("panic %v, want %q", r, what)
					}
				}()
				f()
			}()
		}
	})
}
