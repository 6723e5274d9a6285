package docs_test

import (
	"context"

	"github.com/mehari-go/mehari/route"
)

var around = []pattern{
	{"Intercept", func(p *page) {
		p.config.Routes.Intercept = []*route.Interceptor{
			route.InterceptFrom("direct:*").SetHeader("traced", true),
			route.InterceptSendTo("mock:real").Skip().After("mock:instead"),
		}
		p.run(route.From("direct:in").To("mock:real"))
		p.send("a")
		p.want("real")
		p.want("instead", "a")
	}},
	{"Route Configuration", func(p *page) {
		shared := &route.Configuration{
			ErrorHandler: &route.ErrorHandler{DeadLetter: "mock:dead"},
			OnError:      []*route.ErrorClause{route.OnErrorIs(context.Canceled).Handled()},
		}
		p.run(route.From("direct:in").Use(shared).Process(busy))
		p.send("a")
		p.want("dead", "a")
	}},
	{"Route Policy", func(p *page) {
		var done int
		p.run(route.From("direct:in").Policy(route.Policy{
			Done: func(context.Context, *route.Exchange, error) { done++ },
		}))
		p.send("a", "b")
		if done != 2 {
			p.Error(done)
		}
	}},
	{"Route Template", func(p *page) {
		greet := route.From("direct:{{from}}").Transform(route.Simple("{{greeting:Hello}} ${body}"))
		p.run(
			greet.Instance("english", map[string]string{"from": "in"}),
			greet.Instance("german", map[string]string{"from": "de", "greeting": "Hallo"}))
		p.ask("Ada", "Hello Ada")
	}},
	{"Variables", func(p *page) {
		p.run(route.From("direct:in").
			SetVariable("whole", route.Simple("${body}")).
			SetBody("x").To("mock:x").
			SetBody(route.NewVariable[string]("whole")).To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
}
