package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/dataformat/json"
	"github.com/mehari-go/mehari/route"
)

// Text becomes a value of a type of one's own, and that text again.
func ExampleUnmarshal() {
	type Order struct {
		Item  string `json:"item"`
		Count int    `json:"count"`
	}
	double := func(_ context.Context, o Order) (Order, error) {
		o.Count *= 2
		return o, nil
	}

	orders := route.From("direct:orders").ID("orders").
		Step(route.Unmarshal[Order](json.Format{})).
		Process(route.Map(double)).
		Marshal(json.Format{})

	running(func(ctx context.Context, engine *route.Engine) {
		for _, body := range []string{`{"item": "tea", "count": 2}`, `{"item": "tea", "count": "two"}`} {
			reply, err := engine.Request(ctx, "direct:orders", body)
			if err != nil {
				fmt.Println(err.(*route.StepError).Err)
				continue
			}
			fmt.Printf("%s\n", reply.Body)
		}
	}, orders)

	// Output:
	// {"item":"tea","count":4}
	// json: cannot unmarshal string into Go struct field Order.count of type int
}
