package routefx_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routefx"
)

// buffer is what a logger writes to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// logger supplies a logger and what it has written.
func logger(level slog.Level) (*buffer, fx.Option) {
	b := new(buffer)
	return b, fx.Supply(slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: level})))
}

// has reports texts that are not in a text.
func has(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s\nhas not %q", text, w)
		}
	}
}

// limited is a context of fx, which ends after d.
func limited(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// slow is a step that takes a minute.
func slow(ctx context.Context, _ *route.Exchange) error {
	select {
	case <-time.After(time.Minute):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// What is in flight has two thirds of the time to stop, and others are still stopped.
func TestDrain(t *testing.T) {
	for _, c := range []struct {
		drain, want time.Duration
	}{{0, 10 * time.Second}, {3 * time.Second, 3 * time.Second}} {
		synctest.Test(t, func(t *testing.T) {
			var engine *route.Engine
			closed := false
			app := fxtest.New(t, routefx.Module, routefx.Logger, quiet,
				fx.Replace(route.Config{Drain: c.drain}),
				routefx.Component("direct", func(l fx.Lifecycle) route.Component {
					l.Append(fx.StopHook(func() { closed = true }))
					return direct.New()
				}),
				routefx.Routes(route.From("direct:slow").ID("slow").Process(slow)),
				fx.Populate(&engine))
			app.RequireStart()
			go func() { _ = engine.Send(context.WithoutCancel(t.Context()), "direct:slow", 1) }()
			synctest.Wait()
			begun := time.Now()
			err := app.Stop(limited(t, 15*time.Second))
			if took := time.Since(begun); took != c.want {
				t.Errorf("took %v, want %v", took, c.want)
			}
			if drained, ok := errors.AsType[*route.DrainError](err); !ok || len(drained.InFlight) != 1 {
				t.Errorf("%v", err)
			}
			if !closed {
				t.Error("what was used is not closed")
			}
		})
	}
}

// A stubborn component does not begin or does not close.
type stubborn struct {
	route.Component
	begin, end func()
}

func (s stubborn) EngineStarted() { s.begin() }
func (s stubborn) EngineStopped(context.Context) error {
	s.end()
	return nil
}

func nothing() {}

// A component that blocks in the start is named before the time of fx is over, and what was
// started before it is stopped.
func TestBlockedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := new(diary)
		app := fx.New(routefx.Module, routefx.Logger, quiet, fx.Supply(d), fx.Provide(newShop),
			routefx.Component("direct", direct.New), routefx.Routes(newRoutes),
			routefx.Component("bot", stubborn{direct.New(), func() { <-release }, nothing}))
		begun := time.Now()
		err := app.Start(limited(t, app.StartTimeout()))
		if err == nil || err.Error() != `routefx: route: the component "bot" (routefx_test.stubborn) has not started: context deadline exceeded` {
			t.Errorf("%v", err)
		}
		if took := time.Since(begun); took >= app.StartTimeout() {
			t.Errorf("took %v", took)
		}
		if d.String() != "open, close" {
			t.Errorf("%s", d)
		}
		close(release)
	})
}

// A hook of somebody else that blocks is named in the log, which fx does not do.
func TestBlockedHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b, log := logger(slog.LevelInfo)
		app := fx.New(routefx.Module, routefx.Logger, log, routefx.Component("direct", func(l fx.Lifecycle) route.Component {
			l.Append(fx.StartHook(func() { <-release }))
			return direct.New()
		}))
		if err := app.Start(limited(t, time.Second)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		has(t, b.String(), `level=ERROR msg="a hook has not returned in time" hook=`, "TestBlockedHook", `level=ERROR msg="start failed"`)
		close(release)
		synctest.Wait()
	})
}

// A component that panics in the start is an error.
func TestPanicInStart(t *testing.T) {
	app := fx.New(routefx.Module, routefx.Logger, quiet, routefx.Component("bot", stubborn{direct.New(), func() { panic("no") }, nothing}))
	if err := app.Start(t.Context()); err == nil || !strings.Contains(err.Error(), `routefx: route: the component "bot" (routefx_test.stubborn) does not start: panic: no`) {
		t.Errorf("%v", err)
	}
}

