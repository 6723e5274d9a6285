package route_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

type (
	value struct{}
	other struct{}
)

// An exchange ends by its own context and when its time to drain is over, and not when
// its route stops to take messages.
func TestContextsOfExchanges(t *testing.T) {
	for name, test := range map[string]struct {
		ctx  func(intake context.Context) (context.Context, context.CancelFunc)
		ends time.Duration // after the engine began to stop; the drain time is 10s
	}{
		"intake": {func(in context.Context) (context.Context, context.CancelFunc) { return in, func() {} }, 10 * time.Second},
		"work":   {func(in context.Context) (context.Context, context.CancelFunc) { return route.Work(in), func() {} }, 10 * time.Second},
		"work of work": {func(in context.Context) (context.Context, context.CancelFunc) {
			return route.Work(context.WithValue(route.Work(in), value{}, 1)), func() {}
		}, 10 * time.Second},
		"value": {func(in context.Context) (context.Context, context.CancelFunc) {
			return context.WithValue(in, value{}, 1), func() {}
		}, 10 * time.Second},
		"with deadline": {func(in context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(route.Work(in), 5*time.Second)
		}, 4 * time.Second},
		"intake with a later deadline": {func(in context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(in, time.Hour)
		}, 10 * time.Second},
		"foreign": {func(context.Context) (context.Context, context.CancelFunc) {
			return context.WithCancel(context.Background())
		}, 10 * time.Second},
		"foreign with deadline": {func(context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 5*time.Second)
		}, 4 * time.Second},
		"of the route that sent": {func(in context.Context) (context.Context, context.CancelFunc) { return in, func() {} }, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var ended time.Time
				var got any
				hang := func(ctx context.Context, ex *route.Exchange) error {
					got = ctx.Value(value{})
					<-ctx.Done()
					ended = time.Now()
					return context.Cause(ctx)
				}
				k := start(t, route.Config{Drain: 10 * time.Second},
					route.From("in:a").Choice(
						route.When(name == "of the route that sent").To("call:b"),
						route.Otherwise().Process(hang)),
					route.From("call:b").Process(hang))
				ctx, cancel := test.ctx(k.nextOf("a").ctx)
				defer cancel()
				acked := make(chan error, 1)
				go func() { acked <- k.nextOf("a").Process(ctx, route.NewExchange(nil)) }()
				time.Sleep(time.Second)
				begun := time.Now()
				_ = k.stop()
				<-acked
				if after := ended.Sub(begun); after != test.ends {
					t.Errorf("ended after %v, want %v", after, test.ends)
				}
				if want := ctx.Value(value{}); got != want {
					t.Errorf("value %v, want %v", got, want)
				}
			})
		})
	}
}

func TestContextDerivedFromTheIntakeEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		enough := errors.New("enough")
		k := start(t, route.Config{}, route.From("in:a").Delay(time.Hour))
		ctx, cancel := context.WithCancelCause(k.nextOf("a").ctx)
		time.AfterFunc(time.Second, func() { cancel(enough) })
		begun := time.Now()
		if err := k.nextOf("a").Process(ctx, route.NewExchange(nil)); !errors.Is(err, enough) || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// A consumer that wraps another one has a say in what that one's exchanges run under.
func TestWithWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, lost, stop := new(kit), errors.New("the term is over"), context.CancelFunc(nil)
		var endTerm context.CancelCauseFunc
		var seen any
		wrap := consumers(func(ctx context.Context, next route.Processor) error {
			if id, place := route.RouteOf(ctx); id != "wrapped" || place.Line == 0 {
				t.Errorf("consumer of route %q at %s", id, place)
			}
			var work, taking context.Context
			work, endTerm = context.WithCancelCause(context.WithValue(route.Work(ctx), value{}, "term"))
			taking, stop = context.WithCancel(ctx)
			taking = route.WithWork(taking, work)
			if route.Work(taking).Done() != work.Done() {
				t.Error("Work of the wrapped consumer's context is not what it was given")
			}
			if err := (&in{k, "x"}).Consume(taking, next); err != nil {
				return err
			}
			return route.ErrDone
		})
		k.start(t, route.Config{Components: wrap}, route.From("c:x").ID("wrapped").
			Process(func(ctx context.Context, ex *route.Exchange) error { seen = ctx.Value(value{}); return nil }).
			To("call:inner"),
			route.From("call:inner").Delay(10*time.Second))
		for _, derived := range []bool{false, true} {
			acked := make(chan error, 2)
			n := k.nextOf("x")
			if derived {
				n.ctx = context.WithValue(n.ctx, other{}, 1)
			}
			go func() { acked <- n.Process(n.ctx, route.NewExchange(nil)) }()
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if seen != "term" {
				t.Errorf("seen %v, want term", seen)
			}
			if !derived {
				if err := <-acked; err != nil {
					t.Error(err)
				}
				continue
			}
			stop() // the exchange goes on
			synctest.Wait()
			if len(acked) != 0 {
				t.Errorf("ended with the taking of messages: %v", <-acked)
			}
			endTerm(lost)
			if err := <-acked; !errors.Is(err, lost) {
				t.Errorf("%v, want the end of the term", err)
			}
		}
	})
}

func TestWorkOutsideOfRoutes(t *testing.T) {
	if ctx := t.Context(); route.Work(ctx) != ctx {
		t.Error("Work of a context of no route is another one")
	}
	if id, place := route.RouteOf(t.Context()); id != "" || place.String() != "unknown place" {
		t.Errorf("route %q at %s of a context of no route", id, place)
	}
}
