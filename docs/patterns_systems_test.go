package docs_test

import (
	"github.com/mehari-go/mehari/dataformat/json"
	"github.com/mehari-go/mehari/language/jq"
	"github.com/mehari-go/mehari/route"
)

var systems = []pattern{
	{"Message Channel", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:orders"),
			route.From("seda:orders").To("mock:out"))
		p.send("a", "b")
		p.want("out", "a", "b")
	}},
	{"Message", func(p *page) {
		p.run(route.From("direct:in").
			SetBody("Hello").SetHeader("kind", "greeting").SetProperty("seen", true).
			Log("${body} is a ${header.kind}").To("mock:out"))
		p.send(nil)
		p.want("out", "Hello")
	}},
	{"Pipes and Filters", func(p *page) {
		p.run(route.From("direct:in").
			Transform(route.Simple("<${body}>")).
			Transform(route.Simple("${body}!")).
			To("mock:out"))
		p.send("a")
		p.want("out", "<a>!")
	}},
	{"Message Router", func(p *page) {
		p.run(route.From("direct:in").Choice(
			route.When(isGold).To("mock:gold"),
			route.Otherwise().To("mock:others")))
		p.with("kind", "gold", "a")
		p.send("b")
		p.want("gold", "a")
		p.want("others", "b")
	}},
	{"Message Translator", func(p *page) {
		p.run(route.From("direct:in").
			Unmarshal(json.Format{}).
			Transform(jq.Expr(".name")).
			To("mock:out"))
		p.send(`{"name": "Ada"}`)
		p.want("out", "Ada")
	}},
	{"Message Endpoint", func(p *page) {
		p.run(route.From("timer:tick?period=1s&repeatCount=2").
			SetBody("tick").To("mock:out"))
		p.want("out", "tick", "tick")
	}},
}
