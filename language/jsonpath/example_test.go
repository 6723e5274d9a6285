package jsonpath_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/language/jsonpath"
	"github.com/mehari-go/mehari/language/languagetest"
	"github.com/mehari-go/mehari/route"
)

func ExampleExpr() {
	orders := route.From("direct:orders").
		Filter(jsonpath.Expr(`$.items[?@.price > 100]`)).
		SetHeader("customer", jsonpath.Expr(`$.customer.name`)).
		SetBody(jsonpath.Expr(`$.items[?@.price > 100].name`))

	languagetest.Running(func(ctx context.Context, engine *route.Engine) {
		order := `{"customer": {"name": "Ada"}, "items": [{"name": "ink", "price": 3}, {"name": "desk", "price": 250}]}`
		reply, err := engine.Request(ctx, "direct:orders", order)
		fmt.Println(reply.Header("customer"), reply.Body, err)
	}, orders)

	// Output:
	// Ada [desk] <nil>
}
