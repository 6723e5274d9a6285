package route

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// A handledPipeline is a pipeline in a route that handles errors.
type handledPipeline struct {
	first *stage
	*errorHandling
}

func (p *handledPipeline) Process(ctx context.Context, ex *Exchange) error {
	if p.original && ex.original == nil { // it is a part
		ex.original = ex.snapshot()
	}
	for s := p.first; s != nil && !ex.stopped; s = s.next {
		if s.step != 0 {
			if ctx.Err() != nil {
				return s.blame(ex, context.Cause(ctx))
			}
			ex.flight.at(s.step)
		}
		var before *Exchange
		registered := len(ex.onDone)
		if p.redelivers && s.step != 0 && !s.tries {
			before = ex.snapshot()
		}
		err := guarded(ctx, s.p, ex)
		if err != nil && err != errFiltered {
			err = p.handle(ctx, ex, s, err, before, registered)
		}
		if before != nil {
			before.Release()
		}
		if err != nil {
			return s.blame(ex, err)
		}
	}
	return nil
}

// snapshot returns an exchange that keeps the body and headers.
func (ex *Exchange) snapshot() *Exchange {
	ex.shareBody()
	s := NewExchange(ex.Body)
	s.headers.copyFrom(&ex.headers)
	return s
}

// restore gives ex the body and, unless only that is wanted, the headers of a snapshot.
func (ex *Exchange) restore(s *Exchange, use originalUse) {
	if s == nil || use == asItIs {
		return
	}
	ex.Body = s.Body
	if use == originalMessage {
		ex.headers.reset()
		ex.headers.copyFrom(&s.headers)
	}
}

// handle does what is to be done about the error of a step. Where it returns nil, the
// exchange goes on, or was stopped because its failure is handled. before is what the
// step was given, nil where it cannot be run again, and registered how many functions of
// OnDone are not its own.
func (h *errorHandling) handle(ctx context.Context, ex *Exchange, s *stage, err error, before *Exchange, registered int) error {
	failed := s.failure(ex, err)
	if failed.has(h) || ctx.Err() != nil { // met further inside, or given up
		return failed
	}
	for n := 1; ; n++ {
		c, err := h.find(ctx, ex, failed)
		if err != nil {
			return h.worse(failed, err)
		}
		if n == 1 {
			ex.forgetFailure()
		}
		Caught.Set(ex, failed)
		FailureRoute.Set(ex, failed.Route)
		if s.endpoint != "" {
			FailureEndpoint.Set(ex, s.endpoint)
		}
		occurred, again, policy, retryWhile := h.say(c)
		if err := hook(ctx, occurred, ex); err != nil {
			return h.worse(failed, err)
		}
		if before == nil || failed.exhausted {
			return h.exhausted(ctx, ex, c, failed)
		}
		more := policy.Maximum < 0 || n <= policy.Maximum
		if retryWhile != nil {
			if more, err = holds(ctx, retryWhile, ex, false); err != nil {
				return h.worse(failed, err)
			}
		}
		if !more || policy.NotWhileStopping && ex.at.isStopping() {
			failed.exhausted = n > 1
			return h.exhausted(ctx, ex, c, failed)
		}
		if err := h.wait(ctx, ex, policy, failed, n); err != nil {
			return err
		}
		ex.restore(before, originalMessage)
		ex.again(registered)
		ex.stopped = false
		maximum := policy.Maximum
		if retryWhile != nil {
			maximum = -1
		}
		ex.redelivered(n, maximum)
		if err := hook(ctx, again, ex); err != nil {
			return h.worse(failed, err)
		}
		ex.at.redelivered.Add(1)
		ex.flight.at(s.step)
		err = guarded(ctx, s.p, ex)
		if err == nil || err == errFiltered {
			return err
		}
		failed = s.failure(ex, err)
		failed.Attempts = n + 1
		if ctx.Err() != nil || failed.has(h) {
			return failed
		}
		ex.redelivered(n, maximum) // a route further in may have had its own
	}
}

// redelivered tells that a step is run for the n-th time again, of a maximum if that is
// more than 0.
func (ex *Exchange) redelivered(n, maximum int) {
	Redelivered.Set(ex, true)
	RedeliveryCounter.Set(ex, n)
	if maximum > 0 {
		RedeliveryMaximum.Set(ex, maximum)
	}
}

// forgetFailure takes away what an earlier failure has left.
func (ex *Exchange) forgetFailure() {
	ex.properties.remove(func(name string) bool {
		for _, p := range [...]*key{Redelivered.key, RedeliveryCounter.key, RedeliveryMaximum.key, RedeliveryExhausted.key, FailureEndpoint.key} {
			if equalFold(name, p.name.text) {
				return true
			}
		}
		return false
	})
}

