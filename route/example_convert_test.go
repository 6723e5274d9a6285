package route_test

import (
	"context"
	"fmt"
	"reflect"

	"github.com/mehari-go/mehari/route"
)

// Text becomes a number, if it is one that the type holds.
func ExampleRoute_convertBodyTo() {
	counts := route.From("direct:counts").
		ConvertBodyTo(reflect.TypeFor[int8]())

	running(func(ctx context.Context, engine *route.Engine) {
		for _, body := range []any{"42", 42.0, "300", "many"} {
			reply, err := engine.Request(ctx, "direct:counts", body)
			if err != nil {
				fmt.Println(err.(*route.StepError).Err)
				continue
			}
			fmt.Printf("%v is %T\n", reply.Body, reply.Body)
		}
	}, counts)

	// Output:
	// 42 is int8
	// 42 is int8
	// cannot convert string "300" to int8: it is out of range
	// cannot convert string "many" to int8: want a whole number in decimal digits
}
