package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

var total = route.NewVariable[int]("global:total")

// A variable keeps what is needed again later; a global one is shared by all exchanges.
func ExampleNewVariable() {
	orders := route.From("direct:orders").
		SetVariable("order", route.Simple("${body}")).
		SetBody("something else").
		Process(func(_ context.Context, ex *route.Exchange) error {
			n, _ := total.Get(ex)
			total.Set(ex, n+1)
			return nil
		}).
		SetBody(route.Simple("${variable.order} is number ${variable.global:total}"))

	running(func(ctx context.Context, engine *route.Engine) {
		for _, order := range []string{"tea", "coffee"} {
			reply, err := engine.Request(ctx, "direct:orders", order)
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(reply.Body)
		}
	}, orders)

	// Output:
	// tea is number 1
	// coffee is number 2
}
