package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// Region is a header with a type.
var Region = route.NewKey[string]("region")

// The first case that holds is taken. Cases are values: they can be made by functions.
func ExampleRoute_choice() {
	orders := route.From("direct:orders").
		Choice(
			route.When(route.Is(Region, "eu")).
				SetHeader("warehouse", "Rome").
				SetHeader("currency", "EUR"),
			route.When(func(ex *route.Exchange) bool { return ex.Body == "elephant" }).
				SetHeader("warehouse", "Harbour"),
			route.Otherwise().
				SetHeader("warehouse", "Boston"),
		).
		SetBody(route.Simple("${body} from ${header.warehouse}"))

	running(func(ctx context.Context, engine *route.Engine) {
		for _, order := range [][2]string{{"eu", "pasta"}, {"us", "elephant"}, {"us", "tea"}} {
			reply, err := engine.Request(ctx, "direct:orders", order[1], route.WithHeader("region", order[0]))
			fmt.Println(reply.Body, err)
		}
	}, orders)

	// Output:
	// pasta from Rome <nil>
	// elephant from Harbour <nil>
	// tea from Boston <nil>
}
