package route_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// holding is a component that counts the engines that have it.
type holding struct {
	engines, most int
	open          int // exchanges in flight when the last engine had stopped
	inFlight      atomic.Int64
}

func (h *holding) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	return holdingEnd{h}, nil
}

func (h *holding) EngineStarted() { h.engines++; h.most = max(h.most, h.engines) }

func (h *holding) EngineStopped(context.Context) error {
	h.engines--
	h.open = int(h.inFlight.Load())
	return errors.New("stuck")
}

type holdingEnd struct{ h *holding }

func (holdingEnd) String() string { return "hold:x" }

func (e holdingEnd) Process(context.Context, *route.Exchange) error {
	e.h.inFlight.Add(1)
	time.Sleep(time.Second)
	e.h.inFlight.Add(-1)
	return nil
}

func (e holdingEnd) Consume(ctx context.Context, next route.Processor) error {
	route.ReportSubscribed(ctx, true)
	<-ctx.Done()
	return nil
}

// A component under two schemes is told once, after the last exchange.
func TestLifecycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(holding)
		mock := new(routetest.Mock)
		e, err := route.New(route.Config{
			Components: route.Components{"hold": h, "also": h, "mock": mock},
			Logger:     slog.New(slog.DiscardHandler),
		}, route.From("mock:in").To("hold:x"), route.From("hold:y").ID("y").To("mock:out"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		if h.engines != 0 {
			t.Errorf("told %d times before the engine runs", h.engines)
		}
		go func() { done <- e.Run(ctx) }()
		synctest.Wait()
		if s, _ := e.Status().Route("y"); s.Subscribed == nil || !*s.Subscribed {
			t.Errorf("subscribed is %v, want true", s.Subscribed)
		}
		go func() { _ = mock.Send("in", 1) }()
		synctest.Wait()
		if n := h.inFlight.Load(); n != 1 {
			t.Fatalf("%d in flight, want 1", n)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if h.most != 1 || h.engines != 0 || h.open != 0 {
			t.Errorf("told of %d engines, %d not stopped, %d in flight; want 1, 0, 0", h.most, h.engines, h.open)
		}
		if s, _ := e.Status().Route("y"); s.Subscribed != nil {
			t.Errorf("subscribed is %v after the stop, want nil", *s.Subscribed)
		}
	})
}
