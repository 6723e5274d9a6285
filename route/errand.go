package route

import (
	"context"
	"fmt"
	"runtime/debug"
)

// EngineFrom returns the engine that processes the exchange of ctx, or runs the consumer
// that was given ctx; false outside of engines.
func EngineFrom(ctx context.Context) (*Engine, bool) {
	e := originOf(ctx).engine
	return e, e != nil
}

// Go runs f in a goroutine of the engine, for what a component does when an exchange is
// done, such as to stop its route. The context ends when the engine is to stop, and
// [Engine.Run] returns after f has. A panic is logged. The error is [ErrStopped] where
// the engine does not run, or stops.
func (e *Engine) Go(f func(ctx context.Context)) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase != isRunning {
		return ErrStopped
	}
	ctx := context.WithValue(e.taking, originKey{}, &origin{engine: e, work: e.taking})
	e.errands.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				e.logger.Error("a function that the engine runs has panicked", "error", fmt.Sprint(p), "stack", string(debug.Stack()))
			}
		}()
		f(ctx)
	})
	return nil
}
