package route

import (
	"context"
	"fmt"
)

// Script evaluates an expression for what it does and forgets its value.
func (c *chain[Self]) Script(e Expr) Self { return c.add(scriptStep{e}) }

type scriptStep struct{ e Expr }

func (s scriptStep) String() string {
	if simple, ok := s.e.(simpleText); ok {
		return "script " + text(string(simple))
	}
	return "script"
}

func (s scriptStep) Build(b *Builder) Processor {
	v := b.value(s.e)
	if v.eval == nil {
		return b.Errorf("want an expression, have the constant %.60q, which does nothing", fmt.Sprint(v.constant))
	}
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		_, err := v.eval(ctx, ex)
		return err
	})
}
