package route_test

import (
	"github.com/mehari-go/mehari/route"
)

var fanSteps = []benchStep{
	{"SplitMerge", 0, func(r *route.Route) {
		r.Split([]any{1, 2, 3}, route.Do().Process(nop), route.SplitOptions{FanOut: route.FanOut{Merge: route.UseLatest}})
	}},
	{"Multicast", 0, func(r *route.Route) {
		r.Multicast(route.Do().Process(nop), route.Do().SetHeader("x", "text"))
	}},
	{"MulticastMerge", 0, func(r *route.Route) {
		r.MulticastWith(route.FanOut{Merge: route.UseLatest}, route.Do().Process(nop), route.Do().Process(nop))
	}},
	{"RecipientList", 0, func(r *route.Route) { r.RecipientList("to:nop,to:nop") }},
	{"RecipientListKey", 0, func(r *route.Route) {
		r.SetHeader("list", "to:nop,to:nop").RecipientList(route.NewKey[string]("list"))
	}},
	{"Sort", 2, func(r *route.Route) { r.Sort([]any{3, 1, 2}) }}, // the copy, as an any
}
