package route_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// A payment that was made is not made again. One that failed may come again.
func ExampleRoute_idempotentConsumer() {
	down := true
	payments := route.From("direct:payments").
		IdempotentConsumer(route.Simple("${header.payment}"), new(route.IdempotentMemory), route.Do().
			Process(func(_ context.Context, ex *route.Exchange) error {
				if down {
					return errors.New("the bank is down")
				}
				fmt.Println("paid", ex.Body)
				return nil
			}),
		)

	running(func(ctx context.Context, engine *route.Engine) {
		for range 3 {
			err := engine.Send(ctx, "direct:payments", "12 €", route.WithHeader("payment", "p-1"))
			fmt.Println("failed:", err != nil)
			down = false
		}
	}, payments)

	// Output:
	// failed: true
	// paid 12 €
	// failed: false
	// failed: false
}
