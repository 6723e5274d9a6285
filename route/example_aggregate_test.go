package route_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/route"
)

// The lines of each order are gathered until there are three of them, or one says that it
// is the last. What comes behind the step goes on with each line by itself.
func ExampleRoute_aggregate() {
	type line struct {
		Order, Item string
		Last        bool
	}
	order := route.Func(func(_ context.Context, l line) (string, error) { return l.Order, nil })
	items := route.Fold(func(_ context.Context, items []string, l line) ([]string, error) {
		return append(items, l.Item), nil
	})

	lines := route.From("direct:lines").
		Aggregate(order, items, route.Do().
			Process(func(_ context.Context, ex *route.Exchange) error {
				key, _ := route.AggregatedKey.Get(ex)
				by, _ := route.AggregatedCompletedBy.Get(ex)
				fmt.Println(key, ex.Body, "by", by)
				return nil
			}),
			route.AggregateOptions{
				Size:       3,
				When:       route.Where(func(l line) bool { return l.Last }),
				EagerCheck: true, // When looks at the line that comes, not at the items so far
				Timeout:    time.Minute,
			},
		)

	running(func(ctx context.Context, engine *route.Engine) {
		for _, l := range []line{
			{"order-1", "tent", false},
			{"order-2", "rope", false},
			{"order-1", "saddle", true},
			{"order-2", "dates", false},
			{"order-2", "water", false},
		} {
			if err := engine.Send(ctx, "direct:lines", l); err != nil {
				fmt.Println(err)
			}
		}
	}, lines)

	// Output:
	// order-1 [tent saddle] by predicate
	// order-2 [rope dates water] by size
}
