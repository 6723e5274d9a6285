package routefx

import (
	"context"
	"fmt"
	"time"
)

// start runs the engine. What fx gives as ctx ends with the start, so that the engine has
// a context of its own.
func (e *engine) start(ctx context.Context) error {
	go func() { _ = e.Run(context.Background()) }() // stop waits for it, and returns its error
	// fx tells nothing but that the time is over, if it is: this is earlier.
	most, cancel := share(ctx, 0.8)
	defer cancel()
	err := e.Started(most)
	if err == nil {
		return nil
	}
	rest, cancel := share(ctx, 0.5)
	defer cancel()
	_ = e.Shutdown(rest) // fx does not stop what has not started; err says why
	return fmt.Errorf("%s: %w", e, err)
}

// stop stops the engine.
func (e *engine) stop(ctx context.Context) error {
	if err := e.Shutdown(ctx); err != nil {
		return fmt.Errorf("%s: %w", e, err)
	}
	return nil
}

// share returns a context that ends with ctx, or earlier: when a part of the time that it
// leaves is over.
func share(ctx context.Context, part float64) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithTimeout(ctx, time.Duration(part*float64(time.Until(deadline))))
	}
	return context.WithCancel(ctx)
}
