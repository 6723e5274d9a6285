package route

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Run starts the routes and blocks until ctx is done. It then stops them: in the
// reverse of the order in which they started each stops to take messages and finishes
// what is in flight, internal routes such as those from direct and seda last, when
// nothing is on its way to them any more. A route that takes longer than a second does
// not keep the next from being stopped.
//
// What is still in flight after [Config.Drain] is logged and given up by cancelling its
// context; Run then returns a [*DrainError]. Otherwise it returns nil. An engine runs
// once.
func (e *Engine) Run(ctx context.Context) error {
	e.mu.Lock()
	if e.phase != isNew {
		e.mu.Unlock()
		return errors.New("route: an engine runs once")
	}
	e.phase = isRunning
	e.base, e.kill = context.WithCancelCause(context.WithoutCancel(ctx))
	defer e.kill(nil)
	e.startAll(e.routes)
	e.mu.Unlock()

	<-ctx.Done()

	e.mu.Lock()
	e.phase = isStopping
	e.mu.Unlock()
	err := e.stopAll()
	e.clock.stop()
	e.mu.Lock()
	e.phase = isStopped
	e.mu.Unlock()
	return err
}

// startAll starts those routes that start by themselves. e.mu is held.
func (e *Engine) startAll(routes []*running) {
	for _, r := range routes {
		if !r.def.manual {
			r.start(e.base) // cannot fail: nothing stops it yet
		}
	}
}

// stopSlice is how long a route may take to stop before the next one is told to.
const stopSlice = time.Second

func (e *Engine) stopAll() error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), e.config.Drain, errAbandoned)
	defer cancel()
	var outer, inner []*running
	for _, r := range slices.Backward(e.list()) {
		if r.internal() {
			inner = append(inner, r)
		} else {
			outer = append(outer, r)
		}
	}
	retire(ctx, outer)
	e.settle(ctx, outer, inner)
	retire(ctx, inner)

	var left []Flight
	stopped := make(chan error)
	all := e.list()
	for _, r := range all {
		go func() { stopped <- r.halt(ctx, Stopped) }()
	}
	for range all {
		if d, ok := errors.AsType[*DrainError](<-stopped); ok {
			left = append(left, d.InFlight...)
		}
	}
	if ctx.Err() != nil && len(left) > 0 {
		return &DrainError{e.config.Drain, left}
	}
	return nil
}

// retire makes the routes take nothing more, one after the other.
func retire(ctx context.Context, routes []*running) {
	for _, r := range routes {
		ended := r.retire()
		if ended == nil {
			continue
		}
		timer := time.NewTimer(stopSlice)
		select {
		case <-ended:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// settle waits until no exchange is in flight and none waits for an internal route.
func (e *Engine) settle(ctx context.Context, outer, inner []*running) {
	if len(inner) == 0 {
		return
	}
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		// Twice nothing in any route, and none has come in between: nothing moved from a
		// route not yet looked at to one that had been.
		before, all := e.exchanges(), slices.Concat(outer, inner)
		busy := slices.ContainsFunc(all, (*running).busy) || slices.ContainsFunc(all, (*running).busy)
		if !busy && e.exchanges() == before {
			return
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// busy tells whether the route has exchanges in flight or waiting.
func (r *running) busy() bool {
	if _, inFlight := r.flights.count(); inFlight > 0 {
		return true
	}
	in, ok := r.consumer.(Internal)
	if !ok {
		return false
	}
	r.mu.Lock()
	runs := r.state == Started
	r.mu.Unlock()
	return runs && in.Pending() > 0
}

// Start starts the route with an id. It does nothing if the route is started.
func (e *Engine) Start(id string) error {
	r, err := e.find(id)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.phase != isRunning {
		return ErrStopped
	}
	return r.start(e.base)
}

// Stop stops the route with an id. It returns when the last exchange in flight has
// finished; if ctx or [Config.Drain] ends before, those are given up, and it returns a
// [*DrainError].
func (e *Engine) Stop(ctx context.Context, id string) error { return e.halt(ctx, id, Stopped) }

// Suspend is like [Engine.Stop], for a route that is to go on soon: its state says so.
func (e *Engine) Suspend(ctx context.Context, id string) error {
	r, err := e.find(id)
	if err != nil {
		return err
	}
	if s := r.status().State; s != Started && s != Restarting && s != Suspended {
		return errors.New("route: route " + id + " is " + string(s) + ": only a started one can be suspended")
	}
	return e.halt(ctx, id, Suspended)
}

// Resume starts a suspended route again.
func (e *Engine) Resume(id string) error {
	r, err := e.find(id)
	if err != nil {
		return err
	}
	if s := r.status().State; s != Suspended && s != Started {
		return errors.New("route: route " + id + " is " + string(s) + ": only a suspended one can be resumed")
	}
	return e.Start(id)
}

// Remove stops the route with an id, as [Engine.Stop] does, and forgets it.
func (e *Engine) Remove(ctx context.Context, id string) error {
	err := e.halt(ctx, id, Stopped)
	if _, drained := errors.AsType[*DrainError](err); err != nil && !drained {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.routes = slices.DeleteFunc(slices.Clone(e.routes), func(r *running) bool { return r.id == id })
	return err
}

func (e *Engine) halt(ctx context.Context, id string, then State) error {
	r, err := e.find(id)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, e.config.Drain)
	defer cancel()
	return r.halt(ctx, then)
}
