package gotemplate_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/language/gotemplate"
	"github.com/mehari-go/mehari/language/languagetest"
	"github.com/mehari-go/mehari/route"
)

func ExampleExpr() {
	type Order struct {
		Customer string
		Items    []string
	}
	letters := route.From("direct:letters").
		SetBody(gotemplate.Expr(`{{if eq (.Header "kind") "gold"}}Dear{{else}}Hello{{end}} {{.Body.Customer}},
{{range .Body.Items}}- {{.}}
{{end}}are on their way.`))

	languagetest.Running(func(ctx context.Context, engine *route.Engine) {
		order := Order{"Ada", []string{"ink", "paper"}}
		reply, err := engine.Request(ctx, "direct:letters", order, route.WithHeader("Kind", "gold"))
		fmt.Println(reply.Body, err)
	}, letters)

	// Output:
	// Dear Ada,
	// - ink
	// - paper
	// are on their way. <nil>
}
