package docs_test

import (
	"context"
	"errors"
	"slices"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

var management = []pattern{
	{"Control Bus", func(p *page) {
		p.run(route.From("direct:in").ID("orders").To("mock:out"))
		ctx := p.Context()
		err := errors.Join(
			p.engine.Suspend(ctx, "orders"),
			p.engine.Resume("orders"))
		status, _ := p.engine.Status().Route("orders")
		if err != nil || status.State != route.Started {
			p.Errorf("%v, %v", status.State, err)
		}
		p.send("a")
		p.want("out", "a")
	}},
	{"Detour", func(p *page) {
		var checked bool
		p.run(route.From("direct:in").
			Filter(func(*route.Exchange) bool { return checked }, route.Do().To("mock:check")).
			To("mock:out"))
		p.send("a")
		checked = true
		p.send("b")
		p.want("check", "b")
		p.want("out", "a", "b")
	}},
	{"Wire Tap", func(p *page) {
		p.run(route.From("direct:in").WireTap("mock:tap").SetBody("x").To("mock:out"))
		p.send("a")
		p.want("tap", "a")
		p.want("out", "x")
	}},
	{"Message History", func(p *page) {
		var history []string
		p.run(route.From("direct:in").
			Intercept(route.Intercept().Process(func(_ context.Context, ex *route.Exchange) error {
				step, _ := route.InterceptedStep.Get(ex)
				history = append(history, step)
				return nil
			})).
			SetBody("x").To("mock:out"))
		p.send("a")
		if !slices.Equal(history, []string{"set body", `to "mock:out"`}) {
			p.Errorf("%q", history)
		}
	}},
	{"Message Store", func(p *page) {
		p.run(route.From("direct:in").
			OnCompletion(route.OnCompletion().UseOriginalMessage().To("mock:store")).
			SetBody("x").To("mock:out"))
		p.send("a")
		p.want("store", "a")
	}},
	{"Smart Proxy", func(p *page) {
		p.run(route.From("direct:in").
			SetVariable("asker", route.Simple("${header.replyTo}")).
			SetHeader("replyTo", "direct:me").To("mock:service").
			ToD("${variable.asker}", route.DynamicOptions{AllowedSchemes: []string{"mock"}}))
		p.with("replyTo", "mock:ada", "a")
		p.want("ada", "a")
	}},
	{"Test Message", func(p *page) {
		p.run(
			route.From("timer:probe?period=1m&repeatCount=1").SetBody(order{"probe", 1}).
				Enrich("direct:price").Validate(route.Simple("${body} == 2")).To("mock:healthy"),
			route.From("direct:price").Process(route.Map(price)))
		p.want("healthy", "2")
	}},
	{"Channel Purger", func(p *page) {
		p.run(
			route.From("direct:in").To("seda:work"),
			route.From("seda:work?purgeWhenStopping=true").ID("worker").Delay(time.Minute, route.DelayOptions{Blocking: true}).To("mock:out"))
		p.send("a", "b")
		synctest.Wait() // until a is taken
		if err := p.engine.Stop(p.Context(), "worker"); err == nil {
			p.Error("a is given up after the drain time, b thrown away")
		}
		_ = p.engine.Start("worker")
		p.want("out")
	}},
	{"Log", func(p *page) {
		p.run(route.From("direct:in").
			Log("got ${body}").
			To("log:orders?showHeaders=true"))
		p.send("a")
	}},
	{"Step", func(p *page) {
		p.run(route.From("direct:in").
			Named("prepare", route.Do().SetHeader("a", 1).SetHeader("b", 2)).
			To("mock:out"))
		p.send("a")
		p.want("out", "a")
	}},
	{"Threads", func(p *page) {
		p.run(route.From("direct:in").
			Threads(route.Do().To("mock:out"), route.ThreadsOptions{Size: 5}))
		p.send("a")
		p.want("out", "a")
	}},
	{"Transactional Client", func(p *page) {
		var done []string
		db := ledger{&done}
		p.run(route.From("direct:in").
			Transacted(db, route.Do().To("mock:insert").Validate(route.Simple("${body} == 'a'"))))
		p.send("a")
		if err := p.engine.Send(p.Context(), "direct:in", "b"); err == nil {
			p.Error("no error")
		}
		if !slices.Equal(done, []string{"commit", "rollback"}) {
			p.Errorf("%q", done)
		}
	}},
}

// A ledger is a transaction that says what became of it.
type ledger struct{ done *[]string }

func (l ledger) Begin(context.Context) (route.Tx, error) { return l, nil }
func (l ledger) Commit() error                           { *l.done = append(*l.done, "commit"); return nil }

func (l ledger) Rollback() error { *l.done = append(*l.done, "rollback"); return nil }
