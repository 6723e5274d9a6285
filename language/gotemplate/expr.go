// Package gotemplate is the language of [text/template] for the steps of routes:
//
//	route.SetBody(gotemplate.Expr(`Dear {{.Body.Name}}, your order {{.Header "id"}} is on its way.`))
//
// It is compiled when the route is built. The result is text. As a condition, the text
// has to be true or false, as route.Cond tells.
//
// What the template sees costs nothing where it is not named:
//
//	.Body             the body as it is, with its fields and methods; bytes and streams are text, nil is ""
//	.JSON             the body read as JSON: {{.JSON.customer.name}}
//	.Header "kind"    the header of that name, in upper or lower case; "" if there is none
//	.Property "x"     the same of properties
//	.Variable "x"     the same of variables
//	.Headers          all headers, a map; names are as they were set
//	.Properties       all properties of the exchange
//	.Variables        all variables of the exchange
//	.Exception        the error that the exchange met, or nil: {{with .Exception}}{{.}}{{end}}
//	.ExchangeID       the id of the exchange
//	.RouteID          the id of the route
//
// For .JSON, text (a string, []byte, *bytes.Buffer or an [io.ReadSeeker], which is wound
// back) is parsed, and other values are what [encoding/json] makes of them, for each use
// anew: {{with .JSON}} reads it once. JSON may be nested 1000 levels deep. A stream that
// can be read only once is an error.
//
// To the functions of text/template comes json, which writes a value as JSON. A key that
// a map does not have is an error, also under {{if .Headers.kind}}: ask
// {{if .Header "kind"}}.
//
// A template cannot change the exchange, but the methods of a body are called if it
// names them: do not name those that change it. Templates are written by authors of
// routes, never by senders of messages. A result is at most 64 MiB long. Writing ends
// with the context of the exchange.
package gotemplate

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"text/template"

	"github.com/mehari-go/mehari/language"
)

const maxResult = 64 << 20

// A Source is a template as it was written. See [Expr].
type Source struct{ text string }

var _ language.Source = Source{}

// Expr returns an expression for the steps that take a route.Expr or a route.Cond.
func Expr(text string) Source { return Source{text} }

// String implements [language.Source].
func (s Source) String() string { return fmt.Sprintf("gotemplate %q", s.text) }

// Compile implements [language.Source].
func (s Source) Compile() (language.Expression, error) {
	t, err := template.New("line").
		Option("missingkey=error").
		Funcs(template.FuncMap{"json": marshal}).
		Parse(s.text)
	if err != nil {
		return nil, plain(err)
	}
	return &expression{template: t}, nil
}

func marshal(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

// plain leaves out what the engine tells before: the kind of language.
func plain(err error) error {
	return &templateError{strings.TrimPrefix(err.Error(), "template: "), err}
}

type templateError struct {
	text string
	err  error
}

func (e *templateError) Error() string { return e.text }
func (e *templateError) Unwrap() error { return e.err }

type expression struct {
	template *template.Template
	writers  sync.Pool
}

// Eval implements [language.Expression].
func (e *expression) Eval(ctx context.Context, s language.Scope) (any, error) {
	w, ok := e.writers.Get().(*writer)
	if !ok {
		w = new(writer)
	}
	w.ctx = ctx
	err := e.template.Execute(w, message{s})
	text := string(w.text)
	if w.ctx, w.text = nil, w.text[:0]; cap(w.text) <= 64<<10 {
		e.writers.Put(w)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, plain(err)
	}
	return text, nil
}

// A writer gathers the result.
type writer struct {
	ctx  context.Context
	text []byte
}

var errLong = fmt.Errorf("the result is longer than %d bytes", maxResult)

func (w *writer) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	if len(w.text)+len(b) > maxResult {
		return 0, errLong
	}
	w.text = append(w.text, b...)
	return len(b), nil
}
