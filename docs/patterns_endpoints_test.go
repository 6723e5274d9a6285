package docs_test

import (
	"context"
	"time"

	"github.com/mehari-go/mehari/dataformat/json"
	"github.com/mehari-go/mehari/route"
)

var endpoints = []pattern{
	{"Messaging Mapper", func(p *page) {
		p.run(route.From("direct:in").
			Step(route.Unmarshal[order](json.Format{})). // the body is an order
			Process(route.Map(price)).                   // func(context.Context, order) (int, error)
			To("mock:out"))
		p.send(`{"ID": "a", "Amount": 21}`)
		p.want("out", "42")
	}},
	{"Polling Consumer", func(p *page) {
		p.run(route.From("direct:in").
			Poll("seda:work", route.PollOptions{Timeout: time.Second}).
			To("mock:out"))
		_ = p.engine.Send(p.Context(), "seda:work", "a")
		p.send(nil)
		p.want("out", "a")
	}},
	{"Event-Driven Consumer", func(p *page) {
		p.run(route.From("seda:work").To("mock:out"))
		_ = p.engine.Send(p.Context(), "seda:work", "a")
		p.want("out", "a")
	}},
	{"Competing Consumers", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:work"),
			route.From("seda:work?concurrentConsumers=5").To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
	{"Message Dispatcher", func(p *page) {
		p.run(route.From("direct:in").LoadBalance(route.Sticky(kind),
			route.Do().To("mock:a"),
			route.Do().To("mock:b")))
		p.with("kind", "gold", 1)
		p.with("kind", "gold", 2)
		if a, b := p.Total("a"), p.Total("b"); a*b != 0 || a+b != 2 {
			p.Errorf("%d, %d", a, b)
		}
	}},
	{"Selective Consumer", func(p *page) {
		p.run(route.From("direct:in").Filter(isGold, route.Do().To("mock:gold")).To("mock:all"))
		p.with("kind", "gold", "a")
		p.send("b")
		p.want("gold", "a")
		p.want("all", "a", "b")
	}},
	{"Durable Subscriber", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:news"),
			route.From("seda:news").ID("reader").To("mock:out"))
		ctx := p.Context()
		_ = p.engine.Stop(ctx, "reader")
		p.send("while it was away")
		_ = p.engine.Start("reader")
		p.want("out", "while it was away")
	}},
	{"Idempotent Consumer", func(p *page) {
		p.run(route.From("direct:in").
			IdempotentConsumer(route.Simple("${header.id}"), new(route.IdempotentMemory), route.Do().
				To("mock:out")))
		p.with("id", "1", "a")
		p.with("id", "1", "a again")
		p.with("id", "2", "b")
		p.want("out", "a", "b")
	}},
	{"Messaging Gateway", func(p *page) {
		p.run(route.From("direct:in").Process(route.Map(price)))
		ask := func(ctx context.Context, o order) (int, error) {
			reply, err := p.engine.Request(ctx, "direct:in", o)
			if err != nil {
				return 0, err
			}
			return route.BodyAs[int](reply)
		}
		if n, err := ask(p.Context(), order{"a", 21}); n != 42 || err != nil {
			p.Errorf("%v, %v", n, err)
		}
	}},
	{"Service Activator", func(p *page) {
		p.run(route.From("direct:in").Process(route.Map(price)).To("mock:out"))
		p.send(order{"a", 1})
		p.want("out", "2")
	}},
}
