package seda_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/mehari-go/mehari/components/seda"
	"github.com/mehari-go/mehari/route"
)

// BenchmarkHop hands exchanges from one goroutine to another that runs a route.
//
//	channel  a buffered channel of as many places, by hand: an exchange itself goes over, and
//	         the sender makes another one for the next message
//	copies   the same with a copy, so that the sender keeps its own, as with seda
//	seda     a seda queue: a copy goes over, and the sender keeps its own
func BenchmarkHop(b *testing.B) {
	b.Run("channel", func(b *testing.B) { channel(b, false) })
	b.Run("copies", func(b *testing.B) { channel(b, true) })
	b.Run("seda", func(b *testing.B) {
		b.ReportAllocs()
		send, taken := hop(b)
		n := int64(0)
		for b.Loop() {
			send()
			n++
		}
		for taken.Load() < n {
		}
	})
}

func channel(b *testing.B, copies bool) {
	b.ReportAllocs()
	var taken atomic.Int64
	hop := make(chan *route.Exchange, 1000)
	components := route.Components{"in": consumer(func(ctx context.Context, next route.Processor) error {
		for ex := range hop {
			if err := next.Process(ctx, ex); err != nil {
				b.Error(err)
			}
			ex.Release()
		}
		<-ctx.Done()
		return nil
	})}
	run(b, components, route.From("in:x").Process(func(context.Context, *route.Exchange) error {
		taken.Add(1)
		return nil
	}))
	body := any("x")
	own := route.NewExchange(body)
	n := int64(0)
	for b.Loop() {
		if copies {
			hop <- own.Handover(false)
		} else {
			hop <- route.NewExchange(body)
		}
		n++
	}
	close(hop)
	for taken.Load() < n {
	}
}

func TestHopDoesNotAllocate(t *testing.T) {
	send, taken := hop(t)
	n := int64(0)
	one := func() {
		send()
		for n++; taken.Load() < n; {
			runtime.Gosched()
		}
	}
	if n := testing.AllocsPerRun(1000, one); n != 0 && !raceEnabled {
		t.Errorf("%v allocations a hop, want 0", n)
	}
}

// hop runs a route from a queue. It returns what sends to it as another route would,
// and how many exchanges have come.
func hop(tb testing.TB) (send func(), taken *atomic.Int64) {
	tb.Helper()
	component, taken := seda.New(), new(atomic.Int64)
	run(tb, route.Components{"seda": component}, route.From("seda:x").Process(func(context.Context, *route.Exchange) error {
		taken.Add(1)
		return nil
	}))
	addr, err := seda.Config{Name: "x", BlockWhenFull: true}.URI().Parse()
	if err != nil {
		tb.Fatal(err)
	}
	ep, err := component.Endpoint(route.Env{}, addr)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, to, own := tb.Context(), ep.(route.Producer), route.NewExchange("x")
	return func() {
		if err := to.Process(ctx, own); err != nil {
			tb.Fatal(err)
		}
	}, taken
}

func run(tb testing.TB, components route.Components, routes ...*route.Route) {
	tb.Helper()
	e, err := route.New(route.Config{Components: components}, routes...)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Error(err)
		}
	})
}

type consumer func(ctx context.Context, next route.Processor) error

func (c consumer) String() string                                            { return "in" }
func (c consumer) Endpoint(route.Env, route.Address) (route.Endpoint, error) { return c, nil }
func (c consumer) Consume(ctx context.Context, next route.Processor) error   { return c(ctx, next) }
