package docs_test

import (
	"context"

	"github.com/mehari-go/mehari/dataformat/gzip"
	"github.com/mehari-go/mehari/dataformat/json"
	"github.com/mehari-go/mehari/language/jq"
	"github.com/mehari-go/mehari/route"
)

var transformation = []pattern{
	{"Envelope Wrapper", func(p *page) {
		p.run(
			route.From("direct:in").Marshal(gzip.Format{}).To("direct:wire"),
			route.From("direct:wire").Step(route.Unmarshal[string](gzip.Format{})).To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
	{"Content Enricher", func(p *page) {
		p.run(
			route.From("direct:in").
				Enrich("direct:rates", route.EnrichOptions{Merge: route.Fold(func(_ context.Context, amount, rate int) (int, error) {
					return amount * rate, nil
				})}).
				To("mock:out"),
			route.From("direct:rates").SetBody(2))
		p.send(21)
		p.want("out", "42")
	}},
	{"Content Filter", func(p *page) {
		p.run(route.From("direct:in").
			RemoveHeaders("*", "kind").
			Transform(jq.Expr("{name}")).
			To("mock:out"))
		p.with("secret", "x", map[string]any{"name": "Ada", "password": "x"})
		p.want("out", "map[name:Ada]")
	}},
	{"Claim Check", func(p *page) {
		p.run(route.From("direct:in").
			ClaimCheck(route.ClaimPush, nil).SetBody("light").To("mock:light").
			ClaimCheck(route.ClaimPop, nil).To("mock:out"))
		p.send("heavy")
		p.want("light", "light")
		p.want("out", "heavy")
	}},
	{"Normalizer", func(p *page) {
		p.run(
			route.From("direct:in").Choice(
				route.When(route.Is(kind, "csv")).Transform(route.Simple("${substringBefore(';')}")),
				route.Otherwise().Unmarshal(json.Format{}).Transform(jq.Expr(".id"))).
				To("mock:out"))
		p.with("kind", "csv", "7;x")
		p.send(`{"id": "8"}`)
		p.want("out", "7", "8")
	}},
	{"Canonical Data Model", func(p *page) {
		p.run(
			route.From("direct:in").Step(route.Unmarshal[order](json.Format{})).To("direct:orders"),
			route.From("direct:orders").Process(route.Map(price)).To("mock:out"))
		p.send(`{"Amount": 4}`)
		p.want("out", "8")
	}},
	{"Sort", func(p *page) {
		p.run(route.From("direct:in").Sort(route.Simple("${body}")).To("mock:out"))
		p.send([]any{3, 1, 2})
		p.want("out", "[1 2 3]")
	}},
	{"Validate", func(p *page) {
		p.run(route.From("direct:in").
			OnError(route.OnError[*route.ValidationError]().Handled().To("mock:invalid")).
			Validate(route.Simple("${body} != ''")).To("mock:out"))
		p.send("", "a")
		p.want("invalid", "")
		p.want("out", "a")
	}},
}
