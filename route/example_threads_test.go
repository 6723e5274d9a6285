package route_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/route"
)

// The sender goes on at once; no more than two mails are sent at a time, and all of them
// before the engine stops.
func ExampleRoute_threads() {
	sent := make(chan string, 3)
	mails := route.From("direct:mails").
		Threads(route.Do().Delay(time.Millisecond).Process(func(_ context.Context, ex *route.Exchange) error {
			sent <- ex.Body.(string)
			return nil
		}), route.ThreadsOptions{Size: 2, Rejected: route.ThreadsAbort})

	running(func(ctx context.Context, engine *route.Engine) {
		for _, to := range []string{"ada", "bob", "eve"} {
			if err := engine.Send(ctx, "direct:mails", to); err != nil {
				fmt.Println(err)
			}
		}
	}, mails)
	fmt.Println(len(sent), "mails")

	// Output:
	// 3 mails
}