// A stop that takes too long is named, in time for others to be stopped.
func TestStopOverruns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d := new(diary)
		b, log := logger(slog.LevelInfo)
		app := fxtest.New(t, routefx.Module, routefx.Logger, log, fx.Supply(d), fx.Provide(newShop),
			routefx.Component("direct", direct.New), routefx.Routes(newRoutes),
			routefx.Component("bot", stubborn{direct.New(), nothing, func() { <-release }}))
		app.RequireStart()
		begun := time.Now()
		err := app.Stop(limited(t, 3*time.Second))
		want := `routefx: route: the engine has not stopped: the component "bot" (routefx_test.stubborn) has not closed`
		if err == nil || err.Error() != want {
			t.Errorf("%v", err)
		}
		if took := time.Since(begun); took != 2700*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if d.String() != "open, close" {
			t.Errorf("%s", d)
		}
		has(t, b.String(), `level=ERROR msg="stop failed"`, "has not closed", "level=INFO msg=started")
		close(release)
		synctest.Wait()
		time.Sleep(time.Minute)
	})

	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		var engine *route.Engine
		app := fxtest.New(t, routefx.Module, routefx.Logger, quiet, routefx.Component("direct", direct.New), fx.Populate(&engine),
			routefx.Routes(route.From("direct:deaf").ID("deaf").Process(func(context.Context, *route.Exchange) error {
				<-release
				return nil
			})))
		app.RequireStart()
		go func() { _ = engine.Send(context.WithoutCancel(t.Context()), "direct:deaf", 1) }()
		synctest.Wait()
		err := app.Stop(limited(t, 15*time.Second))
		if err == nil {
			t.Fatal("no error")
		}
		has(t, err.Error(), `route "deaf": exchange`, `route "deaf" does not stop`, "life_test.go")
		close(release)
	})
}

// A flaky consumer ends as often as it is told, and then has no more to give.
func flaky(ends int) route.Component {
	return route.ComponentFunc(func(route.Env, route.Address) (route.Endpoint, error) { return &flakyEnd{ends}, nil })
}

type flakyEnd struct{ ends int }

func (*flakyEnd) String() string { return "flaky:x" }
func (f *flakyEnd) Consume(context.Context, route.Processor) error {
	if f.ends--; f.ends < 0 {
		return route.ErrDone
	}
	return errors.New("refused")
}

// A vital route that dies shuts the application down. Not in a bubble, because signals are
// no part of one.
func TestVital(t *testing.T) {
	for _, c := range []struct {
		what    string
		ends    int
		options []routefx.VitalOptions
		code    int
		log     string
	}{
		{"default", 9, nil, 1, `level=ERROR msg="a vital route has died: shutting the application down" route=x failures=5 exitCode=1 error=refused`},
		{"options", 9, []routefx.VitalOptions{{Failures: 2, ExitCode: 7}}, 7, "route=x failures=2 exitCode=7"},
		{"done", 1, nil, 0, `level=INFO msg="a vital route has no more to give: shutting the application down" route=x`},
	} {
		b, log := logger(slog.LevelInfo)
		app := fxtest.New(t, routefx.Module, routefx.Logger, log, routefx.Component("flaky", flaky(c.ends)),
			fx.Replace(route.Config{Restart: route.Backoff{Delay: time.Millisecond}}),
			routefx.Routes(route.From("flaky:x").ID("x"), route.From("flaky:y").ID("y")),
			routefx.Vital("x", c.options...))
		app.RequireStart()
		select {
		case signal := <-app.Wait():
			if signal.ExitCode != c.code {
				t.Errorf("%s: exit code %d, want %d", c.what, signal.ExitCode, c.code)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: the application goes on", c.what)
		}
		app.RequireStop()
		has(t, b.String(), c.log)
	}
}

// Of several routes that die at once, in several engines, one shuts the application down.
func TestVitalTogether(t *testing.T) {
	app := fxtest.New(t, routefx.Module, routefx.Named("other"), quiet,
		fx.Replace(route.Config{Restart: route.Backoff{Delay: time.Millisecond}}),
		routefx.For(routefx.All, routefx.Component("flaky", flaky(0)),
			routefx.Routes(func() []*route.Route {
				return []*route.Route{route.From("flaky:x").ID("x"), route.From("flaky:y").ID("y")}
			}),
			routefx.Vital("x"), routefx.Vital("y")))
	app.RequireStart()
	if signal := <-app.Wait(); signal.ExitCode != 0 {
		t.Errorf("exit code %d", signal.ExitCode)
	}
	app.RequireStop()
}

// noShutdown reports that the application is shut down.
type noShutdown struct{ t *testing.T }

func (n noShutdown) Shutdown(...fx.ShutdownOption) error {
	n.t.Error("the application is shut down")
	return nil
}

// A route that is not vital does not end the application, and readiness tells of it.
func TestNotVital(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var engine *route.Engine
		app := fxtest.New(t, routefx.Module, routefx.Logger, quiet, routefx.Component("flaky", flaky(100)),
			routefx.Routes(route.From("flaky:x").ID("x"), route.From("flaky:y").ID("y").AutoStart(false)),
			fx.Decorate(func(fx.Shutdowner) fx.Shutdowner { return noShutdown{t} }),
			routefx.Vital("y"), fx.Populate(&engine))
		app.RequireStart()
		defer app.RequireStop()
		time.Sleep(30 * time.Minute)
		if err := engine.Ready(); err == nil || !strings.Contains(err.Error(), `route "x": its consumer ended and waits to be started anew: refused`) {
			t.Errorf("ready: %v", err)
		}
	})
}

