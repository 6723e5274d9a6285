package route_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// A seat is held while the exchange is under way, and given back if it fails, whichever step
// that is.
func ExampleExchange_OnDone() {
	hold := func(_ context.Context, ex *route.Exchange) error {
		fmt.Println("seat held")
		ex.OnDone(func(_ context.Context, _ *route.Exchange, err error) error {
			if err != nil {
				fmt.Println("seat given back")
			}
			return nil
		})
		return nil
	}
	seats := route.From("direct:seats").
		Process(hold).
		Filter(func(ex *route.Exchange) bool { return ex.Body == "camel" }).
		Process(func(context.Context, *route.Exchange) error { return errors.New("no camels on board") })

	running(func(ctx context.Context, engine *route.Engine) {
		for _, who := range []string{"driver", "camel"} {
			_ = engine.Send(ctx, "direct:seats", who)
		}
	}, seats)

	// Output:
	// seat held
	// seat held
	// seat given back
}
