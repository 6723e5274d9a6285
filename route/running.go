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
	engine      *Engine
	def         *Route
	properties  placeholders // with the parameters of an instance
	id          string
	consumer    Consumer
	steps       Processor
	nodes       []*node
	top         []*node
	flights     flightLog
	tasks       flightLog // what exchanges have left running, and their parts that run at the same time
	background  []func(stop, work context.Context)
	poison      bool
	failed      atomic.Int64
	handled     atomic.Int64
	redelivered atomic.Int64
	handling    *errorHandling // nil where errors go back as they are
	completions []*completion
	policies    []Policy

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
	subscribed  *bool
}

// begin is the step that stands for where the route begins.
func (r *running) begin() placed { return placed{Step: fromStep{r.def.from}, place: r.def.place} }

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
		r.subscribed = nil
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

// intake returns the latest one, nil before the first start.
func (r *running) intake() *intake {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.in
}

// isStopping tells whether the route takes nothing more.
func (r *running) isStopping() bool { return r.intake().ctx.Err() != nil }

// whenStopping calls cancel when the route takes nothing more.
func (r *running) whenStopping(cancel context.CancelCauseFunc) (stop func() bool) {
	return context.AfterFunc(r.intake().ctx, func() { cancel(errStopping) })
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
	return r.begin().String(), r.def.place
}

// process leads an exchange through the steps.
func (r *running) process(ctx context.Context, ex *Exchange) (err error) {
	ex.guard()
	f := r.flights.enter(ex.hint)
	outerRoute, outer, original := ex.at, ex.flight, ex.original
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
	if h := r.handling; h != nil && h.original && original == nil {
		ex.original = ex.snapshot()
	}
	returned := false
	defer func() {
		if !returned {
			if p := recover(); p != nil {
				err = ex.panicked(p)
			}
		}
		if r.completions != nil || r.policies != nil {
			err = r.done(ctx, ex, err, outer == nil)
		}
		if outermost {
			err = ex.done(ctx, err)
		}
		if err != nil {
			ex.identify()
		}
		if ex.original != nil && original == nil {
			ex.original.Release()
			ex.original = nil
		}
		ex.at, ex.flight = outerRoute, outer
		f.leave()
		if err != nil {
			r.fail(ctx, ex, err, outer == nil)
		}
	}()
	for i := range r.policies {
		r.policies[i].begin(ctx, ex)
	}
	err = r.steps.Process(ctx, ex)
	returned = true
	return err
}

// fail counts an exchange that failed. The first route that an exchange came to tells it.
func (r *running) fail(ctx context.Context, ex *Exchange, err error, tell bool) {
	r.failed.Add(1)
	failure := &Failure{Time: time.Now(), Exchange: ex.ID(), Err: err}
	level := slog.LevelError
	if r.handling != nil {
		level = r.handling.level.Level()
	}
	var attrs []slog.Attr
	if se, ok := errors.AsType[*StepError](err); ok {
		failure.Step, failure.Place = se.Step, se.Place
		attrs = se.attrs()
		attrs[1].Value = slog.StringValue(failure.Exchange)
		if err != error(se) { // rather than all of several
			attrs = append(attrs[:4], slog.Any("error", err))
			attrs = append(attrs, stackOf(err)...)
		}
	} else {
		attrs = append([]slog.Attr{slog.String("route", r.id), slog.String("exchange", failure.Exchange), slog.Any("error", err)}, stackOf(err)...)
	}
	r.mu.Lock()
	r.lastFailure = failure
	r.mu.Unlock()
	if tell && !ex.quiet {
		r.engine.logger.LogAttrs(ctx, level, "exchange failed", attrs...)
	}
}
