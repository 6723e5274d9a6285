package docs_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"time"

	"github.com/mehari-go/mehari/dataformat/json"
	"github.com/mehari-go/mehari/route"
)

var channels = []pattern{
	{"Point-to-Point Channel", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:work?size=100"),
			route.From("seda:work?concurrentConsumers=4").To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
	{"Publish-Subscribe Channel", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:news?multipleConsumers=true"),
			route.From("seda:news?multipleConsumers=true").To("mock:paper"),
			route.From("seda:news?multipleConsumers=true").To("mock:radio"))
		p.send("a")
		p.want("paper", "a")
		p.want("radio", "a")
	}},
	{"Datatype Channel", func(p *page) {
		p.run(route.From("direct:in").
			ConvertBodyTo(reflect.TypeFor[order]()).
			To("mock:orders"))
		p.send(`{"ID": "a", "Amount": 1}`)
		p.want("orders", "{a 1}")
		if err := p.engine.Send(p.Context(), "direct:in", "no order"); err == nil {
			p.Error("no error")
		}
	}},
	{"Invalid Message Channel", func(p *page) {
		p.run(route.From("direct:in").
			OnError(route.OnError[*route.StepError]().Handled().UseOriginalMessage().To("mock:invalid")).
			Step(route.Unmarshal[order](json.Format{})).To("mock:orders"))
		p.send("no order")
		p.want("invalid", "no order")
	}},
	{"Dead Letter Channel", func(p *page) {
		p.run(route.From("direct:in").
			ErrorHandler(route.ErrorHandler{
				DeadLetter: "mock:dead",
				Redelivery: route.Redelivery{Maximum: 3, Delay: time.Second, Exponential: true},
			}).
			Process(busy))
		p.send("a")
		p.want("dead", "a")
	}},
	{"Guaranteed Delivery", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:work?waitForTaskToComplete=Always"),
			route.From("seda:work").Process(busy))
		if err := p.engine.Send(p.Context(), "direct:in", "a"); !errors.Is(err, errBusy) {
			p.Error(err)
		}
	}},
	{"Channel Adapter", func(p *page) {
		p.run(route.From("direct:in").To("mock:out"))
		ctx, mux := p.Context(), http.NewServeMux()
		mux.HandleFunc("/orders", func(w http.ResponseWriter, r *http.Request) {
			if err := p.engine.Send(ctx, "direct:in", r.FormValue("order")); err != nil {
				http.Error(w, "come again", http.StatusServiceUnavailable)
			}
		})
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/orders?order=a", nil))
		if w.Code != http.StatusOK {
			p.Error(w.Code)
		}
		p.want("out", "a")
	}},
	{"Messaging Bridge", func(p *page) {
		p.run(
			route.From("seda:here").To("seda:there"),
			route.From("seda:there").To("mock:out"))
		_ = p.engine.Send(p.Context(), "seda:here", "a")
		p.want("out", "a")
	}},
}
