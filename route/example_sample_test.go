package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// Every third reading goes on. By default it is one in a second.
func ExampleRoute_sample() {
	readings := route.From("direct:readings").
		Sample(route.SampleOptions{Every: 3}).
		Script(func(ex *route.Exchange) any { fmt.Println(ex.Body); return nil })

	running(func(ctx context.Context, engine *route.Engine) {
		for n := range 7 {
			if err := engine.Send(ctx, "direct:readings", n+1); err != nil {
				fmt.Println(err)
			}
		}
	}, readings)

	// Output:
	// 3
	// 6
}
