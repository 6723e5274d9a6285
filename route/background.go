package route

import (
	"context"
	"time"

	"github.com/mehari-go/mehari/internal/sleep"
)

// A Worker is one of the limited number that a consumer has to process exchanges with.
// Where an exchange has to wait, and its step does not want to keep the consumer from
// taking the next message, it leaves its worker and returns to it afterwards. The call
// that processes the exchange goes on meanwhile: what it returns is still the
// acknowledgement.
type Worker interface {
	// Leave tells that the worker has nothing to do for the exchange for now.
	Leave()

	// Return tells that the worker goes on with the exchange. It does not wait for other
	// workers: they may wait for what the exchange holds.
	Return()
}

// SetWorker tells who works on the exchange. Consumers with a limited number of workers
// call it; clones have none.
func (ex *Exchange) SetWorker(w Worker) { ex.worker = w }

// pause waits and returns the cause if ctx is done before. Where it is asynchronous the
// worker of the exchange is free meanwhile, if it has one.
func (ex *Exchange) pause(ctx context.Context, d time.Duration, async bool) error {
	if d <= 0 {
		return nil
	}
	if async && ex.worker != nil {
		ex.worker.Leave()
		defer ex.worker.Return()
	}
	if !sleep.For(ctx, d) {
		return context.Cause(ctx)
	}
	return nil
}

// fork returns a clone that can be worked on in another goroutine while the caller
// waits. It is seen as in flight by itself until join.
func (ex *Exchange) fork() *Exchange {
	c := ex.Handover(true)
	if c.at != nil {
		c.flight = c.at.tasks.enter(nil)
		c.flight.name(exchangeID{})
	}
	return c
}

// join ends what fork began. The exchange is not released.
func (ex *Exchange) join() {
	if ex.flight != nil {
		ex.identify() // by its flight, for those who look at it later
		ex.flight.leave()
		ex.flight = nil
	}
}

// spawn leads ex through p in a goroutine of the route where ex is, and releases it. The
// route does not stop before that has returned; like all that is in flight it is given
// up when the drain time is over, and when the term ends under which ctx is. A failure is
// told as that of an exchange that nobody waits for. done, which may be nil, is called
// before ex is released.
func (ex *Exchange) spawn(ctx context.Context, p Processor, done func(*Exchange, error)) {
	r := ex.at
	ex.worker = nil
	ex.flight = r.tasks.enter(nil)
	ex.flight.name(ex.id)
	in := r.intake()
	in.tasks.Go(func() {
		ctx, cancel := in.lasting(ctx)
		defer cancel()
		err := guarded(ctx, p, ex)
		ex.join()
		if err != nil {
			r.fail(ctx, ex, err, true)
		}
		if done != nil {
			done(ex, err)
		}
		ex.Release()
	})
}

// lasting returns a context with the values of ctx, but for its transactions. It does not
// end with the call in which ctx was given, but with the work of the intake and the term
// of ctx.
func (in *intake) lasting(ctx context.Context) (context.Context, func()) {
	o := originOf(ctx)
	work := in.work
	ctx = outlived{ctx}
	switch {
	case o.engine != in.run.engine || o.lasting == nil:
	case o.in == in:
		work = o.lasting
	case o.in != nil && o.lasting == o.in.work: // of a route without a term, whose end is its own
	default: // the term of the route that sent it
		joined, cancel := context.WithCancelCause(o.lasting)
		stop := endsWith(in.work, cancel)
		return values{joined, ctx}, func() { stop(); cancel(nil) }
	}
	return values{work, ctx}, func() {}
}

// Background makes the route run f in a goroutine of its own while it is started. stop
// is done when the route's consumer has returned, and with it all that was in flight.
// What f has to do after that it does under work, which is done when the drain time is
// over; then it returns. What was registered first is stopped first.
func (b *Builder) Background(f func(stop, work context.Context)) {
	b.route.background = append(b.route.background, f)
}

// runBackground starts the background of the route. The function it returns stops it,
// one after the other, and waits for what exchanges have left running.
func (in *intake) runBackground() (stop func()) {
	var stops []func()
	for _, f := range in.run.background {
		ctx, cancel := context.WithCancel(in.work)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			f(ctx, in.work)
		}()
		stops = append(stops, func() { cancel(); <-ended; in.tasks.Wait() })
	}
	return func() {
		in.tasks.Wait()
		for _, stop := range stops {
			stop()
		}
	}
}
