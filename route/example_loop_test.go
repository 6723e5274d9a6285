package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// A loop runs its steps a number of times, or as long as something holds.
func ExampleRoute_loop() {
	double := func(_ context.Context, n int) (int, error) { return 2 * n, nil }
	show := func(ex *route.Exchange) any {
		i, _ := route.LoopIndex.Get(ex)
		fmt.Println("turn", i, "has", ex.Body)
		return nil
	}
	small := func(n int) bool { return n < 20 }

	numbers := route.From("direct:numbers").
		Loop(2, route.Do().Process(route.Map(double)).Script(show)).
		LoopWhile(route.Where(small), route.Do().Process(route.Map(double))).
		Script(func(ex *route.Exchange) any { fmt.Println("finally", ex.Body); return nil }).
		// Copies begin as the exchange came to the loop.
		Loop(2, route.Do().Process(route.Map(double)).Script(show), route.LoopOptions{Copy: true})

	running(func(ctx context.Context, engine *route.Engine) {
		if err := engine.Send(ctx, "direct:numbers", 3); err != nil {
			fmt.Println(err)
		}
	}, numbers)

	// Output:
	// turn 0 has 6
	// turn 1 has 12
	// finally 24
	// turn 0 has 48
	// turn 1 has 48
}
