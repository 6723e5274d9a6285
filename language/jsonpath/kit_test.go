package jsonpath_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/route"
)

// message is a scope.
type message struct {
	body       any
	headers    map[string]any
	properties map[string]any
	variables  map[string]any
	exception  error
	asked      []language.Kind
}

func (m *message) Value(kind language.Kind, name string) any {
	m.asked = append(m.asked, kind)
	switch kind {
	case language.Body:
		return m.body
	case language.Header:
		return m.headers[name]
	case language.Headers:
		return m.headers
	case language.Properties:
		return m.properties
	case language.Variables:
		return m.variables
	case language.ExchangeID:
		return "ex-1"
	case language.RouteID:
		return "orders"
	case language.Exception:
		if m.exception != nil {
			return m.exception
		}
	}
	return nil
}

// running runs routes while f does.
func running(f func(context.Context, *route.Engine), routes ...*route.Route) {
	engine, err := route.New(route.Config{Components: route.Components{"direct": direct.New()}}, routes...)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	f(ctx, engine)
	cancel()
	if err := <-done; err != nil {
		fmt.Println(err)
	}
}
