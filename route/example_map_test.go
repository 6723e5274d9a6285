package route_test

import (
	"context"
	"fmt"
	"strconv"

	"github.com/mehari-go/mehari/route"
)

// Map makes a step of a typed function: the body goes in, the result becomes the body.
func ExampleMap() {
	parse := func(_ context.Context, text string) (int, error) { return strconv.Atoi(text) }
	double := func(_ context.Context, n int) (int, error) { return 2 * n, nil }

	numbers := route.From("direct:numbers").ID("numbers").
		Process(route.Map(parse)).
		Process(route.Map(double))

	running(func(ctx context.Context, engine *route.Engine) {
		for _, body := range []any{"21", 21} {
			reply, err := engine.Request(ctx, "direct:numbers", body)
			if err != nil {
				fmt.Println(err.(*route.StepError).Err)
				continue
			}
			fmt.Printf("%v is %T\n", reply.Body, reply.Body)
		}
	}, numbers)

	// Output:
	// 42 is int
	// body is int, want string
}
