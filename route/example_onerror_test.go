package route_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/route"
)

var errOverloaded = errors.New("overloaded")

// A step that fails is run again, and in the end its error is answered.
func ExampleOnError() {
	calls := 0
	charge := func(_ context.Context, amount int) (string, error) {
		if calls++; amount > 100 {
			return "", &declinedError{"limit"}
		}
		if calls < 3 {
			return "", errOverloaded
		}
		return "charged", nil
	}

	payments := route.From("direct:payments").
		OnError(
			route.OnErrorIs(errOverloaded).Redeliver(route.Redelivery{Maximum: 5, Delay: time.Millisecond}),
			route.OnError[*declinedError]().Handled().SetBody(route.Simple("sorry: ${exception.message}")),
		).
		Process(route.Map(charge))

	running(func(ctx context.Context, engine *route.Engine) {
		for _, amount := range []int{50, 500} {
			reply, err := engine.Request(ctx, "direct:payments", amount)
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(reply.Body)
		}
		fmt.Println(calls, "calls")
	}, payments)

	// Output:
	// charged
	// sorry: declined: limit
	// 4 calls
}

type declinedError struct{ reason string }

func (d *declinedError) Error() string { return "declined: " + d.reason }

// What fails goes to a dead letter endpoint, as it came to the route, and is done with.
func ExampleErrorHandler() {
	orders := route.From("direct:orders").
		ErrorHandler(route.ErrorHandler{
			DeadLetter:         "direct:dead",
			Redelivery:         route.Redelivery{Maximum: 2, Delay: time.Millisecond, Exponential: true},
			UseOriginalMessage: true,
		}).
		Transform(route.Simple("changed ${body}")).
		Throw(errOverloaded)
	dead := route.From("direct:dead").Process(func(_ context.Context, ex *route.Exchange) error {
		err, _ := route.Caught.Get(ex)
		failed, _ := errors.AsType[*route.StepError](err)
		fmt.Printf("%v: %v after %d attempts\n", ex.Body, failed.Err, failed.Attempts)
		return nil
	})

	running(func(ctx context.Context, engine *route.Engine) {
		fmt.Println(engine.Send(ctx, "direct:orders", "order 7"))
	}, orders, dead)

	// Output:
	// order 7: overloaded after 3 attempts
	// <nil>
}
