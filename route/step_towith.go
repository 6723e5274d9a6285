package route

import (
	"context"
	"fmt"
)

// ToOptions are for [Route.ToWith]. Variables are named as in [Exchange.Variable].
type ToOptions struct {
	// VariableSend is the variable that is sent instead of the body; "" means the body.
	VariableSend string

	// VariableReceive is the variable that gets the body that the endpoint leaves. The
	// exchange keeps its own body and headers then. "" means that what the endpoint
	// makes of the exchange goes on.
	VariableReceive string
}

// ToWith is [Route.To] with options.
func (c *chain[Self]) ToWith(o ToOptions, u URI) Self { return c.add(toWithStep{o, u}) }

type toWithStep struct {
	o   ToOptions
	uri URI
}

func (s toWithStep) String() string { return fmt.Sprintf("to %q", s.uri) }

func (s toWithStep) Build(b *Builder) Processor {
	return &toWith{b.Producer(s.uri), variable(s.o.VariableSend), variable(s.o.VariableReceive)}
}

// variable returns the key of a variable, nil for none.
func variable(name string) *key {
	if name == "" {
		return nil
	}
	return &key{name: named(name), store: inVariables, other: shared(name)}
}

type toWith struct {
	Processor
	send, receive *key
}

func (t *toWith) Process(ctx context.Context, ex *Exchange) error {
	body := ex.Body
	if t.send != nil {
		ex.Body = t.send.value(ex)
	}
	if t.receive == nil {
		return t.Processor.Process(ctx, ex)
	}
	var headers fields
	headers.copyFrom(&ex.headers)
	err := t.Processor.Process(ctx, ex)
	received := ex.Body
	ex.Body = body
	ex.headers.reset()
	ex.headers.copyFrom(&headers)
	if err == nil {
		t.receive.set(ex, received)
	}
	return err
}