// say returns what is to be done about an error: what its clause says, or the handler.
func (h *errorHandling) say(c *clause) (occurred, again ProcessorFunc, policy *redelivery, retryWhile Predicate) {
	occurred, again, policy, retryWhile = h.def.OnOccurred, h.def.OnRedelivery, &h.policy, h.retryWhile
	if c == nil {
		return occurred, again, policy, retryWhile
	}
	if c.occurred != nil {
		occurred = c.occurred
	}
	if c.again != nil {
		again = c.again
	}
	switch {
	case c.policy != nil:
		policy, retryWhile = c.policy, nil
	case c.then != nil && c.retryWhile == nil: // as in Camel
		policy, retryWhile = &redelivery{}, nil
	}
	if c.retryWhile != nil {
		retryWhile = c.retryWhile
	}
	return occurred, again, policy, retryWhile
}

// wait waits before the n-th redelivery.
func (h *errorHandling) wait(ctx context.Context, ex *Exchange, policy *redelivery, failed *StepError, n int) error {
	d := policy.delay(n)
	if log := ex.at.engine.logger; log.Enabled(ctx, policy.AttemptLevel.Level()) {
		log.LogAttrs(ctx, policy.AttemptLevel.Level(), "step failed: running it again", append(failed.attrs(),
			slog.Int("attempt", n), slog.Duration("delay", d))...)
	}
	if policy.NotWhileStopping {
		stopping, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer ex.at.whenStopping(cancel)()
		ctx = stopping
	}
	if err := ex.pause(ctx, d, policy.AsyncDelay); err != nil {
		return failed.because(fmt.Errorf("%w (not run again: %w)", failed.Err, err))
	}
	return nil
}

// exhausted does what is left to do about a step that is not run again.
func (h *errorHandling) exhausted(ctx context.Context, ex *Exchange, c *clause, failed *StepError) error {
	failed.met = append(failed.met, h)
	use := asItIs
	switch {
	case c != nil && c.original != asItIs:
		use = c.original
	case c != nil && c.then != nil:
	case h.def.UseOriginalMessage:
		use = originalMessage
	case h.def.UseOriginalBody:
		use = originalBody
	}
	if c != nil || h.deadLetter != nil {
		RedeliveryExhausted.Set(ex, true)
		ex.restore(ex.original, use)
		ex.stopped = false
	}
	if c == nil {
		return h.bury(ctx, ex, failed)
	}
	failed.met = append(failed.met, c.ErrorClause)
	failed.exhausted = failed.exhausted || c.then != nil || c.policy != nil // for routes further out
	if c.then != nil {
		if err := ex.careOf(ctx, c.ErrorClause, c.then); err != nil {
			return h.worse(failed, err)
		}
		ex.stopped = false
	}
	continued, err := holds(ctx, c.continued, ex, false)
	if err != nil {
		return h.worse(failed, err)
	}
	handled, err := holds(ctx, c.handled, ex, false)
	switch {
	case err != nil:
		return h.worse(failed, err)
	case continued:
		return nil
	case handled:
		ex.stopped = true
		ex.at.handled.Add(1)
		return nil
	case c.then != nil:
		return failed
	}
	return h.bury(ctx, ex, failed)
}

// bury sends the exchange to the dead letter endpoint, if there is one.
func (h *errorHandling) bury(ctx context.Context, ex *Exchange, failed *StepError) error {
	if h.deadLetter == nil || failed.has(h.def) || ex.cares.has(h.def) {
		return failed
	}
	failed.met = append(failed.met, h.def)
	if err := hook(ctx, h.def.Prepare, ex); err != nil {
		return h.worse(failed, err)
	}
	if err := ex.careOf(ctx, h.def, h.deadLetter); err != nil {
		return h.worse(failed, fmt.Errorf("dead letter endpoint %q: %w", h.def.DeadLetter, err))
	}
	ex.stopped = true
	ex.at.handled.Add(1)
	ex.at.engine.logger.LogAttrs(ctx, h.level.Level(), "exchange failed and went to the dead letter endpoint",
		append(failed.attrs(), slog.String("deadLetter", h.def.DeadLetter.String()))...)
	return nil
}

// worse returns the failure with an error that its handling has met.
func (h *errorHandling) worse(failed *StepError, err error) error {
	if !failed.has(h) {
		failed.met = append(failed.met, h)
	}
	return failed.because(fmt.Errorf("%w; and then %w", failed.Err, err))
}

// hook runs a function of the error handling, which may be nil.
func hook(ctx context.Context, f ProcessorFunc, ex *Exchange) error {
	if f == nil {
		return nil
	}
	return guarded(ctx, f, ex)
}

// failure returns the error of the stage, which is that of a step further inside or
// further away if that has one.
func (s *stage) failure(ex *Exchange, err error) *StepError {
	inner, ok := errors.AsType[*StepError](err)
	if ok && err == error(inner) {
		return inner.because(inner.Err)
	}
	failed := s.stepError(ex, err)
	if ok { // several, or wrapped
		failed.met, failed.exhausted = slices.Clip(inner.met), inner.exhausted
	}
	return failed
}
