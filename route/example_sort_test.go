package route_test

import (
	"cmp"
	"context"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// The letters are sorted by how old they are, and then by the name of who wrote them.
func ExampleRoute_sort() {
	type letter struct {
		from string
		day  int
	}
	oldest := route.SortBy(func(a, b letter) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.from, b.from))
	})

	post := route.From("direct:post").
		Sort(route.Simple("${body}"), oldest).
		Split(route.Simple("${body}"), route.Do().
			Process(func(_ context.Context, ex *route.Exchange) error {
				fmt.Println(ex.Body)
				return nil
			}),
		)

	running(func(ctx context.Context, engine *route.Engine) {
		if err := engine.Send(ctx, "direct:post", []letter{{"Tom", 2}, {"Ann", 2}, {"Zoe", 1}}); err != nil {
			fmt.Println(err)
		}
	}, post)

	// Output:
	// {Zoe 1}
	// {Ann 2}
	// {Tom 2}
}
