package route_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// What is not valid ends its way with an error that says what was wanted.
func ExampleRoute_validate() {
	orders := route.From("direct:orders").
		Validate(route.Simple("${header.amount} > 0")).
		Filter(route.Simple("${header.amount} > 1000"),
			route.Do().ThrowText("${header.amount} is more than anybody has")).
		SetBody("accepted")

	running(func(ctx context.Context, engine *route.Engine) {
		for _, amount := range []int{5, 0, 5000} {
			err := engine.Send(ctx, "direct:orders", nil, route.WithHeader("amount", amount))
			step, _ := errors.AsType[*route.StepError](err)
			invalid, ok := errors.AsType[*route.ValidationError](err)
			switch {
			case err == nil:
				fmt.Println(amount, "is fine")
			case ok:
				fmt.Println(amount, "is refused: want", invalid.Condition)
			default:
				fmt.Println(amount, "is refused:", step.Err)
			}
		}
	}, orders)

	// Output:
	// 5 is fine
	// 0 is refused: want simple "${header.amount} > 0"
	// 5000 is refused: 5000 is more than anybody has
}
