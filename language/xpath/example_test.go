package xpath_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/language/languagetest"
	"github.com/mehari-go/mehari/language/xpath"
	"github.com/mehari-go/mehari/route"
)

func ExampleExpr() {
	orders := route.From("direct:orders").
		Filter(xpath.Expr(`/order[@kind='gold']`)).
		SetHeader("id", xpath.Expr(`/order/@id`)).
		Split(xpath.Expr(`//item`).Nodes(), route.Do().
			Process(func(_ context.Context, ex *route.Exchange) error {
				fmt.Println(ex.Header("id"), ex.Body)
				return nil
			}))

	languagetest.Running(func(ctx context.Context, engine *route.Engine) {
		order := `<order id="7" kind="gold"><item><name>Ink</name></item><item>Pen</item></order>`
		fmt.Println(engine.Send(ctx, "direct:orders", order))
	}, orders)

	// Output:
	// 7 <item><name>Ink</name></item>
	// 7 <item>Pen</item>
	// <nil>
}
