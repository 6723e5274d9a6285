package route_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// within is a context that ends after d.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// What is in flight has two thirds of the time of Shutdown.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := new(kit)
		k.to = map[string]route.ProcessorFunc{"slow": func(ctx context.Context, _ *route.Exchange) error {
			select {
			case <-time.After(time.Minute):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}}
		k.start(t, route.Config{}, route.From("in:a").ID("a").To("to:slow"))
		go func() { _ = k.give("a", route.NewExchange("x")) }()
		synctest.Wait()
		begun := time.Now()
		err := k.Shutdown(within(t, 15*time.Second))
		if took := time.Since(begun); took != 10*time.Second {
			t.Errorf("took %v, want 10s", took)
		}
		drained, ok := errors.AsType[*route.DrainError](err)
		if !ok || len(drained.InFlight) != 1 {
			t.Errorf("%v", err)
		}
		<-k.done
		if k.err != err {
			t.Errorf("Run has returned %v, Shutdown %v", k.err, err)
		}
		if err := k.Shutdown(t.Context()); err != k.err {
			t.Errorf("a second one returns %v", err)
		}
	})
}

// With nothing in flight, and without a deadline, it takes no time.
func TestShutdownIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:a"))
		begun := time.Now()
		if err := k.Shutdown(t.Context()); err != nil || time.Since(begun) > 0 {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		if err := k.Ready(); !errors.Is(err, route.ErrStopped) {
			t.Errorf("ready: %v", err)
		}
	})
}

func TestShutdownBeforeRun(t *testing.T) {
	var k kit
	if err := k.build(route.Config{}, route.From("in:a")); err != nil {
		t.Fatal(err)
	}
	if err := k.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := k.Run(t.Context()); !errors.Is(err, route.ErrStopped) {
		t.Errorf("run: %v", err)
	}
}

// A stubborn component does not begin, or close, or panics.
type stubborn struct {
	begin, end func()
}

func (stubborn) Endpoint(route.Env, route.Address) (route.Endpoint, error) {
	return nil, errors.New("not now")
}
func (s stubborn) EngineStarted() { s.begin() }
func (s stubborn) EngineStopped(context.Context) error {
	s.end()
	return nil
}

func TestStubbornComponents(t *testing.T) {
	nothing := func() {}
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		wait := func() { <-release }

		k := new(kit)
		if err := k.build(route.Config{Components: route.Components{"bot": stubborn{wait, nothing}}}, route.From("in:a").ID("a")); err != nil {
			t.Fatal(err)
		}
		if err := k.Started(within(t, time.Second)); err == nil || err.Error() != "route: Engine.Run was not called: context deadline exceeded" {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- k.Run(ctx) }()
		want := `the component "bot" (route_test.stubborn) has not started`
		if err := k.Started(within(t, time.Second)); err == nil || err.Error() != "route: "+want+": context deadline exceeded" {
			t.Errorf("%v", err)
		}
		if err := k.Ready(); !errors.Is(err, route.ErrStopped) {
			t.Errorf("ready: %v", err)
		}
		if _, ok := k.Status().Route("a"); !ok {
			t.Error("no status while a component begins")
		}
		if err := k.Shutdown(within(t, time.Second)); err == nil || err.Error() != "route: the engine has not stopped: "+want {
			t.Errorf("%v", err)
		}
		close(release)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})

	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		k := start(t, route.Config{Components: route.Components{"bot": stubborn{nothing, func() { <-release }}}}, route.From("in:a").ID("a"))
		if err := k.Shutdown(within(t, 3*time.Second)); err == nil || err.Error() != `route: the engine has not stopped: the component "bot" (route_test.stubborn) has not closed` {
			t.Errorf("%v", err)
		}
		<-k.done
		if lines := strings.Join(k.logs.take(), "\n"); !strings.Contains(lines, `component=bot error=it has not returned: going on without it`) {
			t.Errorf("logs: %s", lines)
		}
		close(release)
	})

	synctest.Test(t, func(t *testing.T) {
		opened := 0
		e, err := route.New(route.Config{Logger: slog.New(slog.DiscardHandler), Components: route.Components{
			"a": &stubborn{func() { opened++ }, func() { opened--; panic("again") }},
			"b": &stubborn{func() { panic("no") }, func() { opened-- }},
		}})
		if err != nil {
			t.Fatal(err)
		}
		err = e.Run(t.Context())
		if err == nil || err.Error() != `route: the component "b" (*route_test.stubborn) does not start: panic: no` || opened != 0 {
			t.Errorf("%v, %d open", err, opened)
		}
		if again := e.Started(t.Context()); again != err {
			t.Errorf("Started: %v", again)
		}
	})
}
