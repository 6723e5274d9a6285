package docs_test

import (
	"time"

	"github.com/mehari-go/mehari/dataformat/json"
	"github.com/mehari-go/mehari/dataformat/yaml"
	"github.com/mehari-go/mehari/route"
)

var construction = []pattern{
	{"Command Message", func(p *page) {
		p.run(route.From("direct:in").Choice(
			route.When(route.Is(command, "open")).To("mock:open"),
			route.When(route.Is(command, "close")).To("mock:close"),
			route.Otherwise().ThrowText("unknown command ${header.command}")))
		p.with("command", "open", "door")
		p.want("open", "door")
	}},
	{"Document Message", func(p *page) {
		p.run(route.From("direct:in").Process(route.Map(price)).To("mock:out"))
		p.send(order{ID: "a", Amount: 1})
		p.want("out", "2")
	}},
	{"Event Message", func(p *page) {
		p.run(route.From("direct:in").
			WireTap("mock:audit").To("mock:out"))
		err := p.engine.Send(p.Context(), "direct:in", "sold") // nobody waits for a reply
		if err != nil {
			p.Error(err)
		}
		p.want("audit", "sold")
	}},
	{"Request-Reply", func(p *page) {
		p.run(route.From("direct:in").Transform(route.Simple("Hello ${body}")))
		ctx := p.Context()
		reply, err := p.engine.Request(ctx, "direct:in", "Ada")
		if err != nil || reply.Body != "Hello Ada" {
			p.Errorf("%v, %v", reply, err)
		}
	}},
	{"Return Address", func(p *page) {
		p.run(route.From("direct:in").
			Transform(route.Simple("Hello ${body}")).
			ToD("${header.replyTo}", route.DynamicOptions{AllowedSchemes: []string{"mock"}}))
		p.with("replyTo", "mock:ada", "Ada")
		p.want("ada", "Hello Ada")
	}},
	{"Correlation Identifier", func(p *page) {
		p.run(route.From("direct:in").
			SetHeader("correlation", route.Simple("${exchangeId}")).
			Multicast(route.Do().To("direct:join"), route.Do().To("direct:join")),
			route.From("direct:join").
				Aggregate(route.Simple("${header.correlation}"), route.Collect, route.Do().To("mock:out"), route.AggregateOptions{Size: 2}))
		p.send("a", "b")
		p.want("out", "[a a]", "[b b]")
	}},
	{"Message Sequence", func(p *page) {
		p.run(route.From("direct:in").
			Split(route.Tokenize(","), route.Do().
				SetHeader("number", route.SplitIndex).SetHeader("last", route.SplitComplete).
				Transform(route.Simple("${header.number} ${header.last} ${body}")).To("mock:out")))
		p.send("a,b")
		p.want("out", "0 false a", "1 true b")
	}},
	{"Message Expiration", func(p *page) {
		expires := route.NewKey[time.Time]("expires")
		p.run(route.From("direct:in").
			Filter(func(ex *route.Exchange) bool { t, ok := expires.Get(ex); return !ok || time.Now().Before(t) }).
			To("mock:out"))
		err := p.engine.Send(p.Context(), "direct:in", "old", route.WithHeader("expires", time.Now().Add(-time.Second)))
		if err != nil {
			p.Error(err)
		}
		p.send("new")
		p.want("out", "new")
	}},
	{"Format Indicator", func(p *page) {
		p.run(route.From("direct:in").Choice(
			route.When(route.Is(format, "application/json")).Unmarshal(json.Format{}),
			route.When(route.Is(format, "application/yaml")).Unmarshal(yaml.Format{})).
			Transform(route.Simple("${body.id}")).To("mock:out"))
		p.with("Content-Type", "application/json", `{"id": "7"}`)
		p.with("Content-Type", "application/yaml", "id: 8")
		p.want("out", "7", "8")
	}},
}
