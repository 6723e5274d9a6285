package route

import (
	"context"
)

// A care is a clause or a handler that takes care of an exchange just now. What fails
// meanwhile, here or in a route that the exchange is sent to, does not meet it again.
type care struct {
	of    any
	outer *care
}

func (c *care) has(of any) bool {
	for ; c != nil; c = c.outer {
		if c.of == of {
			return true
		}
	}
	return false
}

// careOf runs p while the exchange is in the care of a clause or a handler.
func (ex *Exchange) careOf(ctx context.Context, of any, p Processor) error {
	outer := ex.cares
	ex.cares = &care{of, outer}
	defer func() { ex.cares = outer }()
	return guarded(ctx, p, ex)
}

// holds evaluates a predicate of the error handling; none has a value of its own.
func holds(ctx context.Context, p Predicate, ex *Exchange, none bool) (ok bool, err error) {
	if p == nil {
		return none, nil
	}
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return p(ctx, ex)
}
