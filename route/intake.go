package route

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// An intake is one run of a route's consumer, from a start to a stop.
type intake struct {
	run    *running
	ctx    context.Context // ends the taking of messages
	work   context.Context // gives up those in flight
	stop   context.CancelFunc
	giveUp context.CancelCauseFunc
	ended  chan struct{} // closed when the consumer has returned for good
}

func newIntake(r *running, base context.Context) *intake {
	in := &intake{run: r, ended: make(chan struct{})}
	work, giveUp := context.WithCancelCause(base)
	ctx, stop := context.WithCancel(work)
	in.stop, in.giveUp = stop, giveUp
	in.work = context.WithValue(work, phaseKey{}, &phaseValue{r.engine, in, true})
	in.ctx = context.WithValue(ctx, phaseKey{}, &phaseValue{r.engine, in, false})
	return in
}

// over tells whether the consumer has returned for good.
func (in *intake) over() bool {
	select {
	case <-in.ended:
		return true
	default:
		return false
	}
}

// A phaseValue in a context says what it is derived from.
type phaseValue struct {
	engine *Engine
	in     *intake // nil for what comes from outside of routes
	work   bool    // from work, rather than from ctx
}

type phaseKey struct{}

func phaseOf(ctx context.Context) phaseValue {
	if v, ok := ctx.Value(phaseKey{}).(*phaseValue); ok {
		return *v
	}
	return phaseValue{}
}

// Work returns the context for the exchanges of a consumer that was given ctx: it
// outlives ctx by the time that exchanges in flight may take to finish. A consumer that
// needs a context of its own for an exchange derives it from this one.
func Work(ctx context.Context) context.Context {
	if p := phaseOf(ctx); p.in != nil && !p.work {
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
	ctx, cancel := in.join(ctx, p.in)
	defer cancel()
	return in.run.process(ctx, ex)
}

// join returns a context that ends with ctx or with the work of this intake. Where ctx
// is derived from that of an intake, its exchanges outlive the end of the latter.
func (in *intake) join(ctx context.Context, from *intake) (context.Context, func()) {
	parent := ctx
	if from != nil {
		parent = context.WithoutCancel(ctx)
	}
	joined, cancel := context.WithCancelCause(parent)
	stops := []func() bool{endsWith(in.work, cancel)}
	if from != nil {
		stops = append(stops, endsWith(from.work, cancel), context.AfterFunc(ctx, func() {
			if from.ctx.Err() == nil { // by itself
				cancel(context.Cause(ctx))
			}
		}))
	}
	return context.WithValue(joined, phaseKey{}, &phaseValue{in.run.engine, in, true}), func() {
		for _, stop := range stops {
			stop()
		}
		cancel(nil)
	}
}

// endsWith calls cancel with the cause of ctx when that is done.
func endsWith(ctx context.Context, cancel context.CancelCauseFunc) (stop func() bool) {
	return context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
}

// supervise runs the consumer until its context is done or it has no more to give, anew
// each time it ends.
func (in *intake) supervise() {
	r := in.run
	done := false
	for failures := 0; ; {
		begun := time.Now()
		err := consume(in.ctx, r.consumer, in)
		if done = errors.Is(err, ErrDone); done || in.ctx.Err() != nil {
			break
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
		if !sleep(in.ctx, wait) {
			break
		}
		r.mu.Lock()
		if r.state == Restarting {
			r.become(Started)
		}
		r.mu.Unlock()
	}
	in.stop()
	in.giveUp(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	if done && r.in == in && r.state == Started {
		r.become(Done)
	}
	close(in.ended)
}

// sleep waits and tells whether ctx was not done before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
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
