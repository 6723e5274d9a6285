package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// The message itself says where it has to go, in this order.
func ExampleRoute_routingSlip() {
	customs := route.From("direct:customs").
		RoutingSlip(route.NewKey[string]("stamps"), route.SlipOptions{AllowedSchemes: []string{"direct"}}).
		Transform(route.Simple("${body}, done"))
	weigh := route.From("direct:weigh").Transform(route.Simple("${body}, weighed"))
	seal := route.From("direct:seal").Transform(route.Simple("${body}, sealed"))

	running(func(ctx context.Context, engine *route.Engine) {
		for _, stamps := range []string{"direct:weigh, direct:seal", "direct:seal", "file:/etc"} {
			reply, err := engine.Request(ctx, "direct:customs", "box", route.WithHeader("stamps", stamps))
			if err != nil {
				fmt.Println("refused")
				continue
			}
			fmt.Println(reply.Body)
		}
	}, customs, weigh, seal)

	// Output:
	// box, weighed, sealed, done
	// box, sealed, done
	// refused
}

// After each hop the router looks at what has become of the message.
func ExampleRoute_dynamicRouter() {
	next := func(ex *route.Exchange) any {
		switch n := ex.Body.(int); {
		case n == 1:
			return nil
		case n%2 == 0:
			return "direct:halve"
		default:
			return "direct:triple"
		}
	}
	step := func(f func(int) int) route.ProcessorFunc {
		return route.Map(func(_ context.Context, n int) (int, error) {
			fmt.Print(n, " ")
			return f(n), nil
		})
	}

	collatz := route.From("direct:collatz").DynamicRouter(next, route.SlipOptions{MaxHops: 100})
	halve := route.From("direct:halve").Process(step(func(n int) int { return n / 2 }))
	triple := route.From("direct:triple").Process(step(func(n int) int { return 3*n + 1 }))

	running(func(ctx context.Context, engine *route.Engine) {
		reply, err := engine.Request(ctx, "direct:collatz", 6)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(reply.Body)
	}, collatz, halve, triple)

	// Output:
	// 6 3 10 5 16 8 4 2 1
}
