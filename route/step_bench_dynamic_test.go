package route_test

import "github.com/mehari-go/mehari/route"

var dynamicSteps = []benchStep{
	{"ToD", 0, func(r *route.Route) { r.SetBody("nop").ToD("to:${body}") }},
	{"ToWith", 0, func(r *route.Route) { r.ToWith(route.ToOptions{VariableSend: "v", VariableReceive: "w"}, "to:nop") }},
}
