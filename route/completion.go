package route

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// A DoneFunc is called when an exchange is done: see [Exchange.OnDone].
type DoneFunc func(ctx context.Context, ex *Exchange, err error) error

// OnDone makes f be called when the exchange is done: when the first route that it came
// to has ended, before the consumer hears of it, with the error it hears of, or nil. A part
// of a split, and every other exchange that a step makes and waits for, is done when its
// steps are; a clone in another route is done with that route.
//
// What was registered last is called first. An error that f returns, and a panic in it, is
// added to that of the exchange, which then has failed, also for those that are called
// after f. Where the time of the exchange is over they have as long as [Config.Abandon].
// Only the owner of an exchange may call OnDone. Clones do not inherit what is registered.
func (ex *Exchange) OnDone(f DoneFunc) {
	ex.guard()
	ex.onDone = append(ex.onDone, doneCall{f: f})
}

// A doneCall is what [Exchange.OnDone] or onDoneWith was given.
type doneCall struct {
	f     DoneFunc
	keyed keyedDone
	key   string
	again bool // a step that is run again has registered it
}

// A keyedDone serves many exchanges.
type keyedDone interface {
	complete(ctx context.Context, key string, err error) error
}

// onDoneWith is OnDone for what serves many exchanges. It does not allocate.
func (ex *Exchange) onDoneWith(k keyedDone, key string) {
	ex.onDone = append(ex.onDone, doneCall{keyed: k, key: key})
}

// again tells that the step is run again which has registered all but the first n.
func (ex *Exchange) again(n int) {
	for i := range ex.onDone[n:] {
		ex.onDone[n+i].again = true
	}
}

// resumes tells, once, that k and key are registered by a step that is run again.
func (ex *Exchange) resumes(k keyedDone, key string) bool {
	for i := range ex.onDone {
		if c := &ex.onDone[i]; c.again && c.keyed == k && c.key == key {
			c.again = false
			return true
		}
	}
	return false
}

// done ends the outermost call that leads ex through steps.
func (ex *Exchange) done(ctx context.Context, err error) error {
	if len(ex.onDone) > 0 {
		ctx, cancel := lastly(ctx, ex.at.engine.config.Abandon)
		defer cancel()
		for n := len(ex.onDone); n > 0; n = len(ex.onDone) {
			call := ex.onDone[n-1]
			ex.onDone[n-1] = doneCall{}
			ex.onDone = ex.onDone[:n-1]
			err = joined(err, call.do(ctx, ex, err))
		}
	}
	ex.inside = false
	return err
}

func (c doneCall) do(ctx context.Context, ex *Exchange, err error) (failed error) {
	defer func() {
		if p := recover(); p != nil {
			failed = newPanicError(p)
		}
	}()
	if c.keyed != nil {
		return c.keyed.complete(ctx, c.key, err)
	}
	return c.f(ctx, ex, err)
}

// joined is errors.Join that leaves one error as it is.
func joined(err, more error) error {
	if err == nil || more == nil {
		return cmp.Or(err, more)
	}
	return errors.Join(err, more)
}

// lastly returns the context for what must be done in any case: where ctx is done, there is
// some time left.
func lastly(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	if ctx.Err() == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(context.WithoutCancel(ctx), grace)
}
