package route_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// When the shop has failed too often, it is left in peace for a minute.
func ExampleRoute_circuitBreaker() {
	calls := 0
	shop := func(context.Context, *route.Exchange) error { calls++; return errors.New("shop is closed") }

	prices := route.From("direct:prices").
		CircuitBreaker(
			route.Do().Process(shop),
			route.Do().SetBody(route.Simple("yesterday's price, for ${exception.message}")),
			route.CircuitBreakerOptions{Config: route.BreakerConfig{SlidingWindowSize: 2}},
		)

	running(func(ctx context.Context, engine *route.Engine) {
		for range 4 {
			reply, err := engine.Request(ctx, "direct:prices", "camel")
			if err != nil {
				fmt.Println(err)
				return
			}
			state, _ := route.CircuitState.Get(reply)
			refused, _ := route.CircuitShortCircuited.Get(reply)
			fmt.Printf("%.17s… %s %t\n", reply.Body, state, refused)
		}
		fmt.Println(calls, "calls")
	}, prices)

	// Output:
	// yesterday's price… CLOSED false
	// yesterday's price… OPEN false
	// yesterday's price… OPEN true
	// yesterday's price… OPEN true
	// 2 calls
}
