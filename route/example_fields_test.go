package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// Fields are set one after the other, so that later ones can build upon earlier ones. What
// must not travel on is taken away by patterns.
func ExampleRoute_setHeaders() {
	orders := route.From("direct:orders").
		SetHeaders(route.Fields{
			{"customer", route.Simple("${body}")},
			{"greeting", route.Simple("Dear ${header.customer}")},
			{"internal-trace", 42},
			{"internal-cost", 7},
		}).
		SetVariables(route.Fields{{"greeting", route.NewKey[string]("greeting")}}).
		RemoveHeaders("internal-*", "*-cost").
		RemoveVariables("*", "greet*")

	running(func(ctx context.Context, engine *route.Engine) {
		reply, err := engine.Request(ctx, "direct:orders", "Ada")
		if err != nil {
			fmt.Println(err)
			return
		}
		for name, value := range reply.Headers() {
			fmt.Println(name, "=", value)
		}
		fmt.Println(reply.Variable("greeting"))
	}, orders)

	// Output:
	// customer = Ada
	// greeting = Dear Ada
	// internal-cost = 7
	// Dear Ada
}

// A script is evaluated for what it does.
func ExampleRoute_script() {
	seen := 0
	count := func(*route.Exchange) any { seen++; return nil }

	running(func(ctx context.Context, engine *route.Engine) {
		for range 3 {
			if err := engine.Send(ctx, "direct:in", nil); err != nil {
				fmt.Println(err)
			}
		}
		fmt.Println(seen)
	}, route.From("direct:in").Script(count))

	// Output:
	// 3
}
