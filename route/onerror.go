package route

import (
	"errors"
	"log/slog"
)

// An ErrorHandler says what becomes of an exchange that fails in a route, where no
// [OnError] clause says otherwise. It is given to a route, to a [Configuration] or, in
// [Config.Routes], to an engine; the innermost one counts. The zero value, which is also
// what holds where there is none, runs nothing again and returns the error to the
// consumer.
type ErrorHandler struct {
	// DeadLetter is the endpoint that the exchange is sent to in the end; "" for none. With
	// that it is done with, as a success. If it cannot be sent there the consumer gets
	// both errors, and so still has the message.
	DeadLetter URI

	// Redelivery says how often the step that failed is run again before.
	Redelivery Redelivery

	// RetryWhile runs the step again as long as it holds, instead of Redelivery.Maximum.
	RetryWhile Cond

	// UseOriginalMessage sends the message to DeadLetter as it came to the route, or, in a
	// part of a [Route.Split] and its like, as that began; UseOriginalBody only its body.
	UseOriginalMessage, UseOriginalBody bool

	// OnOccurred is run each time that a step has failed, OnRedelivery before each time
	// that it is run again, and Prepare before DeadLetter. They find the error in the
	// property [Caught]. Their own errors end the handling.
	OnOccurred, OnRedelivery, Prepare ProcessorFunc

	// Level is that of the one record that tells the failure; nil means error.
	Level slog.Leveler
}

// An ErrorClause says what to do about some errors: see [OnError].
type ErrorClause struct {
	chain[*ErrorClause]
	name      string
	place     Position
	matches   func(error) bool
	all       bool // matches every error
	when      []Cond
	handled   []Cond
	continued []Cond
	retry     Cond
	policy    *Redelivery
	original  originalUse
	occurred  ProcessorFunc
	again     ProcessorFunc
}

// An originalUse is what is taken of the message as it came to the route.
type originalUse uint8

const (
	asItIs originalUse = iota
	originalBody
	originalMessage
)

// OnError starts a clause for errors of type E, also where they are wrapped. Its steps
// run when the step that failed is not run again any more, with the error in the
// property [Caught]. After them the exchange fails with that error, unless it is
// [ErrorClause.Handled] or [ErrorClause.Continued].
//
// An error meets the clauses of its route, then those of its configurations, then those
// of the engine, each in their order, and the first that matches is taken. A clause that
// has steps is not followed by a dead letter endpoint, and runs a step again only if it
// has a [ErrorClause.Redeliver] of its own, as in Camel; one without steps does what the
// [ErrorHandler] says. Inside of a [Route.Try] none is taken; what leaves that is an error
// of the Try, which is not run again.
//
// An error that leaves a route by direct or its like meets the clauses of the route that
// has sent the exchange there, except those that it has met before.
func OnError[E error]() *ErrorClause {
	return newClause("on error "+typeName[E](), typeName[E]() == "error", func(err error) bool {
		_, ok := errors.AsType[E](err)
		return ok
	})
}

// OnErrorIs starts a clause like [OnError] for errors that are one of targets, as
// [errors.Is] tells.
func OnErrorIs(targets ...error) *ErrorClause {
	return newClause("on error", false, func(err error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	})
}

// OnErrorWhere starts a clause like [OnError] for errors that a function picks. It is given
// the *[StepError] around the error of the step, through which errors.Is and errors.As see.
func OnErrorWhere(matches func(error) bool) *ErrorClause {
	return newClause("on error", false, matches)
}

func newClause(name string, all bool, matches func(error) bool) *ErrorClause {
	c := &ErrorClause{name: name, all: all, matches: matches, place: caller()}
	c.self = c
	return c
}

// When makes the clause one for exchanges for which w holds, and what was given before.
func (c *ErrorClause) When(w Cond) *ErrorClause {
	c.when = append(c.when, w)
	return c
}

// Handled makes the exchange end here as a success, with what the steps of the clause
// leave in it as the reply, always or where all of the conditions hold.
func (c *ErrorClause) Handled(where ...Cond) *ErrorClause {
	c.handled = append([]Cond{true}, where...)
	return c
}

// Continued makes the exchange go on after the step that failed, always or where all of
// the conditions hold.
func (c *ErrorClause) Continued(where ...Cond) *ErrorClause {
	c.continued = append([]Cond{true}, where...)
	return c
}

// RetryWhile runs the step that failed again as long as w holds, after the delays of the
// clause's [Redelivery], whose Maximum does not count then.
func (c *ErrorClause) RetryWhile(w Cond) *ErrorClause {
	c.retry = w
	return c
}

// Redeliver says how often the step that failed is run again.
func (c *ErrorClause) Redeliver(r Redelivery) *ErrorClause {
	c.policy = &r
	return c
}

// UseOriginalMessage gives the steps of the clause, or the dead letter endpoint, the
// message as it came to the route: see [ErrorHandler].
func (c *ErrorClause) UseOriginalMessage() *ErrorClause { c.original = originalMessage; return c }

// UseOriginalBody is like [ErrorClause.UseOriginalMessage] and keeps the headers as they
// are.
func (c *ErrorClause) UseOriginalBody() *ErrorClause { c.original = originalBody; return c }

// OnOccurred makes f run each time that a step has failed, instead of that of the
// [ErrorHandler].
func (c *ErrorClause) OnOccurred(f ProcessorFunc) *ErrorClause { c.occurred = f; return c }

// OnRedelivery makes f run before each time that a step is run again, instead of that of
// the [ErrorHandler].
func (c *ErrorClause) OnRedelivery(f ProcessorFunc) *ErrorClause { c.again = f; return c }
