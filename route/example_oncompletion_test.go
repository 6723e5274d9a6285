package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// What has to happen at the end happens whether an exchange has failed or not.
func ExampleOnCompletion() {
	say := func(what string) route.ProcessorFunc {
		return func(_ context.Context, ex *route.Exchange) error { fmt.Println(what, ex.Body); return nil }
	}
	orders := route.From("direct:orders").
		OnCompletion(
			route.OnCompletion().BeforeConsumer().OnSuccess().Process(say("done:")),
			route.OnCompletion().BeforeConsumer().OnFailure().Process(say("failed:")),
		).
		Validate(route.Where(func(n int) bool { return n > 0 }))

	running(func(ctx context.Context, engine *route.Engine) {
		for _, n := range []int{1, -1} {
			err := engine.Send(ctx, "direct:orders", n)
			fmt.Println(err != nil)
		}
	}, orders)

	// Output:
	// done: 1
	// false
	// failed: -1
	// true
}
