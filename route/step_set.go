package route

import (
	"context"
	"fmt"
	"strings"
)

// The steps that change the body, headers and properties.

type setBodyStep struct {
	name string
	e    Expr
}

func (s setBodyStep) String() string { return s.name }

func (s setBodyStep) Build(b *Builder) Processor {
	v := b.value(s.e)
	if v.eval == nil {
		return setBody{v.constant}
	}
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) (err error) {
		body, err := v.eval(ctx, ex)
		if err == nil {
			ex.Body = body
		}
		return err
	})
}

type setBody struct{ value any }

func (setBody) quick() bool { return true }
func (s setBody) Process(_ context.Context, ex *Exchange) error {
	ex.Body = s.value
	return nil
}

type setFieldStep struct {
	in   store
	name string
	e    Expr
}

func (s setFieldStep) String() string { return fmt.Sprintf("set %s %q", s.in, s.name) }

func (s setFieldStep) Build(b *Builder) Processor {
	if err := checkName(s.in, s.name); err != nil {
		b.Errorf("%w", err)
	}
	if strings.Contains(s.name, "${") || strings.Contains(s.name, "{{") {
		b.Errorf("the name %q would not be evaluated: names are constant; a step of route.Process can set others", s.name)
	}
	to := &key{name: named(s.name), store: s.in, other: s.in == inVariables && shared(s.name)}
	if from := ownKey(s.e); from != nil && !to.other {
		return copyField(from, to)
	}
	v := b.value(s.e)
	if v.eval == nil {
		if text, ok := v.constant.(string); ok && to.store == inHeaders {
			return &setTextHeader{to.name, text}
		}
		return &setField{to, v.constant}
	}
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		x, err := v.eval(ctx, ex)
		if err != nil {
			return err
		}
		to.set(ex, x)
		return nil
	})
}

// copyField copies a header or a property as it is: a text in an interface would cost an
// allocation.
func copyField(from, to *key) ProcessorFunc {
	return func(_ context.Context, ex *Exchange) error {
		switch f := from.in(ex).find(&from.name); {
		case f == nil:
			to.in(ex).set(&to.name, nil)
		case f.isText:
			to.in(ex).setText(&to.name, f.text)
		default:
			to.in(ex).set(&to.name, f.value)
		}
		return nil
	}
}

// setField sets a field to a constant.
type setField struct {
	key   *key
	value any
}

func (*setField) quick() bool { return true }

func (s *setField) Process(_ context.Context, ex *Exchange) error {
	s.key.set(ex, s.value)
	return nil
}

// setTextHeader is setField for the most common kind.
type setTextHeader struct {
	name name
	text string
}

func (*setTextHeader) quick() bool { return true }

func (s *setTextHeader) Process(_ context.Context, ex *Exchange) error {
	ex.headers.setText(&s.name, s.text)
	return nil
}
