package route

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
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
	engine   *Engine
	def      *Route
	id       string
	consumer Consumer
	steps    Processor
	nodes    []*node
	top      []*node
	flights  flightLog
	failed   atomic.Int64

	mu          sync.Mutex
	state       State
	since       time.Time
	stopIntake  context.CancelFunc // nil where nothing runs
	giveUp      context.CancelCauseFunc
	ended       chan struct{} // closed when the consumer has returned for good
	halting     sync.Mutex    // held by who stops the route
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
	if r.stopIntake != nil {
		if r.state == Stopping {
			return fmt.Errorf("route: route %q is stopping", r.id)
		}
		return nil
	}
	in, stop, giveUp := newIntake(r, base)
	r.stopIntake, r.giveUp, r.ended = stop, giveUp, make(chan struct{})
	r.become(Started)
	r.engine.workers.Go(func() {
		defer giveUp(nil)
		defer stop()
		in.supervise()
	})
	return nil
}

// become changes the state. r.mu is held.
func (r *running) become(s State) {
	r.state, r.since = s, time.Now()
	r.nextStart = time.Time{}
}

// halt stops the consumer and waits until the last exchange has returned, or ctx is
// done: then it gives up those in flight. The route is in state then afterwards.
func (r *running) halt(ctx context.Context, then State) error {
	r.halting.Lock()
	defer r.halting.Unlock()
	ended := r.retire()
	if ended == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.state != then {
			r.become(then)
		}
		return nil
	}
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = r.abandon(ended)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopIntake, r.leadership = nil, nil
	r.become(then)
	return err
}

// retire makes the consumer take nothing more. It returns a channel that is closed when
// the consumer has returned, or nil if nothing runs.
func (r *running) retire() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopIntake == nil {
		return nil
	}
	if r.state != Stopping {
		r.become(Stopping)
		r.stopIntake()
	}
	return r.ended
}

// abandon gives up what is in flight and reports it.
func (r *running) abandon(ended <-chan struct{}) error {
	left := r.inFlight()
	for _, f := range left {
		r.engine.logger.Error("exchange given up: it was still in flight when the drain time was over",
			"route", f.Route, "exchange", f.Exchange, "step", f.Step, "place", f.Place, "age", f.Age)
	}
	r.giveUp(errAbandoned)
	timer := time.NewTimer(r.engine.config.Abandon)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
		r.engine.logger.Error("route does not stop: going on without it", "route", r.id, "waited", r.engine.config.Abandon)
	}
	return &DrainError{r.engine.config.Drain, left}
}

