package seda_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/mehari-go/mehari/components/seda"
	"github.com/mehari-go/mehari/route"
)

// BenchmarkHop hands exchanges from one goroutine to another that runs a route.
//
//	channel  a buffered channel of as many places, by hand: the sender's exchange itself goes over
//	seda     a seda queue: a copy goes over, and the sender keeps its own
func BenchmarkHop(b *testing.B) {
	b.Run("channel", func(b *testing.B) {
		b.ReportAllocs()
		var taken atomic.Int64
		hop := make(chan *route.Exchange, 1000)
		done := make(chan struct{})
		components := route.Components{"in": consumer(func(ctx context.Context, next route.Processor) error {
			defer close(done)
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
		n := int64(0)
		for b.Loop() {
			hop <- route.NewExchange(body)
			n++
		}
		close(hop)
		for taken.Load() < n {
		}
	})
	b.Run("seda", func(b *testing.B) {
		b.ReportAllocs()
		var taken atomic.Int64
		var to route.Processor
		component := seda.New()
		components := route.Components{"seda": route.ComponentFunc(func(env route.Env, a route.Address) (route.Endpoint, error) {
			return component.Endpoint(env, a)
		})}
		run(b, components, route.From("seda:x").Process(func(context.Context, *route.Exchange) error {
			taken.Add(1)
			return nil
		}))
		addr, _ := route.URI("seda:x?blockWhenFull=true").Parse()
		ep, err := component.Endpoint(route.Env{}, addr)
		if err != nil {
			b.Fatal(err)
		}
		to = ep.(route.Producer)
		body := any("x")
		n := int64(0)
		for b.Loop() {
			ex := route.NewExchange(body)
			if err := to.Process(b.Context(), ex); err != nil {
				b.Fatal(err)
			}
			ex.Release()
			n++
		}
		for taken.Load() < n {
		}
	})
}

func run(b *testing.B, components route.Components, routes ...*route.Route) {
	b.Helper()
	e, err := route.New(route.Config{Components: components}, routes...)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- e.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
}

type consumer func(ctx context.Context, next route.Processor) error

func (c consumer) String() string                                            { return "in" }
func (c consumer) Endpoint(route.Env, route.Address) (route.Endpoint, error) { return c, nil }
func (c consumer) Consume(ctx context.Context, next route.Processor) error   { return c(ctx, next) }
