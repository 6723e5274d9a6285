package route

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Shutdown stops the engine as the end of the context of [Engine.Run] does, and returns
// when Run does, with its error. It keeps within the time that ctx leaves: exchanges in
// flight are given up after two thirds of it, where [Config.Drain] is not shorter, and
// components have until five sixths to close. After nine tenths it does not wait any longer
// for Run, so that the caller has some time left, and the error says what still runs.
//
// An engine that does not run yet cannot be run afterwards.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	if e.phase == isNew {
		e.phase = isStopped
		e.mu.Unlock()
		return nil
	}
	stop := e.stop
	e.mu.Unlock()

	over := make(chan struct{})
	defer within(ctx, 2.0/3, e.draining.end)()
	defer within(ctx, 5.0/6, e.closing.end)()
	defer within(ctx, 9.0/10, func() { close(over) })()
	stop()
	select {
	case <-e.ended:
		return e.result
	case <-over:
		return fmt.Errorf("route: the engine has not stopped: %w", errors.Join(e.overrun()...))
	}
}

// A limit ends a stage of a stop before its own time is over.
type limit struct {
	ctx context.Context
	end context.CancelFunc
}

func newLimit() limit {
	ctx, end := context.WithCancel(context.Background())
	return limit{ctx, end}
}

// within calls end when ctx is done or a part of the time that it leaves is over.
func within(ctx context.Context, part float64, end func()) (release func()) {
	cancel := func() {}
	if deadline, ok := ctx.Deadline(); ok {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(part*float64(time.Until(deadline))))
	}
	stop := context.AfterFunc(ctx, end)
	return func() {
		stop()
		cancel()
	}
}

// later calls f a while after ctx is done.
func later(ctx context.Context, while time.Duration, f func()) (stop func() bool) {
	return context.AfterFunc(ctx, func() { time.AfterFunc(while, f) })
}

// overrun is what keeps the engine from being stopped.
func (e *Engine) overrun() (errs []error) {
	if busy := e.busyWith.Load(); busy != nil {
		return []error{errors.New(*busy)}
	}
	for _, r := range e.list() {
		if s := r.status(); s.State == Stopping {
			errs = append(errs, fmt.Errorf("%s: route %q: %d in flight", s.Place, s.ID, len(s.InFlight)))
		}
	}
	if errs == nil {
		errs = append(errs, errors.New("a function that was given to Engine.Go has not returned"))
	}
	return errs
}
