package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// Who gets a copy of an announcement stands in a header of it.
func ExampleRoute_recipientList() {
	to := route.NewKey[string]("to")
	desk := func(name string) *route.Route {
		return route.From(route.URI("direct:" + name)).ID(name).
			Process(func(_ context.Context, ex *route.Exchange) error {
				fmt.Printf("%s: %s\n", ex.RouteID(), ex.Body)
				return nil
			})
	}

	announcements := route.From("direct:announcements").
		RecipientList(to, route.RecipientOptions{AllowedSchemes: []string{"direct"}})

	running(func(ctx context.Context, engine *route.Engine) {
		err := engine.Send(ctx, "direct:announcements", "we open at nine",
			route.WithHeader(to.Name(), "direct:sales,direct:support"))
		if err != nil {
			fmt.Println(err)
		}
	}, announcements, desk("sales"), desk("support"))

	// Output:
	// sales: we open at nine
	// support: we open at nine
}
