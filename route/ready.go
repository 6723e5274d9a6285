package route

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// Started waits until [Engine.Run] has started the routes, which from then on take
// messages as soon as their endpoints do. If Run has ended it returns its error, or
// [ErrStopped]; if ctx ends, an error that says what has not started.
func (e *Engine) Started(ctx context.Context) error {
	select {
	case <-e.ended:
		return cmp.Or(e.result, ErrStopped)
	default:
	}
	select {
	case <-e.begun:
		return nil
	case <-e.ended:
		return cmp.Or(e.result, ErrStopped)
	case <-ctx.Done():
	}
	if busy := e.busyWith.Load(); busy != nil {
		return fmt.Errorf("route: %s: %w", *busy, context.Cause(ctx))
	}
	return fmt.Errorf("route: Engine.Run was not called: %w", context.Cause(ctx))
}

// Ready returns nil if the engine runs and every route does what it should: it takes
// messages and is subscribed, or stands by for its lock, or has no more to give, or was
// stopped or suspended by somebody. Otherwise the error has a line for each route that does
// not. It is meant for the readiness of a program, and does no I/O.
func (e *Engine) Ready() error {
	e.mu.Lock()
	phase := e.phase
	e.mu.Unlock()
	if phase != isRunning {
		return ErrStopped
	}
	var errs []error
	for _, r := range e.list() {
		if err := r.status().ready(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// ready returns what keeps the route from its messages.
func (s RouteStatus) ready() error {
	var why string
	var err error
	switch {
	case s.State == Restarting:
		why = "its consumer ended and waits to be started anew"
		if s.LastFailure != nil {
			err = s.LastFailure.Err
		}
	case s.State != Started:
		return nil
	case s.Leadership != nil && !s.Leadership.Leading:
		return nil
	case s.Leadership != nil && s.Leadership.Err != nil:
		why, err = "it leads but does not consume", s.Leadership.Err
	case s.Subscribed != nil && !*s.Subscribed:
		why = "it is not subscribed"
	default:
		return nil
	}
	if err != nil {
		why += ": " + err.Error()
	}
	return fmt.Errorf("%s: route %q: %s", s.Place, s.ID, why)
}
