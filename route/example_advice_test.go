package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// A test takes a route as it is, but for where it is from and what it must not touch.
func ExampleRoute_advise() {
	written := route.From("kafka:orders?brokers=kafka:9092").
		Transform(route.Simple("order ${body}")).
		To("http://bank/charge").StepID("charge").
		Transform(route.Simple("${body}, sent"))

	tried := written.Advise(
		route.Advice{From: "direct:orders"},
		route.Advice{Step: "charge", Instead: route.Do().Transform(route.Simple("${body}, charged"))},
	)

	running(func(ctx context.Context, engine *route.Engine) {
		reply, err := engine.Request(ctx, "direct:orders", 7)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(reply.Body)
	}, tried)

	// Output:
	// order 7, charged, sent
}
