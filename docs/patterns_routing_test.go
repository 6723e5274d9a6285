package docs_test

import (
	"errors"
	"time"

	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

var routing = []pattern{
	{"Content-Based Router", func(p *page) {
		p.run(route.From("direct:in").Choice(
			route.When(route.Is(kind, "gold")).To("mock:gold"),
			route.When(route.Simple("${header.kind} in 'silver,bronze'")).To("mock:metal"),
			route.Otherwise().To("mock:others")))
		p.with("kind", "gold", "a")
		p.with("kind", "bronze", "b")
		p.want("gold", "a")
		p.want("metal", "b")
	}},
	{"Message Filter", func(p *page) {
		p.run(route.From("direct:in").Filter(route.Where(big)).To("mock:out"))
		p.send(order{"a", 500}, order{"b", 5})
		p.want("out", "{a 500}")
	}},
	{"Dynamic Router", func(p *page) {
		next := func(ex *route.Exchange) any {
			if ex.Property("CamelSlipEndpoint") == nil {
				return "mock:first"
			}
			return nil
		}
		p.run(route.From("direct:in").DynamicRouter(next))
		p.send("a")
		p.want("first", "a")
	}},
	{"Recipient List", func(p *page) {
		p.run(route.From("direct:in").
			RecipientList(route.Simple("${header.to}"), route.RecipientOptions{AllowedSchemes: []string{"mock"}}))
		p.with("to", "mock:a, mock:b", "x")
		p.want("a", "x")
		p.want("b", "x")
	}},
	{"Splitter", func(p *page) {
		p.run(route.From("direct:in").
			Split(route.Tokenize(","), route.Do().To("mock:parts")).
			To("mock:whole"))
		p.send("a,b")
		p.want("parts", "a", "b")
		p.want("whole", "a,b")
	}},
	{"Aggregator", func(p *page) {
		p.run(route.From("direct:in").
			Aggregate(kind, route.Collect, route.Do().To("mock:groups"),
				route.AggregateOptions{Size: 2, Timeout: time.Minute}))
		for _, body := range []any{"a", "b", "c"} {
			p.with("kind", "gold", body)
		}
		p.want("groups", "[a b]")
		time.Sleep(time.Minute)
		p.want("groups", "[a b]", "[c]")
	}},
	{"Resequencer", func(p *page) {
		p.run(route.From("direct:in").
			Resequence(route.Simple("${body}"), route.Do().To("mock:out"),
				route.ResequenceOptions{BatchSize: 3}))
		p.send("c", "a", "b")
		p.want("out", "a", "b", "c")
	}},
	{"Composed Message Processor", func(p *page) {
		p.run(route.From("direct:in").
			Split(route.Tokenize(","), route.Do().Transform(route.Simple("<${body}>")),
				route.SplitOptions{FanOut: route.FanOut{Parallel: 4, Merge: route.JoinText("+")}}).
			To("mock:out"))
		p.send("a,b")
		p.want("out", "<a>+<b>")
	}},
	{"Scatter-Gather", func(p *page) {
		p.run(route.From("direct:in").
			MulticastWith(route.FanOut{Parallel: 2, Timeout: time.Second, Merge: route.Collect},
				route.Do().SetBody("offer 1"),
				route.Do().SetBody("offer 2")).
			To("mock:out"))
		p.send("a")
		p.want("out", "[offer 1 offer 2]")
	}},
	{"Routing Slip", func(p *page) {
		p.run(route.From("direct:in").RoutingSlip(route.Simple("${header.slip}")))
		p.with("slip", "mock:a,mock:b", "x")
		p.want("a", "x")
		p.want("b", "x")
	}},
	{"Process Manager", func(p *page) {
		p.run(
			route.From("direct:in").Saga(route.Do().To("direct:book").Throw(errBusy)),
			route.From("direct:book").Saga(route.Do().To("mock:book"), route.SagaOptions{Compensation: "mock:cancel"}))
		if err := p.engine.Send(p.Context(), "direct:in", "a"); !errors.Is(err, errBusy) {
			p.Error(err)
		}
		p.want("book", "a")
		p.Eventually(p.T, time.Minute, "cancel", routetest.Count(1))
	}},
	{"Message Broker", func(p *page) {
		p.run(route.From("direct:in").
			ToD("mock:${header.kind}", route.DynamicOptions{AllowedSchemes: []string{"mock"}}))
		p.with("kind", "gold", "a")
		p.want("gold", "a")
	}},
	{"Throttler", func(p *page) {
		p.run(route.From("direct:in").
			Throttle(2, route.ThrottleOptions{By: kind}).
			To("mock:out"))
		for _, body := range []any{"a", "b", "c"} {
			p.with("kind", "gold", body)
		}
		p.want("out", "a", "b", "c")
	}},
	{"Sampling", func(p *page) {
		p.run(route.From("direct:in").Sample(route.SampleOptions{Every: 2}).To("mock:out"))
		p.send("a", "b", "c", "d")
		p.want("out", "b", "d")
	}},
	{"Delayer", func(p *page) {
		p.run(route.From("direct:in").Delay(time.Second).To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
	{"Load Balancer", func(p *page) {
		p.run(route.From("direct:in").LoadBalance(route.RoundRobin(),
			route.Do().To("mock:a"),
			route.Do().To("mock:b")))
		p.send("1", "2", "3")
		p.want("a", "1", "3")
		p.want("b", "2")
	}},
	{"Multicast", func(p *page) {
		p.run(route.From("direct:in").Multicast(
			route.Do().To("mock:a"),
			route.Do().To("mock:b")))
		p.send("x")
		p.want("a", "x")
		p.want("b", "x")
	}},
	{"Loop", func(p *page) {
		p.run(route.From("direct:in").
			Loop(3, route.Do().Transform(route.Simple("${body}.")).To("mock:turn")))
		p.send("a")
		p.want("turn", "a.", "a..", "a...")
	}},
	{"Circuit Breaker", func(p *page) {
		p.run(route.From("direct:in").CircuitBreaker(
			route.Do().To("mock:shop").Process(busy),
			route.Do().SetBody("yesterday's price"),
			route.CircuitBreakerOptions{Config: route.BreakerConfig{SlidingWindowSize: 2}}).
			To("mock:out"))
		p.send("a", "b", "c")
		p.want("shop", "a", "b")
		p.want("out", "yesterday's price", "yesterday's price", "yesterday's price")
	}},
}
