package route

import (
	"context"
	"log/slog"
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
