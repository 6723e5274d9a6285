package jq_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/language/jq"
	"github.com/mehari-go/mehari/language/languagetest"
	"github.com/mehari-go/mehari/route"
)

func ExampleExpr() {
	orders := route.From("direct:orders").
		Choice(
			route.When(jq.Expr(`.amount > 100 and $headers.kind == "gold"`)).
				SetHeader("ids", jq.Expr(`[.items[].id]`)).
				SetBody(jq.Expr(`{total: .amount, first: .items[0].id}`)),
			route.Otherwise().
				SetBody(nil),
		)

	languagetest.Running(func(ctx context.Context, engine *route.Engine) {
		order := `{"amount": 150, "items": [{"id": 7}, {"id": 8}]}`
		for _, kind := range []string{"gold", "silver"} {
			reply, err := engine.Request(ctx, "direct:orders", order, route.WithHeader("kind", kind))
			fmt.Println(reply.Body, reply.Header("ids"), err)
		}
	}, orders)

	// Output:
	// map[first:7 total:150] [7 8] <nil>
	// <nil> <nil> <nil>
}
