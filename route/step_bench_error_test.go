package route_test

import (
	"context"

	"github.com/mehari-go/mehari/route"
)

var errorSteps = []benchStep{
	{"ErrorHandler", 0, func(r *route.Route) {
		r.ErrorHandler(route.ErrorHandler{DeadLetter: "to:nop", UseOriginalMessage: true}).Process(nop).To("to:nop")
	}},
	{"Redelivery", 0, func(r *route.Route) {
		r.ErrorHandler(route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 3}}).Process(nop).To("to:nop")
	}},
	{"OnError", 0, func(r *route.Route) { r.OnError(route.OnError[error]().Handled()).Process(nop).To("to:nop") }},
	{"Intercept", 0, func(r *route.Route) { r.Intercept(route.Intercept().Process(nop)).To("to:nop") }},
	{"InterceptSendTo", 0, func(r *route.Route) {
		r.Intercept(route.InterceptSendTo("to:*").SetHeader("x", "y")).To("to:nop")
	}},
	{"OnCompletion", 0, func(r *route.Route) { r.OnCompletion(route.OnCompletion().BeforeConsumer().Process(nop)).Process(nop) }},
	{"Policy", 0, func(r *route.Route) {
		r.Policy(route.Policy{Done: func(context.Context, *route.Exchange, error) {}}).Process(nop)
	}},
	{"SetVariable", 0, func(r *route.Route) { r.SetVariable("x", 1).SetHeader("x", route.NewVariable[int]("x")) }},
}
