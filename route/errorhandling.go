package route

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// The properties of an exchange that a step has failed with. Camel has those of the
// redelivery as headers; but they are nothing that should travel.
var (
	Redelivered         = NewProperty[bool]("CamelRedelivered")         // the step is run again
	RedeliveryCounter   = NewProperty[int]("CamelRedeliveryCounter")    // for the n-th time
	RedeliveryMaximum   = NewProperty[int]("CamelRedeliveryMaxCounter") // of so many; not there where that is not known
	RedeliveryExhausted = NewProperty[bool]("CamelRedeliveryExhausted") // and will not be any more
	FailureRoute        = NewProperty[string]("CamelFailureRouteId")    // the id of the route that failed
	FailureEndpoint     = NewProperty[string]("CamelFailureEndpoint")   // the endpoint that failed, if the step was one
)

// errorHandling is what a route does about errors.
type errorHandling struct {
	def        *ErrorHandler
	clauses    []*clause
	deadLetter Processor // nil for none
	policy     redelivery
	retryWhile Predicate
	level      slog.Leveler
	redelivers bool // some policy does
	original   bool // some clause wants the message as it came
}

// A clause is an [ErrorClause] that was built.
type clause struct {
	*ErrorClause
	when       Predicate // nil for always
	handled    Predicate // nil for never
	continued  Predicate // nil for never
	retryWhile Predicate // nil where the policy counts
	policy     *redelivery
	then       Processor // nil for no steps
}

// errorHandling builds what the configurations of the route say. It returns nil where
// errors go back to the consumer as they are.
func (b *Builder) errorHandling() *errorHandling {
	h := &errorHandling{level: slog.LevelError}
	for _, c := range b.configurations {
		if h.def == nil && c.ErrorHandler != nil {
			h.def = c.ErrorHandler
		}
		for _, done := range c.OnCompletion {
			h.original = h.original || done != nil && done.original != asItIs
		}
		all := ""
		for i, clause := range c.OnError {
			if clause == nil {
				b.Errorf("error clause %d is nil", i+1)
				continue
			}
			if all != "" {
				b.step = placed{Step: configured(clause.name), place: clause.place}
				b.Errorf("it is never reached: the clause at %s matches every error", all)
			}
			if clause.all && clause.when == nil {
				all = clause.place.String()
			}
			h.clauses = append(h.clauses, b.clause(clause))
		}
	}
	if h.def == nil && h.clauses == nil && !h.original {
		return nil
	}
	h.buildDefault(b)
	for _, c := range h.clauses {
		h.redelivers = h.redelivers || c.policy != nil && c.policy.Maximum != 0 || c.retryWhile != nil
		h.original = h.original || c.original != asItIs
	}
	return h
}

func (h *errorHandling) buildDefault(b *Builder) {
	if h.def == nil {
		h.def = new(ErrorHandler)
	}
	b.step = placed{Step: configured("error handler"), place: b.route.def.place}
	var err error
	if h.policy, err = h.def.Redelivery.build(); err != nil {
		b.Errorf("%w", err)
	}
	if h.def.RetryWhile != nil {
		h.retryWhile = b.Predicate(h.def.RetryWhile)
	}
	if h.def.DeadLetter != "" {
		h.deadLetter = b.Producer(h.def.DeadLetter)
	}
	if h.def.Level != nil {
		h.level = h.def.Level
	}
	h.redelivers = h.policy.Maximum != 0 || h.retryWhile != nil
	h.original = h.original || h.def.UseOriginalMessage || h.def.UseOriginalBody
	b.step = b.route.begin()
}

func (b *Builder) clause(def *ErrorClause) *clause {
	b.step = placed{Step: configured(def.name), place: def.place}
	c := &clause{ErrorClause: def}
	if def.matches == nil {
		b.Errorf("nil function")
	}
	c.when, c.handled, c.continued = b.all(def.when), b.all(def.handled), b.all(def.continued)
	if def.handled != nil && def.continued != nil {
		b.Errorf("want it to be handled or continued, not both")
	}
	if def.retry != nil {
		c.retryWhile = b.Predicate(def.retry)
	}
	if def.policy != nil {
		policy, err := def.policy.build()
		if err != nil {
			b.Errorf("%w", err)
		}
		c.policy = &policy
	}
	if len(def.steps) > 0 {
		c.then = b.beside(def.name, def.place, def.steps)
	}
	return c
}

// all returns the predicate that holds where all of conds do, nil for none.
func (b *Builder) all(conds []Cond) Predicate {
	var built []Predicate
	for _, c := range conds {
		built = append(built, b.Predicate(c))
	}
	if built == nil {
		return nil
	}
	return func(ctx context.Context, ex *Exchange) (bool, error) {
		for _, p := range built {
			if ok, err := p(ctx, ex); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	}
}

// find returns the first clause that matches, and the error of a condition if that fails.
func (h *errorHandling) find(ctx context.Context, ex *Exchange, failed *StepError) (*clause, error) {
	for _, c := range h.clauses {
		if failed.has(c.ErrorClause) || ex.cares.has(c.ErrorClause) {
			continue
		}
		matches := func(context.Context, *Exchange) (bool, error) { return c.matches(failed), nil }
		ok, err := holds(ctx, matches, ex, true)
		if ok && err == nil {
			ok, err = holds(ctx, c.when, ex, true)
		}
		if ok || err != nil {
			return c, err
		}
	}
	return nil, nil
}

// A care is a clause or a handler that takes care of an exchange just now. What fails
// meanwhile, here or in a route that the exchange is sent to, does not meet it again.
type care struct {
	of    any
	outer *care
}

func (c *care) has(of any) bool {
	for ; c != nil; c = c.outer {
		if c.of == of {
			return true
		}
	}
	return false
}

// careOf runs p while the exchange is in the care of a clause or a handler.
func (ex *Exchange) careOf(ctx context.Context, of any, p Processor) error {
	outer := ex.cares
	ex.cares = &care{of, outer}
	defer func() { ex.cares = outer }()
	return guarded(ctx, p, ex)
}

// holds evaluates a predicate of the error handling; none has a value of its own.
func holds(ctx context.Context, p Predicate, ex *Exchange, none bool) (ok bool, err error) {
	if p == nil {
		return none, nil
	}
	defer func() {
		if v := recover(); v != nil {
			err = newPanicError(v)
		}
	}()
	return p(ctx, ex)
}

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
