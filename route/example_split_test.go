package route_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/mehari-go/mehari/route"
)

// Each part goes its own way. One that fails does not keep the others from it.
func ExampleRoute_split() {
	lines := func(ex *route.Exchange) any { return strings.Split(ex.Body.(string), "\n") }

	letter := route.From("direct:letter").
		Split(lines, route.Do().
			Filter(func(ex *route.Exchange) bool { return ex.Body != "" }).
			Process(func(_ context.Context, ex *route.Exchange) error {
				i, _ := route.SplitIndex.Get(ex)
				n, _ := route.SplitSize.Get(ex)
				fmt.Printf("%d of %d: %s\n", i+1, n, ex.Body)
				return nil
			}),
		)

	running(func(ctx context.Context, engine *route.Engine) {
		if err := engine.Send(ctx, "direct:letter", "Dear camel,\n\nhow are you?"); err != nil {
			fmt.Println(err)
		}
	}, letter)

	// Output:
	// 1 of 3: Dear camel,
	// 3 of 3: how are you?
}
