package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// The offers of two shops are asked for at the same time; the better one goes on.
func ExampleRoute_multicast() {
	better := func(_ context.Context, best, next *route.Exchange) error {
		if price, ok := best.Body.(int); !ok || next.Body.(int) < price {
			best.Body = next.Body
		}
		return nil
	}
	price := func(of map[string]int) *route.Block {
		return route.Do().SetBody(func(ex *route.Exchange) any {
			fmt.Println("asking for", ex.Body)
			return of[ex.Body.(string)]
		})
	}

	lookup := route.From("direct:lookup").
		MulticastWith(route.FanOut{Parallel: 2, Merge: better},
			price(map[string]int{"tea": 3, "salt": 2}),
			price(map[string]int{"tea": 4, "salt": 1}),
		).
		Process(func(_ context.Context, ex *route.Exchange) error {
			fmt.Println("the best offer is", ex.Body)
			return nil
		})

	running(func(ctx context.Context, engine *route.Engine) {
		for _, what := range []string{"tea", "salt"} {
			if err := engine.Send(ctx, "direct:lookup", what); err != nil {
				fmt.Println(err)
			}
		}
	}, lookup)

	// Output:
	// asking for tea
	// asking for tea
	// the best offer is 3
	// asking for salt
	// asking for salt
	// the best offer is 1
}
