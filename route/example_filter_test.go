package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// Without a block a filter guards what follows; with one, the block only. Stop ends the
// exchange's way, wherever it stands.
func ExampleRoute_filter() {
	say := func(what string) route.ProcessorFunc {
		return func(_ context.Context, ex *route.Exchange) error { fmt.Println(what, ex.Body); return nil }
	}
	numbers := route.From("direct:numbers").
		Filter(route.Where(func(n int) bool { return n > 0 })).
		Filter(route.Simple("${body} > 100"), route.Do().Process(say("too many:")).Stop()).
		Process(say("fine:"))

	running(func(ctx context.Context, engine *route.Engine) {
		for _, n := range []int{-1, 7, 700} {
			if err := engine.Send(ctx, "direct:numbers", n); err != nil {
				fmt.Println(err)
			}
		}
	}, numbers)

	// Output:
	// fine: 7
	// too many: 700
}
