package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// What goes to the bank goes to a test account instead.
func ExampleInterceptSendTo() {
	say := func(what string) route.ProcessorFunc {
		return func(_ context.Context, ex *route.Exchange) error { fmt.Println(what, ex.Body); return nil }
	}
	payments := route.From("direct:payments").
		Intercept(
			route.InterceptFrom("direct:*").Process(say("taken:")),
			route.InterceptSendTo("direct:bank").Skip().After("direct:test"),
		).
		To("direct:bank")

	running(func(ctx context.Context, engine *route.Engine) {
		fmt.Println(engine.Send(ctx, "direct:payments", 50))
	}, payments, route.From("direct:bank").Process(say("bank:")), route.From("direct:test").Process(say("test:")))

	// Output:
	// taken: 50
	// test: 50
	// <nil>
}
