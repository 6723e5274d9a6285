package route_test

import (
	"log/slog"

	"github.com/mehari-go/mehari/route"
)

var controlSteps = []benchStep{
	{"SetHeaders", 0, func(r *route.Route) { r.SetHeaders(route.Fields{{"x", "text"}, {"y", kind}, {"z", 1}}) }},
	{"SetProperties", 0, func(r *route.Route) { r.SetProperties(route.Fields{{"x", "text"}}) }},
	{"RemoveProperty", 0, func(r *route.Route) { r.SetProperty("x", 1).RemoveProperty("x") }},
	{"RemoveProperties", 0, func(r *route.Route) { r.SetProperty("x", 1).RemoveProperties("x*") }},
	{"RemoveVariable", 0, func(r *route.Route) { r.RemoveVariable("x") }},
	{"LogOffLevel", 0, func(r *route.Route) {
		r.Log("got ${body}", route.LogOptions{Level: slog.LevelDebug, Name: "n", Marker: "m"})
	}},
	{"Script", 0, func(r *route.Route) { r.Script(func(ex *route.Exchange) any { return ex.Body }) }},
	{"Validate", 0, func(r *route.Route) { r.Validate(route.Is(kind, "order")) }},
	{"Pipeline", 0, func(r *route.Route) { r.Pipeline(route.Do().Process(nop), route.Do().Process(nop)) }},
	{"Named", 0, func(r *route.Route) { r.Named("g", route.Do().Process(nop)) }},
	{"Loop", 0, func(r *route.Route) { r.Loop(3, route.Do().Process(nop)) }},
	{"LoopCopy", 0, func(r *route.Route) { r.Loop(3, route.Do().Process(nop), route.LoopOptions{Copy: true}) }},
	{"Sample", 0, func(r *route.Route) { r.Sample().Process(nop) }},
	{"SampleEvery", 0, func(r *route.Route) { r.Sample(route.SampleOptions{Every: 2}).Process(nop) }},
	{"Throttle", 0, func(r *route.Route) { r.Throttle(1_000_000_000) }},
	{"ThrottleByKey", 0, func(r *route.Route) { r.Throttle(1_000_000_000, route.ThrottleOptions{By: kind}) }},
	{"ThrottleConcurrent", 0, func(r *route.Route) { r.Throttle(1, route.ThrottleOptions{Concurrent: true}) }},
	{"CircuitBreaker", 0, func(r *route.Route) { r.CircuitBreaker(route.Do().Process(nop), route.Do().SetBody("fallback")) }},
}
