package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// One route is the template for several.
func ExampleRoute_instance() {
	greet := route.From("direct:{{country}}").
		Transform(route.Simple("{{greeting:Hello}} ${body}, from ${routeId}"))

	running(func(ctx context.Context, engine *route.Engine) {
		for _, to := range []route.URI{"direct:it", "direct:uk"} {
			reply, err := engine.Request(ctx, to, "Ada")
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(reply.Body)
		}
	},
		greet.Instance("italy", map[string]string{"country": "it", "greeting": "Ciao"}),
		greet.Instance("britain", map[string]string{"country": "uk"}),
	)

	// Output:
	// Ciao Ada, from italy
	// Hello Ada, from britain
}
