package controlbus_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/controlbus"
	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func config(log *bytes.Buffer) route.Config {
	logger := slog.New(slog.DiscardHandler)
	if log != nil {
		logger = slog.New(slog.NewTextHandler(log, nil))
	}
	return route.Config{Components: route.Components{"controlbus": controlbus.New(), "direct": direct.New(), "timer": timer.New()}, Logger: logger}
}

func TestComponent(t *testing.T) {
	routetest.TestComponent(t, routetest.Harness{
		New: controlbus.New,
		Configs: []routetest.Config{
			controlbus.Config{Command: "route", RouteID: "a/b", Action: "stop", Async: true, LoggingLevel: "OFF"},
			controlbus.Config{Command: "route", RouteID: "current", Action: "restart", RestartDelay: new(5 * time.Second)},
		},
	})
}

func state(t *testing.T, e *route.Engine, id string, want route.State) {
	t.Helper()
	if s, _ := e.Status().Route(id); s.State != want {
		t.Errorf("route %q is %s, want %s", id, s.State, want)
	}
}

func TestActions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e := routetest.Run(t, config(&log),
			route.From("timer:clock").ID("r"),
			route.From("direct:do").ToD("controlbus:route?routeId=r&action=${body}"))
		do := func(action string, want route.State) {
			t.Helper()
			if err := e.Send(t.Context(), "direct:do", action); err != nil {
				t.Errorf("%s: %v", action, err)
			}
			state(t, e, "r", want)
			ex, err := e.Request(t.Context(), "direct:do", "status")
			if err != nil || ex.Body != string(want) {
				t.Errorf("status %v, %v, want %s", ex.Body, err, want)
			}
		}
		do("suspend", route.Suspended)
		do("resume", route.Started)
		do("stop", route.Stopped)
		do("start", route.Started)
		begun := time.Now()
		do("restart", route.Started)
		if took := time.Since(begun); took != time.Second {
			t.Errorf("a restart takes %v, want 1s", took)
		}
		do("stop", route.Stopped)
		if err := e.Send(t.Context(), "direct:do", "resume"); err == nil || !strings.Contains(err.Error(), "only a suspended one can be resumed") {
			t.Errorf("%v", err)
		}
		if n := strings.Count(log.String(), "level=INFO msg=\"controlbus: done\" route=r"); n != 6 {
			t.Errorf("%d lines, want 6:\n%s", n, log.String())
		}
	})
}

// A route stops itself after its third message.
func TestARouteStopsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		e := routetest.Run(t, config(nil), route.From("timer:clock").ID("r").
			Process(func(context.Context, *route.Exchange) error { n++; return nil }).
			Filter(func(*route.Exchange) bool { return n == 3 }, route.Do().To("controlbus:route?routeId=current&action=stop&async=true")))
		routetest.Advance(10 * time.Second)
		state(t, e, "r", route.Stopped)
		if n != 3 {
			t.Errorf("%d messages, want 3", n)
		}
		if err := e.Start("r"); err != nil {
			t.Error(err)
		}
		routetest.Advance(1500 * time.Millisecond)
		if n != 4 {
			t.Errorf("%d messages, want 4", n)
		}
	})
}

// The engine waits for what goes on beside it, and hurries it.
func TestTheEngineStopsInARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e, err := route.New(config(&log), route.From("timer:clock?period=0").ID("r").To("controlbus:route?routeId=r&action=restart&async=true&restartDelay=1h&loggingLevel=warn"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begun := time.Now()
		if err := e.Run(ctx); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}
		late := strings.Contains(log.String(), `level=WARN msg="controlbus: it could not be done" route=r action=restart error="route: the engine does not run"`)
		justInTime := strings.Contains(log.String(), `level=WARN msg="controlbus: done" route=r action=restart`)
		if late == justInTime { // who is first where the engine's time ends, is not said
			t.Error(log.String())
		}
		if err := e.Go(func(context.Context) {}); !errors.Is(err, route.ErrStopped) {
			t.Errorf("%v", err)
		}
	})
}

func TestWithoutARoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := routetest.Run(t, config(nil), route.From("timer:clock").ID("r"))
		ex, err := e.Request(t.Context(), "controlbus:route?routeId=r&action=status", nil)
		if err != nil || ex.Body != "started" {
			t.Errorf("%v, %v", ex, err)
		}
		for u, want := range map[route.URI]string{
			"controlbus:route?routeId=current&action=stop": "the message is in no route",
			"controlbus:route?routeId=q&action=stop":       `there is no route "q"`,
		} {
			if err := e.Send(t.Context(), u, nil); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", u, err, want)
			}
		}
	})
}

func TestWouldWaitForItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := routetest.Run(t, config(nil),
			route.From("direct:a").ID("a").To("controlbus:route?routeId=current&action=stop"),
			route.From("direct:b").ID("b").To("direct:c"),
			route.From("direct:c").ID("c").To("controlbus:route?routeId=b&action=restart"))
		for _, u := range []route.URI{"direct:a", "direct:b"} {
			if err := e.Send(t.Context(), u, nil); err == nil || !strings.Contains(err.Error(), "use async=true") {
				t.Errorf("%s: %v", u, err)
			}
		}
	})
}

func TestOutsideOfAnEngine(t *testing.T) {
	ep, err := controlbus.New().Endpoint(route.Env{}, address(t, "controlbus:route?routeId=r&action=stop"))
	if err != nil {
		t.Fatal(err)
	}
	ex := route.NewExchange(nil)
	defer ex.Release()
	if err := ep.(route.Producer).Process(t.Context(), ex); err == nil || !strings.Contains(err.Error(), "there is no engine here") {
		t.Errorf("%v", err)
	}
}

func address(t *testing.T, u route.URI) route.Address {
	t.Helper()
	a, err := u.Parse()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAPanicOfAnErrandIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		e := routetest.Run(t, config(&log), route.From("timer:clock").ID("r"))
		if err := e.Go(func(context.Context) { panic("boom") }); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if !strings.Contains(log.String(), "error=boom") {
			t.Error(log.String())
		}
	})
}

func TestRefuses(t *testing.T) {
	for u, want := range map[route.URI]string{
		"controlbus:": `nothing after "controlbus:"`,
		"controlbus:language:simple?routeId=r&action=stop":           `want controlbus:route, have "controlbus:language:simple"`,
		"controlbus:route?action=stop":                               `option "routeId"`,
		"controlbus:route?routeId=r":                                 `option "action"`,
		"controlbus:route?routeId=r&action=fail":                     `option "action": want one of start, stop, suspend, resume, restart, status, have "fail"`,
		"controlbus:route?routeId=r&action=status&async=true":        `option "async" has no meaning with action=status`,
		"controlbus:route?routeId=r&action=stop&restartDelay=1s":     `option "restartDelay" has a meaning with action=restart only`,
		"controlbus:route?routeId=r&action=restart&restartDelay=-1s": `option "restartDelay": want 0 or more, have -1s`,
		"controlbus:route?routeId=r&action=stop&loggingLevel=loud":   `option "loggingLevel": want TRACE`,
	} {
		_, err := route.New(config(nil), route.From("direct:in").To(u))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, want %q", u, err, want)
		}
	}
}
