package route_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/mehari-go/mehari/dataformat/csv"
	"github.com/mehari-go/mehari/route"
)

// A long table is read row by row, as the parts of a split.
func ExampleUnmarshal_rows() {
	orders := route.From("direct:orders").
		Step(route.Unmarshal[iter.Seq2[any, error]](csv.Format{})).
		Split(func(ex *route.Exchange) any { return ex.Body }, route.Do().
			Process(func(_ context.Context, ex *route.Exchange) error {
				row := ex.Body.(map[string]string)
				fmt.Println(row["count"], row["item"])
				return nil
			}),
		)

	running(func(ctx context.Context, engine *route.Engine) {
		var file io.Reader = strings.NewReader("item,count\ntea,2\ncup,1\n")
		if err := engine.Send(ctx, "direct:orders", file); err != nil {
			fmt.Println(err)
		}
	}, orders)

	// Output:
	// 2 tea
	// 1 cup
}
