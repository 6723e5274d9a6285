package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// Steps that are named together have one name, and make one node of them in the status.
func ExampleRoute_named() {
	where := func(ex *route.Exchange) any { fmt.Println("in", ex.Property("CamelStepId")); return nil }

	orders := route.From("direct:orders").ID("orders").
		Named("check", route.Do().Script(where)).
		Named("pay", route.Do().Script(where).SetBody("paid"))

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
	// step "check" has 1
	// step "pay" has 2
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
