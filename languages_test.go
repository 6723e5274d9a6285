package mehari_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/language/cel"
	"github.com/mehari-go/mehari/language/gotemplate"
	"github.com/mehari-go/mehari/language/jq"
	"github.com/mehari-go/mehari/language/jsonpath"
	"github.com/mehari-go/mehari/language/xpath"
	"github.com/mehari-go/mehari/route"
)

// What docs/languages.md shows gives the answer it says.
func TestLanguages(t *testing.T) {
	languages := map[string]func(string) language.Source{
		"jq":         func(text string) language.Source { return jq.Expr(text) },
		"cel":        func(text string) language.Source { return cel.Expr(text) },
		"jsonpath":   func(text string) language.Source { return jsonpath.Expr(text) },
		"xpath":      func(text string) language.Source { return xpath.Expr(text) },
		"gotemplate": func(text string) language.Source { return gotemplate.Expr(text) },
	}
	page := content(t, "docs/languages.md")
	rows := regexp.MustCompile("(?m)^\\| `(\\w+)\\.Expr` \\| `(.+?)`").FindAllStringSubmatch(page, -1)
	if len(rows) != len(languages) {
		t.Fatalf("docs/languages.md asks in %d languages, want %d", len(rows), len(languages))
	}
	for _, row := range rows {
		bodies := []string{`{"amount": 150, "kind": "gold"}`, `{"amount": 15, "kind": "gold"}`}
		if row[1] == "xpath" {
			bodies = []string{`<order kind="gold"><amount>150</amount></order>`, `<order kind="gold"><amount>15</amount></order>`}
		}
		engine, err := route.New(route.Config{Components: route.Components{"direct": direct.New()}},
			route.From("direct:orders").Choice(
				route.When(languages[row[1]](row[2])).SetBody(true),
				route.Otherwise().SetBody(false)))
		if err != nil {
			t.Errorf("%s: %v", row[0], err)
			continue
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- engine.Run(ctx) }()
		for i, body := range bodies {
			reply, err := engine.Request(ctx, "direct:orders", body, route.WithHeader("kind", "gold"))
			if err != nil || reply.Body != (i == 0) {
				t.Errorf("%s of %s: %v, %v", row[2], body, reply.Body, err)
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	for name := range languages {
		if !strings.Contains(page, "`"+name+".Expr(") {
			t.Errorf("docs/languages.md does not show %s", name)
		}
	}
}
