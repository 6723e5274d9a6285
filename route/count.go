package route

import (
	"context"
	"fmt"
	"reflect"

	"github.com/mehari-go/mehari/internal/convert"
)

// A count is a built Expr whose value is a whole number that is at least min.
type count struct {
	value
	what string
	min  int
}

func (b *Builder) count(e Expr, what string, min int) count {
	c := count{b.value(e), what, min}
	if c.eval == nil {
		n, err := c.number(c.constant)
		if err != nil {
			b.Errorf("%w", err)
		}
		c.constant = n
	}
	return c
}

// of returns the number for ex.
func (c *count) of(ctx context.Context, ex *Exchange) (int, error) {
	if c.eval == nil {
		return c.constant.(int), nil
	}
	v, err := c.eval(ctx, ex)
	if err != nil {
		return 0, err
	}
	return c.number(v)
}

func (c *count) number(v any) (int, error) {
	n, ok := v.(int)
	if !ok {
		converted, err := convert.To(v, reflect.TypeFor[int]())
		if err != nil {
			return 0, fmt.Errorf("want %s: %w", c.what, err)
		}
		n = converted.(int)
	}
	if n < c.min {
		return 0, fmt.Errorf("want %s that is at least %d, have %d", c.what, c.min, n)
	}
	return n, nil
}
