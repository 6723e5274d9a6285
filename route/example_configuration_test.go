package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// Routes share how they handle errors, and who is told of their exchanges.
func ExampleConfiguration() {
	var exchanges int
	shared := &route.Configuration{
		OnError: []*route.ErrorClause{
			route.OnErrorIs(errOverloaded).Handled().SetBody("come again"),
		},
		Policies: []route.Policy{{
			Done: func(context.Context, *route.Exchange, error) { exchanges++ },
		}},
	}

	running(func(ctx context.Context, engine *route.Engine) {
		for _, to := range []route.URI{"direct:orders", "direct:bills"} {
			reply, err := engine.Request(ctx, to, 1)
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(reply.Body)
		}
		fmt.Println(exchanges, "exchanges")
	},
		route.From("direct:orders").Use(shared).Throw(errOverloaded),
		route.From("direct:bills").Use(shared).SetBody("paid"),
	)

	// Output:
	// come again
	// paid
	// 2 exchanges
}
