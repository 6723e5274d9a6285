package seda_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/seda"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestEngineEmptiesQueues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		e, err := route.New(route.Config{Components: route.Components{"seda": seda.New(), "mock": mock}, Poison: true, Drain: time.Hour},
			route.From("seda:a").Delay(time.Second, blocking).To("seda:b"),
			route.From("seda:b?concurrentConsumers=2").Delay(time.Second, blocking).To("mock:out"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- e.Run(ctx) }()
		synctest.Wait()
		for n := range 100 {
			if err := e.Send(ctx, "seda:a", n); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		mock.Check(t, "out", routetest.Count(100))
	})
}

// counting is a handler that keeps what is logged with a number of messages.
type counting struct {
	slog.Handler
	mu    *sync.Mutex
	lines *[]string
}

func (c counting) Handle(_ context.Context, r slog.Record) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "messages" {
			*c.lines = append(*c.lines, fmt.Sprint(r.Level, " ", r.Message, " ", a.Value))
		}
		return true
	})
	return nil
}

func TestNothingIsLostSilently(t *testing.T) {
	for _, tt := range []struct {
		name string
		from route.URI
		want string
	}{
		{"left", "seda:q", "WARN messages left in the queue, which nobody consumes now 8"},
		{"purged", "seda:q?purgeWhenStopping=true", "WARN messages purged 9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var lines []string
				logger := slog.New(counting{slog.DiscardHandler, new(sync.Mutex), &lines})
				logger = slog.New(enabled{logger.Handler()})
				e, err := route.New(route.Config{Components: route.Components{"seda": seda.New()}, Drain: 90 * time.Second, Logger: logger},
					route.From(tt.from).Delay(time.Minute, blocking))
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- e.Run(ctx) }()
				synctest.Wait()
				for n := range 10 {
					if err := e.Send(ctx, "seda:q", n); err != nil {
						t.Fatal(err)
					}
				}
				synctest.Wait()
				cancel()
				err = <-done
				if d, ok := errors.AsType[*route.DrainError](err); tt.name == "left" && (!ok || len(d.InFlight) != 1) {
					t.Errorf("Run returns %v, want a *route.DrainError with the one in flight", err)
				}
				if !slices.Contains(lines, tt.want) {
					t.Errorf("log has %q, want %q", lines, tt.want)
				}
			})
		})
	}
}

type enabled struct{ slog.Handler }

func (enabled) Enabled(context.Context, slog.Level) bool { return true }

func TestStopWorksOnWhatIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		e := routetest.Run(t, config(mock), route.From("seda:q?concurrentConsumers=2").ID("q").Delay(time.Second, blocking).To("mock:out"))
		for n := range 6 {
			if err := e.Send(t.Context(), "seda:q", n); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		done := make(chan error)
		go func() { done <- e.Stop(t.Context(), "q") }()
		routetest.Advance(1500 * time.Millisecond)
		if err := e.Send(t.Context(), "seda:q", "later"); err != nil { // stays in the queue
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
		mock.Check(t, "out", routetest.BodiesInAnyOrder(0, 1, 2, 3, 4, 5))
		if err := e.Start("q"); err != nil {
			t.Fatal(err)
		}
		routetest.Advance(time.Minute)
		mock.Check(t, "out", routetest.BodiesInAnyOrder(0, 1, 2, 3, 4, 5, "later"))
	})
}

// TestCauseEndsAtOnce stops a consumer as a lost term does: nothing more is taken.
func TestCauseEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		component := seda.New()
		addr, _ := route.URI("seda:q").Parse()
		ep, err := component.Endpoint(route.Env{Logger: slog.New(slog.DiscardHandler)}, addr)
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			ex := route.NewExchange(nil)
			if err := ep.(route.Producer).Process(t.Context(), ex); err != nil {
				t.Fatal(err)
			}
			ex.Release()
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		taken := 0
		err = ep.(route.Consumer).Consume(ctx, route.ProcessorFunc(func(context.Context, *route.Exchange) error {
			if taken++; taken == 2 {
				cancel(errGone)
			}
			return nil
		}))
		if err != nil || taken != 2 || ep.(route.Internal).Pending() != 3 {
			t.Errorf("%d taken, %d left, %v; want 2 and 3", taken, ep.(route.Internal).Pending(), err)
		}
	})
}
