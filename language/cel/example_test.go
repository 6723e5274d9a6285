package cel_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/language/cel"
	"github.com/mehari-go/mehari/language/languagetest"
	"github.com/mehari-go/mehari/route"
)

func ExampleExpr() {
	orders := route.From("direct:orders").
		Choice(
			route.When(cel.Expr(`body.amount > 100 && headers[?'kind'].orValue('') == 'gold'`)).
				SetHeader("ids", cel.Expr(`body.items.map(i, i.id)`)).
				SetBody(cel.Expr(`'gold: ' + string(body.amount)`)),
			route.Otherwise().
				SetBody("not gold"),
		)

	languagetest.Running(func(ctx context.Context, engine *route.Engine) {
		order := `{"amount": 150, "items": [{"id": 7}, {"id": 8}]}`
		reply, err := engine.Request(ctx, "direct:orders", order, route.WithHeader("kind", "gold"))
		fmt.Println(reply.Body, reply.Header("ids"), err)
		reply, err = engine.Request(ctx, "direct:orders", order)
		fmt.Println(reply.Body, err)
	}, orders)

	// Output:
	// gold: 150 [7 8] <nil>
	// not gold <nil>
}