// Of two applications with one store, one leads, and hands over when it stops.
func TestCluster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memory.New()
		replica := func(name string) (*fxtest.App, *cluster.Service, func() bool) {
			var all struct {
				fx.In
				Engine  *route.Engine
				Service *cluster.Service
			}
			app := fxtest.New(t, routefx.Module, routefx.Logger, quiet,
				routefx.Cluster("master", func() *memory.Store { return store }),
				fx.Supply(cluster.Options{Wait: 20 * time.Second}),
				fx.Decorate(func(o cluster.Options) cluster.Options { o.Name = name; return o }),
				routefx.Component("timer", timer.New),
				routefx.Routes(route.From("master:lock:timer:t").ID("t")),
				routefx.Cluster("other", memory.New),
				routefx.Routes(route.From("other:lock:timer:u").ID("u")),
				routefx.ClusterService("master"),
				fx.Populate(&all))
			app.RequireStart()
			return app, all.Service, func() bool {
				if err := all.Engine.Ready(); err != nil {
					t.Error(err)
				}
				s, _ := all.Engine.Status().Route("t")
				return s.Leadership != nil && s.Leadership.Leading
			}
		}
		one, _, oneLeads := replica("one")
		time.Sleep(time.Minute)
		two, twoService, twoLeads := replica("two")
		time.Sleep(time.Second)
		if !oneLeads() || twoLeads() {
			t.Errorf("one leads: %v, two leads: %v", oneLeads(), twoLeads())
		}
		if n := len(twoService.Members()); n != 2 {
			t.Errorf("%d members, want 2", n)
		}
		one.RequireStop()
		time.Sleep(time.Second)
		if !twoLeads() {
			t.Error("two does not lead after one has stopped")
		}
		two.RequireStop()
	})
}

// Who wants the service of a cluster where there is none, or two, is told so.
func TestClusterService(t *testing.T) {
	for text, options := range map[string]fx.Option{
		`: cluster service "master": there is none: add routefx.Cluster`:     routefx.Cluster("other", memory.New),
		`: cluster service "master": there are two, from memory.New (module`: fx.Module("a", routefx.Cluster("master", memory.New), routefx.Named("b", routefx.Cluster("master", memory.New))),
	} {
		app := fx.New(routefx.Module, routefx.Logger, quiet, options, fx.Module("c", routefx.ClusterService("master"), fx.Invoke(func(*cluster.Service) {})))
		if err := app.Err(); err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "routefx: /") {
			t.Errorf("%v\nhas not\n%s", err, text)
		}
	}
}

// An application is started once: its engine cannot run again, and says so.
func TestRestart(t *testing.T) {
	app := fxtest.New(t, routefx.Module, quiet).RequireStart()
	app.RequireStop()
	if err := app.Start(t.Context()); !errors.Is(err, route.ErrStopped) {
		t.Errorf("%v", err)
	}
}

// fx.ValidateApp finds what is missing without running anything.
func TestValidate(t *testing.T) {
	options := fx.Options(routefx.Module, routefx.Logger, routefx.Component("direct", direct.New), fx.Supply(new(diary)), routefx.Routes(newRoutes))
	if err := fx.ValidateApp(options, fx.Provide(newShop)); err != nil {
		t.Error(err)
	}
	if err := fx.ValidateApp(options); err == nil || !strings.Contains(err.Error(), "missing type: *routefx_test.shop") {
		t.Errorf("%v", err)
	}
}

// What fx does is at level debug, and values are never logged.
func TestLogger(t *testing.T) {
	b, log := logger(slog.LevelDebug)
	app := fxtest.New(t, routefx.Module, routefx.Logger, log, fx.Supply(token("secret-1234")),
		routefx.Registered("token", func(s token) token { return s }))
	app.RequireStart().RequireStop()
	text := b.String()
	has(t, text, "level=DEBUG msg=provided", "level=INFO msg=started", `level=DEBUG msg="OnStart hook executed"`, "moduletrace")
	if strings.Contains(text, "secret-1234") || strings.Contains(text, "level=ERROR") {
		t.Error(text)
	}
}

type token string
