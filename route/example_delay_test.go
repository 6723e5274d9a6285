package route_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/route"
)

// The time may be in the message. By default the worker of a queue takes the next message
// meanwhile; a blocking delay keeps the order of messages.
func ExampleRoute_delay() {
	calls := route.From("direct:calls").
		Delay(route.Simple("${header.wait}"), route.DelayOptions{Blocking: true})

	running(func(ctx context.Context, engine *route.Engine) {
		begun := time.Now()
		err := engine.Send(ctx, "direct:calls", nil, route.WithHeader("wait", "20ms"))
		fmt.Println(time.Since(begun) >= 20*time.Millisecond, err)
	}, calls)

	// Output:
	// true <nil>
}
