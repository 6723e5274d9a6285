package route_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// A DeclinedError is what the bank says.
type DeclinedError struct{ Reason string }

func (e *DeclinedError) Error() string { return "declined: " + e.Reason }

// An error is caught by its type, also where it is wrapped. What no Catch matches goes
// back to who sent the message, with the place in the source.
func ExampleRoute_try() {
	charge := func(_ context.Context, card string) (string, error) {
		switch card {
		case "expired":
			return "", fmt.Errorf("bank: %w", &DeclinedError{"card expired"})
		case "":
			return "", errors.New("no card")
		}
		return "receipt", nil
	}
	say := func(text string) route.ProcessorFunc {
		return func(context.Context, *route.Exchange) error { fmt.Println(text); return nil }
	}

	payment := route.From("direct:pay").ID("payment").
		Try(
			route.Do().
				Process(route.Map(charge)),
			route.Catch[*DeclinedError]().
				SetBody(route.Simple("sorry: ${exception.message}")),
			route.Finally().
				Process(say("till closed")),
		).
		SetBody(route.Simple("${body}!"))

	running(func(ctx context.Context, engine *route.Engine) {
		for _, card := range []string{"visa", "expired", ""} {
			reply, err := engine.Request(ctx, "direct:pay", card)
			if step, ok := errors.AsType[*route.StepError](err); ok {
				fmt.Printf("route %s, step %s: %v\n", step.Route, step.Step, step.Err)
				continue
			}
			fmt.Println(reply.Body)
		}
	}, payment)

	// Output:
	// till closed
	// receipt!
	// till closed
	// sorry: bank: declined: card expired!
	// till closed
	// route payment, step process: no card
}
