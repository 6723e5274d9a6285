package route

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A State is how a route is.
type State string

// The states of a route.
const (
	Stopped    State = "stopped"
	Started    State = "started"
	Restarting State = "restarting" // its consumer ended and will be started anew
	Suspended  State = "suspended"
	Stopping   State = "stopping" // takes nothing more, and finishes what is in flight
	Done       State = "done"     // its consumer has no more to give
)

// running is a built route in an engine.
type running struct {
	engine     *Engine
	def        *Route
	id         string
	consumer   Consumer
	steps      Processor
	nodes      []*node
	top        []*node
	flights    flightLog
	tasks      flightLog // what exchanges have left running, and their parts that run at the same time
	background []func(stop, work context.Context)
	poison     bool
	failed     atomic.Int64

	mu          sync.Mutex
	state       State
	then        State // what it is after Stopping
	since       time.Time
	removed     bool
	in          *intake // the latest; nil before the first start
	lastFailure *Failure
	restarts    int64
	nextStart   time.Time
	leadership  *Leadership
}

// name is the route's id, "" for nil.
func (r *running) name() string {
	if r == nil {
		return ""
	}
	return r.id
}

func (r *running) internal() bool { _, ok := r.consumer.(Internal); return ok }

// start starts the consumer. base is the context of everything that runs.
func (r *running) start(base context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.removed:
		return fmt.Errorf("route: route %q was removed", r.id)
	case r.state == Stopping:
		return fmt.Errorf("route: route %q is stopping", r.id)
	case r.state == Started || r.state == Restarting:
		return nil
	case r.in != nil && !r.in.over():
		return fmt.Errorf("route: route %q was given up, and its consumer has not returned yet", r.id)
	}
	r.in = newIntake(base, r)
	r.become(Started)
	go r.in.supervise()
	return nil
}

// become changes the state. r.mu is held.
func (r *running) become(s State) {
	if s == r.state {
		return
	}
	r.state, r.since, r.nextStart = s, time.Now(), time.Time{}
	if s != Stopping {
		r.leadership = nil
	}
}

// retire makes the consumer take nothing more, and returns what is to be waited for; the
// route is in state then afterwards. Where nothing runs it returns nil, and it is.
func (r *running) retire(then State) *intake {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch r.state {
	case Started, Restarting:
		r.become(Stopping)
		r.in.stop()
	case Stopping:
	default:
		r.become(then)
		return nil
	}
	r.then = then
	return r.in
}

// finish ends a stop.
func (r *running) finish() {
	if r.state == Stopping {
		r.become(r.then)
	}
}

// inFlight returns the exchanges in flight.
func (r *running) inFlight() (all []Flight) {
	for _, f := range slices.Concat(r.flights.all(), r.tasks.all()) {
		state := f.state.Load()
		if state&stepMask == 0 {
			continue
		}
		step, place := r.step(state)
		all = append(all, Flight{f.id(state).String(), r.id, step, place, r.engine.clock.age(f.since.Load())})
	}
	return all
}

// step returns the step that the state of a flight says.
func (r *running) step(state uint64) (string, Position) {
	if i := int(state & stepMask); 0 < i && i <= len(r.nodes) {
		return r.nodes[i-1].step, r.nodes[i-1].place
	}
	return fromStep{r.def.from}.String(), r.def.place
}

// process leads an exchange through the steps.
func (r *running) process(ctx context.Context, ex *Exchange) (err error) {
	ex.guard()
	f := r.flights.enter(ex.hint)
	outerRoute, outer := ex.at, ex.flight
	if outer == nil {
		ex.stopped, ex.hint = false, f
	} else {
		ex.identify()
	}
	f.name(ex.id)
	if ex.from == nil {
		ex.from = r
	}
	outermost := !ex.inside
	ex.at, ex.flight, ex.poison, ex.inside = r, f, r.poison, true
	returned := false
	defer func() {
		if !returned {
			if p := recover(); p != nil {
				err = ex.panicked(p)
			}
		}
		if outermost {
			err = ex.done(ctx, err)
		}
		if err != nil {
			ex.identify()
		}
		ex.at, ex.flight = outerRoute, outer
		f.leave()
		if err != nil {
			r.fail(ctx, ex, err, outer == nil)
		}
	}()
	err = r.steps.Process(ctx, ex)
	returned = true
	return err
}

// fail counts an exchange that failed. The first route that an exchange came to tells it.
func (r *running) fail(ctx context.Context, ex *Exchange, err error, tell bool) {
	r.failed.Add(1)
	failure := &Failure{Time: time.Now(), Exchange: ex.ID(), Err: err}
	attrs := []slog.Attr{slog.String("route", r.id), slog.String("exchange", failure.Exchange)}
	cause := err
	if se, ok := errors.AsType[*StepError](err); ok {
		failure.Step, failure.Place = se.Step, se.Place
		if err == error(se) { // rather than the first of several
			cause = se.Err
		}
		attrs[0].Value = slog.StringValue(se.Route)
		attrs = append(attrs, slog.String("step", se.Step), slog.Any("place", se.Place))
	}
	attrs = append(attrs, slog.Any("error", cause))
	if p, ok := errors.AsType[*PanicError](err); ok {
		attrs = append(attrs, slog.String("stack", string(p.Stack)))
	}
	r.mu.Lock()
	r.lastFailure = failure
	r.mu.Unlock()
	if tell && !ex.quiet {
		r.engine.logger.LogAttrs(ctx, slog.LevelError, "exchange failed", attrs...)
	}
}
