package route_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/mehari-go/mehari/route"
)

// A file is read line by line, four of them are worked on at the same time, and their
// sums are added up.
func ExampleLines() {
	type sum = map[string]int
	count := func(_ context.Context, line string) (sum, error) {
		of := sum{}
		for word := range strings.FieldsSeq(line) {
			of[word]++
		}
		return of, nil
	}
	add := route.Fold(func(_ context.Context, all, of sum) (sum, error) {
		if all == nil {
			return of, nil
		}
		for word, n := range of {
			all[word] += n
		}
		return all, nil
	})

	words := route.From("direct:words").
		Split(route.Lines(route.TokenOptions{Skip: 1}), route.Do().Process(route.Map(count)),
			route.SplitOptions{FanOut: route.FanOut{Parallel: 4, Merge: add}}).
		Process(func(_ context.Context, ex *route.Exchange) error {
			fmt.Println(ex.Body)
			return nil
		})

	running(func(ctx context.Context, engine *route.Engine) {
		file := strings.NewReader("a head line\nsea salt\nsea water\nsalt water\n")
		if err := engine.Send(ctx, "direct:words", file); err != nil {
			fmt.Println(err)
		}
	}, words)

	// Output:
	// map[salt:2 sea:2 water:2]
}
