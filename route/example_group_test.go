package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// Groups give steps a name, and make one node of them in the status.
func ExampleRoute_group() {
	where := func(ex *route.Exchange) any { fmt.Println("in", ex.Property("CamelStepId")); return nil }

	orders := route.From("direct:orders").ID("orders").
		Group("check", route.Do().Script(where)).
		Group("pay", route.Do().Script(where).SetBody("paid"))

	running(func(ctx context.Context, engine *route.Engine) {
		if err := engine.Send(ctx, "direct:orders", nil); err != nil {
			fmt.Println(err)
		}
		status, _ := engine.Status().Route("orders")
		for _, step := range status.Steps {
			fmt.Println(step.Step, "has", len(step.Steps))
		}
	}, orders)

	// Output:
	// in check
	// in pay
	// group "check" has 1
	// group "pay" has 2
}

// Blocks that are used in several places can be put together. A filter in one of them ends
// that block only.
func ExampleRoute_pipeline() {
	clean := route.Do().SetBody(route.Simple("${trim(${body})}"))
	greet := route.Do().Filter(route.Simple("${body} != ''")).SetBody(route.Simple("hello ${body}"))
	show := route.Do().Script(func(ex *route.Exchange) any { fmt.Printf("%q\n", ex.Body); return nil })

	running(func(ctx context.Context, engine *route.Engine) {
		for _, name := range []string{"  Ada ", "   "} {
			if err := engine.Send(ctx, "direct:names", name); err != nil {
				fmt.Println(err)
			}
		}
	}, route.From("direct:names").Pipeline(clean, greet, show))

	// Output:
	// "hello Ada"
	// ""
}
