package route_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/mehari-go/mehari/route"
)

// A benchStep is a step that does no I/O, in a route of its own.
type benchStep struct {
	name   string
	allocs float64 // per exchange, with a text as the body
	add    func(r *route.Route)
}

// steps are all of them, by the files that have their tests.
var steps = slices.Concat(
	basicSteps,
	errorSteps,
	fanSteps,
	dynamicSteps,
	aggregateSteps,
	controlSteps,
	stateSteps,
	formatSteps,
)

var basicSteps = []benchStep{
	{"None", 0, func(*route.Route) {}},
	{"To", 0, func(r *route.Route) { r.To("to:nop") }},
	{"ToRoute", 0, func(r *route.Route) { r.To("to:route") }},
	{"Process", 0, func(r *route.Route) { r.Process(nop) }},
	{"Map", 0, func(r *route.Route) {
		r.Process(route.Map(func(_ context.Context, s *string) (*string, error) { return s, nil }))
	}},
	{"LogOff", 0, func(r *route.Route) { r.Log("got ${body}") }},
	{"SetBody", 0, func(r *route.Route) { r.SetBody("text") }},
	{"SetBodyFunc", 0, func(r *route.Route) { r.SetBody(func(ex *route.Exchange) any { return ex.Body }) }},
	{"Transform", 0, func(r *route.Route) {
		r.Transform(route.Func(func(_ context.Context, s *string) (*string, error) { return s, nil }))
	}},
	{"SetHeader", 0, func(r *route.Route) { r.SetHeader("x", "text") }},
	{"SetHeaderKey", 0, func(r *route.Route) { r.SetHeader("x", kind) }},
	{"SetHeaderSimple", 0, func(r *route.Route) { r.SetHeader("x", route.Simple("${body}")) }},
	{"SetProperty", 0, func(r *route.Route) { r.SetProperty("x", 1) }},
	{"RemoveHeader", 0, func(r *route.Route) { r.RemoveHeader("type") }},
	{"RemoveHeaders", 0, func(r *route.Route) { r.RemoveHeaders("t*", "id") }},
	{"Filter", 0, func(r *route.Route) { r.Filter(route.Is(kind, "order")).Process(nop) }},
	{"FilterBlock", 0, func(r *route.Route) { r.Filter(route.Is(kind, "order"), route.Do().Process(nop)) }},
	{"FilterWhere", 0, func(r *route.Route) { r.Filter(route.Where(func(s *string) bool { return s != nil })).Process(nop) }},
	{"FilterSimple", 0, func(r *route.Route) {
		r.Filter(route.Simple("${header.type} == 'order' && ${body} != null")).Process(nop)
	}},
	{"FilterSimpleText", 0, func(r *route.Route) {
		r.Filter(route.Simple("${header.type} in 'bill,order' && ${header.type} startsWith 'or' && ${header.type} contains 'd' && ${header.type} regex 'o.*'")).Process(nop)
	}},
	{"Choice", 0, func(r *route.Route) {
		r.Choice(route.When(route.Is(kind, "bill")).Process(nop), route.Otherwise().Process(nop))
	}},
	{"ChoiceFunc", 0, func(r *route.Route) {
		r.Choice(route.When(func(ex *route.Exchange) bool { return ex.Body == nil }).Process(nop), route.When(true).Process(nop))
	}},
	{"Split", 0, func(r *route.Route) { r.Split([]any{1, 2, 3}, route.Do().Process(nop)) }},
	{"Try", 0, func(r *route.Route) {
		r.Try(route.Do().Process(nop), route.Catch[error](), route.Finally().Process(nop))
	}},
	{"DelayZero", 0, func(r *route.Route) { r.Delay(0) }},
	{"Stop", 0, func(r *route.Route) { r.Stop() }},
}

// exchangeThrough returns a function that leads an exchange through a route.
func exchangeThrough(tb testing.TB, add func(*route.Route)) func() {
	r := route.From("in:x")
	add(r)
	to := processors{"nop": nop}
	innerCtx, inner := consumerOf(tb, route.Config{
		Components: route.Components{"to": to},
		Logger:     slog.New(slog.DiscardHandler),
	}, route.From("in:inner"))
	to["route"] = func(_ context.Context, ex *route.Exchange) error { return inner.Process(innerCtx, ex) }
	ctx, next := consumerOf(tb, route.Config{
		Components: route.Components{"to": to},
		Logger:     slog.New(slog.DiscardHandler),
	}, r)
	body := new(string)
	return func() {
		ex := route.NewExchange(body)
		kind.Set(ex, "order")
		if err := next.Process(ctx, ex); err != nil {
			tb.Fatal(err)
		}
		ex.Release()
	}
}

func TestStepsDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			through := exchangeThrough(t, s.add)
			n := testing.AllocsPerRun(200, through)
			for i := 0; i < 10 && n > s.allocs; i++ { // a goroutine of the route that lags behind only adds
				n = min(n, testing.AllocsPerRun(200, through))
			}
			if n != s.allocs {
				t.Errorf("%v allocations per exchange, want %v", n, s.allocs)
			}
		})
	}
}

func BenchmarkStep(b *testing.B) {
	for _, s := range steps {
		b.Run(s.name, func(b *testing.B) {
			run := exchangeThrough(b, s.add)
			b.ReportAllocs()
			for b.Loop() {
				run()
			}
		})
	}
}
