package route

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/mehari-go/mehari/internal/sleep"
)

// An intake is one run of a route's consumer, from a start to a stop.
type intake struct {
	run    *running
	ctx    context.Context // ends the taking of messages
	work   context.Context // gives up those in flight
	stop   context.CancelFunc
	giveUp context.CancelCauseFunc
	ended  chan struct{} // closed when the consumer has returned for good
	tasks  sync.WaitGroup
}

func newIntake(base context.Context, r *running) *intake {
	in := &intake{run: r, ended: make(chan struct{})}
	work := &origin{engine: r.engine, in: in}
	if c := r.engine.config.Cursors; c != nil {
		base = WithCursors(base, c)
	}
	in.work, in.giveUp = context.WithCancelCause(context.WithValue(base, originKey{}, work))
	work.work, work.lasting = in.work, in.work
	ctx, stop := context.WithCancel(in.work)
	in.ctx, in.stop = WithWork(ctx, in.work), stop
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

// An origin in a context says what that is derived from.
type origin struct {
	engine *Engine
	in     *intake         // nil for what comes from outside of routes
	intake context.Context // to consume under; nil where the context is one to process under
	work   context.Context // to process under

	// lasting is what may outlive the processing of one exchange: it ends with the work of
	// the intake or with the term.
	lasting context.Context
}

type originKey struct{}

func originOf(ctx context.Context) origin {
	if o, ok := ctx.Value(originKey{}).(*origin); ok {
		return *o
	}
	return origin{}
}

// Work returns the context for the exchanges of a consumer that was given ctx: it
// outlives ctx by the time that exchanges in flight may take to finish. A consumer that
// needs a context of its own for an exchange derives it from this one.
func Work(ctx context.Context) context.Context {
	if o := originOf(ctx); o.intake != nil {
		return o.work
	}
	return ctx
}

// WithWork returns a context for the consumer that a consumer wraps: it is ctx, and
// what is taken under it is processed under work. Both must be derived from what the
// wrapping consumer was given, work from its [Work].
func WithWork(ctx, work context.Context) context.Context {
	o := originOf(work)
	if o.lasting != work { // so that what outlives an exchange ends with work too
		inner := o
		work = context.WithValue(work, originKey{}, &inner)
		inner.lasting = work
	}
	o.work, o.lasting = work, work
	o.intake = context.WithValue(ctx, originKey{}, &o)
	return o.intake
}

// Process is the next that the consumer is given.
func (in *intake) Process(ctx context.Context, ex *Exchange) error {
	if ctx == in.ctx { // the common case costs nothing
		return in.run.process(in.work, ex)
	}
	o := originOf(ctx)
	if o.engine == in.run.engine {
		if o.intake == nil && o.in != nil { // derived from Work, here or in the route that sent ex
			return in.run.process(ctx, ex)
		}
		if o.intake == ctx && o.in == in { // from WithWork
			return in.run.process(o.work, ex)
		}
	}
	ctx, cancel := in.join(ctx, o)
	defer cancel()
	return in.run.process(ctx, ex)
}

// join returns a context that ends with ctx or with the work of this intake. Where ctx
// is derived from that of an intake, its exchanges outlive the end of the latter.
func (in *intake) join(ctx context.Context, from origin) (context.Context, func()) {
	parent := ctx
	if from.intake != nil {
		parent = values{context.WithoutCancel(ctx), from.work}
	}
	joined, cancel := context.WithCancelCause(parent)
	stops := []func() bool{endsWith(in.work, cancel)}
	if from.intake != nil {
		stops = append(stops, endsWith(from.work, cancel), context.AfterFunc(ctx, func() {
			if from.intake.Err() == nil { // by itself
				cancel(context.Cause(ctx))
			}
		}))
	}
	o := &origin{engine: in.run.engine, in: in, work: joined, lasting: in.work}
	if from.intake != nil {
		o.lasting = from.lasting
	}
	return context.WithValue(joined, originKey{}, o), func() {
		for _, stop := range stops {
			stop()
		}
		cancel(nil)
	}
}

// values is a context that also has the values of another one.
type values struct {
	context.Context
	more context.Context
}

func (v values) Value(key any) any {
	if x := v.Context.Value(key); x != nil {
		return x
	}
	return v.more.Value(key)
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
	stopped := r.started(in.ctx)
	stopBackground := in.runBackground()
	for failures := 0; ; {
		begun := time.Now()
		err := consume(in.ctx, r.consumer, in)
		if done = errors.Is(err, ErrDone); done || in.ctx.Err() != nil {
			if in.ctx.Err() == nil {
				r.ended(0, err)
			}
			break
		}
		if err == nil {
			err = errors.New("the consumer ended")
		}
		b := r.engine.config.Restart
		if time.Since(begun) > b.Max {
			failures = 0
		}
		wait := b.After(failures)
		failures++
		r.restarting(err, wait)
		r.ended(failures, err)
		if !sleep.For(in.ctx, wait) {
			break
		}
		r.mu.Lock()
		if r.state == Restarting {
			r.become(Started)
		}
		r.mu.Unlock()
	}
	stopBackground()
	in.stop()
	in.giveUp(nil)
	stopped()
	r.mu.Lock()
	defer r.mu.Unlock()
	if done && r.state == Started {
		r.become(Done)
	}
	r.finish()
	close(in.ended)
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
			err = newPanicError(r)
		}
	}()
	return c.Consume(ctx, next)
}

// After returns how long to wait after so many failures in a row before this one.
func (b Backoff) After(failures int) time.Duration {
	b.Delay, b.Max = cmp.Or(b.Delay, time.Second), cmp.Or(b.Max, time.Minute)
	d := b.Max
	if failures < 32 {
		if grown := b.Delay << failures; grown > 0 && grown < d {
			d = grown
		}
	}
	return d + time.Duration((rand.Float64()-0.5)*0.2*float64(d))
}