// inFlight returns the exchanges in flight.
func (r *running) inFlight() (all []Flight) {
	for _, f := range r.flights.all() {
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
func (r *running) process(ctx context.Context, ex *Exchange) error {
	ex.guard()
	f := r.flights.enter(ex.hint)
	outerRoute, outer := ex.at, ex.flight
	if outer == nil {
		ex.stopped, ex.hint = false, f
	}
	if ex.id == (exchangeID{}) {
		ex.id = f.id(f.state.Load())
	}
	if ex.from == nil {
		ex.from = r
	}
	ex.at, ex.flight, ex.poison = r, f, r.engine.config.Poison
	err := guarded(ctx, r.steps, ex)
	ex.at, ex.flight = outerRoute, outer
	f.leave()
	if err != nil {
		r.fail(ctx, ex, err, outer == nil)
	}
	return err
}

// fail counts an exchange that failed. The first route that an exchange came to tells it.
func (r *running) fail(ctx context.Context, ex *Exchange, err error, tell bool) {
	r.failed.Add(1)
	failure := &Failure{Time: time.Now(), Exchange: ex.ID(), Err: err}
	attrs := []slog.Attr{slog.String("route", r.id), slog.String("exchange", failure.Exchange)}
	cause := err
	if se, ok := errors.AsType[*StepError](err); ok {
		failure.Step, failure.Place, cause = se.Step, se.Place, se.Err
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

// intake is what a route's consumer runs in, from a start to a stop: ctx ends the
// taking of messages, work gives up those in flight.
type intake struct {
	run       *running
	ctx, work context.Context
}

// A phaseValue in a context says what it is derived from.
type phaseValue struct {
	engine *Engine
	in     *intake // nil for what comes from outside of routes
	work   bool    // from work, rather than from ctx
}

type phaseKey struct{}

func phaseOf(ctx context.Context) phaseValue {
	v, _ := ctx.Value(phaseKey{}).(*phaseValue)
	if v == nil {
		return phaseValue{}
	}
	return *v
}

func newIntake(r *running, base context.Context) (in *intake, stop context.CancelFunc, giveUp context.CancelCauseFunc) {
	in = &intake{run: r}
	in.work, giveUp = context.WithCancelCause(context.WithValue(base, phaseKey{}, &phaseValue{r.engine, in, true}))
	in.ctx, stop = context.WithCancel(context.WithValue(in.work, phaseKey{}, &phaseValue{r.engine, in, false}))
	return in, stop, giveUp
}

// Work returns the context for the exchanges of a consumer that was given ctx: it
// outlives ctx by the time that exchanges in flight may take to finish. A consumer that
// needs a context of its own for an exchange derives it from this one.
func Work(ctx context.Context) context.Context {
	if p := phaseOf(ctx); p.in != nil {
		return p.in.work
	}
	return ctx
}

// Process is the next that the consumer is given.
func (in *intake) Process(ctx context.Context, ex *Exchange) error {
	if ctx == in.ctx { // the common case costs nothing
		return in.run.process(in.work, ex)
	}
	p := phaseOf(ctx)
	if p.work && p.engine == in.run.engine { // derived from Work, here or in the route that sent ex
		return in.run.process(ctx, ex)
	}
	if p.in == in {
		ctx = context.WithoutCancel(ctx) // derived from the intake's: in flight it outlives that
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(in.work, func() { cancel(context.Cause(in.work)) })()
	return in.run.process(ctx, ex)
}

// supervise runs the consumer until its context is done, anew each time it ends.
func (in *intake) supervise() {
	r := in.run
	defer func() { close(r.ended) }()
	for failures := 0; ; {
		begun := time.Now()
		err := consume(in.ctx, r.consumer, in)
		if in.ctx.Err() != nil {
			return
		}
		if errors.Is(err, ErrDone) {
			r.mu.Lock()
			r.become(Done)
			r.mu.Unlock()
			<-in.ctx.Done()
			return
		}
		if err == nil {
			err = errors.New("the consumer ended")
		}
		b := r.engine.config.Restart
		if time.Since(begun) > b.Max {
			failures = 0
		}
		wait := b.after(failures)
		failures++
		r.restarting(err, wait)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-in.ctx.Done():
			timer.Stop()
			return
		}
		r.mu.Lock()
		if r.state == Restarting {
			r.become(Started)
		}
		r.mu.Unlock()
	}
}

func (r *running) restarting(err error, wait time.Duration) {
	attrs := []any{"route", r.id, "from", r.consumer.String(), "wait", wait, "error", err}
	if p, ok := errors.AsType[*PanicError](err); ok {
		attrs = append(attrs, "stack", string(p.Stack))
	}
	r.engine.logger.Warn("consumer ended early: starting it anew", attrs...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.restarts++
	r.lastFailure = &Failure{Time: time.Now(), Step: fromStep{r.def.from}.String(), Place: r.def.place, Err: err}
	if r.state == Started {
		r.become(Restarting)
		r.nextStart = time.Now().Add(wait)
	}
}

// consume runs a consumer; a panic is an error.
func consume(ctx context.Context, c Consumer, next Processor) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &PanicError{r, debug.Stack()}
		}
	}()
	return c.Consume(ctx, next)
}

// after returns how long to wait after so many failures before this one.
func (b Backoff) after(failures int) time.Duration {
	d := b.Max
	if failures < 32 {
		if grown := b.Delay << failures; grown > 0 && grown < d {
			d = grown
		}
	}
	return d + time.Duration((rand.Float64()-0.5)*0.2*float64(d))
}
