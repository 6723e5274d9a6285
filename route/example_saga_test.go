package route_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// The flight is booked in one route, the hotel in another. There is no room, so the flight is
// cancelled; nothing has to be undone for the hotel, but that is not known.
func ExampleRoute_saga() {
	trips := route.From("direct:trips").
		Saga(route.Do().
			To("direct:flight").
			To("direct:hotel"))
	flight := route.From("direct:flight").
		Saga(route.Do().Process(prints("flight booked")), route.SagaOptions{
			Compensation: "direct:cancel",
			Options:      map[string]route.Expr{"what": "flight"},
		})
	hotel := route.From("direct:hotel").
		Saga(route.Do().
			Process(func(context.Context, *route.Exchange) error { return errors.New("no room") }),
			route.SagaOptions{
				Compensation: "direct:cancel",
				Options:      map[string]route.Expr{"what": "hotel"},
			})
	cancel := route.From("direct:cancel").
		Process(func(_ context.Context, ex *route.Exchange) error {
			fmt.Println("cancel", ex.Header("what"))
			return nil
		})

	running(func(ctx context.Context, engine *route.Engine) {
		if err := engine.Send(ctx, "direct:trips", "Timbuktu"); err != nil {
			fmt.Println("no trip")
		}
	}, trips, flight, hotel, cancel)

	// Output:
	// flight booked
	// cancel hotel
	// cancel flight
	// no trip
}

func prints(text string) route.ProcessorFunc {
	return func(context.Context, *route.Exchange) error { fmt.Println(text); return nil }
}
