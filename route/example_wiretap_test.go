package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// The audit gets a copy of every order and is nothing that an order waits for.
func ExampleRoute_wireTap() {
	audited := make(chan any, 1)

	orders := route.From("direct:orders").
		WireTap("direct:audit", route.TapOptions{Body: route.Simple("order of ${header.customer}")}).
		Transform(route.Simple("${body} are on their way"))
	audit := route.From("direct:audit").Process(func(_ context.Context, ex *route.Exchange) error {
		audited <- ex.Body
		return nil
	})

	running(func(ctx context.Context, engine *route.Engine) {
		reply, err := engine.Request(ctx, "direct:orders", "dates", route.WithHeader("customer", "Almaz"))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(reply.Body)
		fmt.Println("audit:", <-audited)
	}, orders, audit)

	// Output:
	// dates are on their way
	// audit: order of Almaz
}
