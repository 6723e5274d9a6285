package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// Each order goes to the route of its kind. The allowed schemes keep what a header says
// from leading anywhere else.
func ExampleRoute_toD() {
	orders := route.From("direct:orders").
		ToD("direct:${header.kind}", route.DynamicOptions{
			AllowedSchemes:        []string{"direct"},
			IgnoreInvalidEndpoint: true,
		})
	books := route.From("direct:books").Transform(route.Simple("shelf for ${body}"))
	food := route.From("direct:food").Transform(route.Simple("fridge for ${body}"))

	running(func(ctx context.Context, engine *route.Engine) {
		for _, kind := range []string{"books", "food"} {
			reply, err := engine.Request(ctx, "direct:orders", "dates", route.WithHeader("kind", kind))
			if err != nil {
				fmt.Println(err)
				return
			}
			to, _ := route.ToEndpoint.Get(reply)
			fmt.Println(reply.Body, "by", to)
		}
	}, orders, books, food)

	// Output:
	// shelf for dates by direct:books
	// fridge for dates by direct:food
}
