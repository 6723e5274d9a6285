package route

import (
	"context"
	"errors"
)

// Throw ends the exchange's way with an error, which a [Catch] of its type finds.
func (c *chain[Self]) Throw(err error) Self { return c.add(throwStep{err}) }

// ThrowText ends the exchange's way with an error that says text, which is in the simple
// language.
func (c *chain[Self]) ThrowText(text string) Self { return c.add(throwTextStep{text}) }

type throwStep struct{ err error }

func (s throwStep) String() string {
	if s.err == nil {
		return "throw"
	}
	return "throw " + text(s.err.Error())
}

func (s throwStep) Build(b *Builder) Processor {
	if s.err == nil {
		return b.Errorf("nil error")
	}
	return ProcessorFunc(func(context.Context, *Exchange) error { return s.err })
}

type throwTextStep struct{ text string }

func (s throwTextStep) String() string { return "throw " + text(s.text) }

func (s throwTextStep) Build(b *Builder) Processor {
	if s.text == "" {
		return b.Errorf("want a text")
	}
	t := b.template(s.text)
	if t == nil {
		return &pipeline{}
	}
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		text, err := t.Append(ctx, nil, (*scope)(ex))
		if err != nil {
			return err
		}
		return errors.New(string(text))
	})
}
