package route_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Tenant is a header with a type.
var Tenant = route.NewKey[string]("tenant")

// Each tenant may have two requests in an hour. Without Reject a third one would wait.
func ExampleRoute_throttle() {
	requests := route.From("direct:requests").
		Throttle(2, route.ThrottleOptions{Per: time.Hour, By: Tenant, Reject: true})

	running(func(ctx context.Context, engine *route.Engine) {
		for _, tenant := range []string{"a", "a", "a", "b"} {
			err := engine.Send(ctx, "direct:requests", nil, route.WithHeader(Tenant.Name(), tenant))
			if throttled, ok := errors.AsType[*route.ThrottledError](err); ok {
				fmt.Println(throttled, "- come again in", throttled.After.Round(time.Hour))
			} else {
				fmt.Println(tenant, "is served", err)
			}
		}
	}, requests)

	// Output:
	// a is served <nil>
	// a is served <nil>
	// throttled: no more than 2 in 1h0m0s with key "a" - come again in 1h0m0s
	// b is served <nil>
}
