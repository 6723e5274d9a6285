package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// The letter waits at the counter while the steps work with its address only.
func ExampleRoute_claimCheck() {
	letters := route.From("direct:letters").
		ClaimCheck(route.ClaimSet, "letter").
		SetBody(route.Simple("${header.address}")).
		Process(func(_ context.Context, ex *route.Exchange) error {
			fmt.Println("looks up", ex.Body)
			ex.SetHeader("zone", 7)
			return nil
		}).
		ClaimCheck(route.ClaimGetAndRemove, "letter", route.ClaimCheckOptions{Filter: "body"}).
		Process(func(_ context.Context, ex *route.Exchange) error {
			fmt.Printf("sends %q to zone %v\n", ex.Body, ex.Header("zone"))
			return nil
		})

	running(func(ctx context.Context, engine *route.Engine) {
		if err := engine.Send(ctx, "direct:letters", "Dear camel, …", route.WithHeader("address", "Desert 1")); err != nil {
			fmt.Println(err)
		}
	}, letters)

	// Output:
	// looks up Desert 1
	// sends "Dear camel, …" to zone 7
}
