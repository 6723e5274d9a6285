package route

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mehari-go/mehari/internal/sleep"
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
		defer e.mu.Unlock()
		if e.base == nil { // shut down before
			return ErrStopped
		}
		return errors.New("route: an engine runs once")
	}
	e.phase = isOpening
	base, kill := context.WithCancelCause(context.WithoutCancel(ctx))
	defer kill(ErrStopped)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	e.taking, e.base, e.stop = ctx, base, stop
	e.mu.Unlock()

	e.result = e.run(ctx)
	close(e.ended)
	return e.result
}

func (e *Engine) run(ctx context.Context) error {
	closeAll, err := e.open()
	defer closeAll()
	defer func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.phase = isStopped
	}()
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.phase = isRunning
	e.startAll(e.routes)
	e.mu.Unlock()
	close(e.begun)

	<-ctx.Done()

	e.mu.Lock()
	e.phase = isStopping
	e.mu.Unlock()
	err = e.stopAll()
	e.errands.Wait()
	e.clock.stop()
	return err
}

// startAll starts those routes that start by themselves. e.mu is held.
func (e *Engine) startAll(routes []*running) {
	for _, r := range routes {
		if !r.def.manual {
			_ = r.start(e.base) // which only fails after a stop
		}
	}
}

func (e *Engine) stopAll() error {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(e.draining.ctx, e.config.Drain)
	defer cancel()
	var outer, inner []*running
	for _, r := range slices.Backward(e.list()) {
		if r.internal() {
			inner = append(inner, r)
		} else {
			outer = append(outer, r)
		}
	}
	all := slices.Concat(outer, inner)
	// How long a route may take to stop before the next one is told to: all of them
	// together half of the drain time.
	slice := min(time.Second, e.config.Drain/time.Duration(2*len(all)+1))
	retire(ctx, outer, slice)
	e.settle(ctx, all)
	retire(ctx, inner, slice)

	return e.halt(ctx, begun, Stopped, all...)
}

// retire makes the routes take nothing more, one after the other.
func retire(ctx context.Context, routes []*running, slice time.Duration) {
	for _, r := range routes {
		in := r.retire(Stopped)
		if in == nil {
			continue
		}
		timer := time.NewTimer(slice)
		select {
		case <-in.ended:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// settle waits until no exchange is in flight and none waits for an internal route.
func (e *Engine) settle(ctx context.Context, routes []*running) {
	if !slices.ContainsFunc(routes, (*running).internal) {
		return
	}
	busy := func() bool { return slices.ContainsFunc(routes, (*running).busy) }
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		// Twice nothing, and no exchange in between: none was on its way from a route
		// that was not yet looked at to one that had been.
		before := e.exchanges()
		if !busy() && !busy() && e.exchanges() == before || !sleep.For(ctx, wait) {
			return
		}
	}
}

// busy tells whether the route has exchanges in flight or waiting.
func (r *running) busy() bool {
	_, inFlight := r.flights.count()
	_, tasks := r.tasks.count()
	if inFlight+tasks > 0 {
		return true
	}
	in, ok := r.consumer.(Internal)
	if !ok {
		return false
	}
	r.mu.Lock()
	runs := r.state == Started || r.state == Restarting
	r.mu.Unlock()
	return runs && in.Pending() > 0
}

// waiting returns how many messages an internal route has not taken yet.
func (r *running) waiting() int {
	in, ok := r.consumer.(Internal)
	if !ok {
		return 0
	}
	_, inFlight := r.flights.count()
	return max(in.Pending()-int(inFlight), 0) // pending counts those too
}

// Start starts the route with an id. It does nothing if the route is started. One whose
// consumer was done begins anew.
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
func (e *Engine) Stop(ctx context.Context, id string) error {
	r, err := e.find(id)
	if err != nil {
		return err
	}
	return e.haltOne(ctx, Stopped, r)
}

// Suspend is like [Engine.Stop], for a route that is to go on soon: its state says so.
func (e *Engine) Suspend(ctx context.Context, id string) error {
	r, err := e.find(id)
	if err != nil {
		return err
	}
	if s := r.status().State; s != Started && s != Restarting && s != Suspended {
		return fmt.Errorf("route: route %q is %s: only a started one can be suspended", id, s)
	}
	return e.haltOne(ctx, Suspended, r)
}

// Resume starts a suspended route again.
func (e *Engine) Resume(id string) error {
	r, err := e.find(id)
	if err != nil {
		return err
	}
	if s := r.status().State; s != Suspended && s != Started {
		return fmt.Errorf("route: route %q is %s: only a suspended one can be resumed", id, s)
	}
	return e.Start(id)
}

// Remove stops the route with an id, as [Engine.Stop] does, and forgets it.
func (e *Engine) Remove(ctx context.Context, id string) error {
	r, err := e.find(id)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.removed = true // it cannot be started any more
	r.mu.Unlock()
	err = e.haltOne(ctx, Stopped, r)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.routes = slices.DeleteFunc(slices.Clone(e.routes), func(other *running) bool { return other == r })
	return err
}

func (e *Engine) haltOne(ctx context.Context, then State, r *running) error {
	ctx, cancel := context.WithTimeout(ctx, e.config.Drain)
	defer cancel()
	return e.halt(ctx, time.Now(), then, r)
}

// halt stops consumers and waits until their last exchanges have returned. When ctx is
// done it reports and gives up those in flight. The routes are in state then afterwards.
func (e *Engine) halt(ctx context.Context, begun time.Time, then State, routes ...*running) error {
	var left []*intake
	for _, r := range routes {
		if in := r.retire(then); in != nil {
			left = append(left, in)
		}
	}
	left = wait(ctx, left)
	if len(left) == 0 {
		return nil
	}
	drained := &DrainError{Drain: time.Since(begun)}
	for _, in := range left { // all of them before the first is given up
		drained.InFlight = append(drained.InFlight, in.run.inFlight()...)
	}
	for _, f := range drained.InFlight {
		e.logger.Error("exchange given up: it was still in flight when the drain time was over",
			"route", f.Route, "exchange", f.Exchange, "step", f.Step, "place", f.Place, "age", f.Age)
	}
	for _, in := range left {
		in.giveUp(errAbandoned)
	}
	patience, cancel := context.WithTimeout(context.Background(), e.config.Abandon)
	defer cancel()
	defer later(e.closing.ctx, 100*time.Millisecond, cancel)()
	for _, in := range wait(patience, left) {
		waiting := in.run.waiting()
		drained.Routes, drained.Waiting = append(drained.Routes, in.run.id), drained.Waiting+waiting
		attrs := []any{"route", in.run.id, "waited", e.config.Abandon}
		if waiting > 0 {
			attrs = append(attrs, "messages lost", waiting)
		}
		e.logger.Error("route does not stop: going on without it", attrs...)
		in.run.mu.Lock()
		in.run.finish()
		in.run.mu.Unlock()
	}
	if len(drained.InFlight)+len(drained.Routes) == 0 {
		return nil
	}
	return drained
}

// wait waits until all are over, and returns those that are not when ctx is done.
func wait(ctx context.Context, intakes []*intake) []*intake {
	for _, in := range intakes {
		select {
		case <-in.ended:
		case <-ctx.Done():
		}
	}
	return slices.DeleteFunc(intakes, (*intake).over)
}
