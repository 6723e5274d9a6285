// Package languagetest tests languages of expressions: a message that tells what it was
// asked for, and an engine for examples.
package languagetest

import (
	"context"
	"fmt"
	"os"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/route"
)

// A Message is a [language.Scope]. Its exchange has the id "ex-1", and is in the route
// "orders".
type Message struct {
	Body       any
	Headers    map[string]any // names have to be asked for as they are written here
	Properties map[string]any
	Variables  map[string]any
	Exception  error

	// Asked is what Value was asked for, in order.
	Asked []language.Kind
}

// Value returns what there is, and remembers the question.
func (m *Message) Value(kind language.Kind, name string) any {
	m.Asked = append(m.Asked, kind)
	switch kind {
	case language.Body:
		return m.Body
	case language.Header:
		return m.Headers[name]
	case language.Headers:
		return m.Headers
	case language.Property:
		return m.Properties[name]
	case language.Properties:
		return m.Properties
	case language.Variable:
		return m.Variables[name]
	case language.Variables:
		return m.Variables
	case language.ExchangeID:
		return "ex-1"
	case language.RouteID:
		return "orders"
	case language.Exception:
		if m.Exception != nil {
			return m.Exception
		}
	}
	return nil
}

// Running runs routes while f does, with the component direct. It is for examples, whose
// output is what is looked at: errors are printed.
func Running(f func(context.Context, *route.Engine), routes ...*route.Route) {
	engine, err := route.New(route.Config{Components: route.Components{"direct": direct.New()}}, routes...)
	if err != nil {
		fmt.Fprintln(os.Stdout, err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	f(ctx, engine)
	cancel()
	if err := <-done; err != nil {
		fmt.Fprintln(os.Stdout, err)
	}
}
