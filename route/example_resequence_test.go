package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// The pages of a letter come in any order and go on by their numbers, five at a time or
// whatever came within a second.
func ExampleRoute_resequence() {
	number := route.NewKey[int]("page")
	last := make(chan bool)
	pages := route.From("direct:pages").
		Resequence(number, route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
			fmt.Println(ex.Body)
			if n, _ := number.Get(ex); n == 5 {
				close(last)
			}
			return nil
		}), route.ResequenceOptions{BatchSize: 5})

	running(func(ctx context.Context, engine *route.Engine) {
		text := []string{"Dear camel,", "the well is dry.", "Come home", "before the wind turns.", "Yours, dromedary"}
		for _, n := range []int{2, 5, 1, 4, 3} {
			if err := engine.Send(ctx, "direct:pages", text[n-1], route.WithHeader("page", n)); err != nil {
				fmt.Println(err)
			}
		}
		<-last
	}, pages)

	// Output:
	// Dear camel,
	// the well is dry.
	// Come home
	// before the wind turns.
	// Yours, dromedary
}
