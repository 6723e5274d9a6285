package route_test

import "github.com/mehari-go/mehari/route"

var dynamicSteps = []benchStep{
	{"ToD", 0, func(r *route.Route) { r.SetBody("nop").ToD("to:${body}") }},
	{"ToWith", 0, func(r *route.Route) { r.ToWith(route.ToOptions{VariableSend: "v", VariableReceive: "w"}, "to:nop") }},
	{"Enrich", 0, func(r *route.Route) { r.Enrich("to:nop") }},
	{"EnrichD", 0, func(r *route.Route) { r.SetBody("nop").EnrichD("to:${body}") }},
	{"RoutingSlip", 0, func(r *route.Route) { r.RoutingSlip("to:nop,to:nop") }},
	{"RoutingSlipKey", 0, func(r *route.Route) {
		r.SetHeader("slip", "to:nop,to:nop").RoutingSlip(route.NewKey[string]("slip"))
	}},
	{"DynamicRouter", 0, func(r *route.Route) {
		r.DynamicRouter(func(ex *route.Exchange) any {
			if at, _ := route.SlipEndpoint.Get(ex); at == "" {
				return "to:nop"
			}
			return nil
		})
	}},
	{"LoadBalanceRoundRobin", 0, balancedBench(route.RoundRobin())},
	{"LoadBalanceRandom", 0, balancedBench(route.Random())},
	{"LoadBalanceWeighted", 0, balancedBench(route.Weighted(1, 2))},
	{"LoadBalanceWeightedRoundRobin", 0, balancedBench(route.WeightedRoundRobin(1, 2))},
	{"LoadBalanceSticky", 0, balancedBench(route.Sticky(kind))},
	{"LoadBalanceFailover", 0, balancedBench(route.Failover())},
	{"LoadBalanceTopic", 0, balancedBench(route.Topic())},
}

func balancedBench(policy route.Balancer) func(*route.Route) {
	return func(r *route.Route) { r.LoadBalance(policy, route.Do().Process(nop), route.Do().Process(nop)) }
}
