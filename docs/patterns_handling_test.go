package docs_test

import (
	"github.com/mehari-go/mehari/route"
)

var handling = []pattern{
	{"Redelivery", func(p *page) {
		p.run(route.From("direct:in").
			OnError(route.OnErrorIs(errBusy).Redeliver(route.Redelivery{Maximum: 5, DelayPattern: "1:100;3:5s"})).
			Process(failsTwice()).To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
	{"Error Clauses", func(p *page) {
		p.run(route.From("direct:in").
			OnError(
				route.OnErrorIs(errBusy).Handled().SetBody(route.Simple("sorry: ${exception.message}")),
				route.OnError[error]().To("mock:failed")).
			Process(busy))
		p.ask("a", "sorry: busy")
	}},
	{"Try, Catch, Finally", func(p *page) {
		p.run(route.From("direct:in").Try(
			route.Do().Process(busy),
			route.Catch[error]().SetBody("caught"),
			route.Finally().To("mock:always")).
			To("mock:out"))
		p.send("a")
		p.want("always", "caught")
		p.want("out", "caught")
	}},
	{"On Completion", func(p *page) {
		p.run(route.From("direct:in").
			OnCompletion(route.OnCompletion().OnFailure().To("mock:failed")).
			Process(busy))
		_ = p.engine.Send(p.Context(), "direct:in", "a")
		p.want("failed", "a")
	}},
}
