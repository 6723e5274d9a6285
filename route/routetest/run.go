// Package routetest helps to test routes and components: a [Mock] component that records
// and sends, a [Stub] that stands for another component, [DataSets] for loads, [Run] for an
// engine that lives as long as a test, a [Watch] to wait for what exchanges do, and
// [TestComponent], what every component has to pass. A route that is written already is
// changed for a test by [route.Route.Advise], or by [Mock.Endpoints].
//
// All of it works on the real clock, and on the virtual one of testing/synctest, where
// an hour takes no time:
//
//	synctest.Test(t, func(t *testing.T) {
//		mock := new(routetest.Mock)
//		routetest.Run(t, route.Config{Components: …}, route.From("timer:tick?period=1m").To("mock:out"))
//		routetest.Advance(time.Hour)
//		mock.Check(t, "out", routetest.Count(60))
//	})
package routetest

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Run runs routes until the test ends, with [route.Config.Poison] on. It returns when
// they are started. It fails the test if they cannot be built, or do not stop as they
// should. A nil Logger means the test's log.
func Run(t testing.TB, cfg route.Config, routes ...*route.Route) *route.Engine {
	t.Helper()
	cfg.Poison = true
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	e, err := route.New(cfg, routes...)
	if err != nil {
		t.Fatal(err)
	}
	// Not the test's context, which ends before the test's clean-up begins.
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for !started(e) {
		runtime.Gosched() // not to sleep leaves a virtual clock as it is
	}
	return e
}

// started tells whether the engine and all routes that start with it have.
func started(e *route.Engine) bool {
	if err := e.Send(context.Background(), "", nil); errors.Is(err, route.ErrStopped) {
		return false // a running engine would say that this is no URI
	}
	for _, r := range e.Status().Routes {
		if r.AutoStart && r.State == route.Stopped {
			return false
		}
	}
	return true
}

// Advance lets time pass in a synctest bubble, and then waits until nothing moves any
// more. Outside of a bubble it panics.
func Advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
