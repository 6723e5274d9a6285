package route

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The properties that tell what a [Route.CircuitBreaker] has made of an exchange.
var (
	CircuitSuccessful     = NewProperty[bool]("CamelResponseSuccessfulExecution") // the body has succeeded
	CircuitFromFallback   = NewProperty[bool]("CamelResponseFromFallback")        // the fallback was run
	CircuitShortCircuited = NewProperty[bool]("CamelResponseShortCircuited")      // the breaker has refused it
	CircuitTimedOut       = NewProperty[bool]("CamelResponseTimedOut")            // the body took longer than Timeout
	CircuitRejected       = NewProperty[bool]("CamelResponseRejected")            // the body was not run
	CircuitIgnored        = NewProperty[bool]("CamelResponseIgnored")             // the error was one to ignore
	CircuitState          = NewProperty[string]("CamelResponseState")             // the [BreakerState] afterwards
)

// CircuitBreakerOptions are the options of [Route.CircuitBreaker].
type CircuitBreakerOptions struct {
	// Breaker decides; nil means one of the step's own, which Config describes.
	Breaker Breaker
	Config  BreakerConfig

	// Timeout is how long the body may take before it fails; 0 means without end. The body
	// is not left behind: it hears of it by its context and has to return.
	Timeout time.Duration

	// BulkheadMaxConcurrentCalls is how many exchanges may be in the body at a time; 0 means
	// any number. Others fail with a [*RejectedError], for which the breaker does not care,
	// after they have waited for BulkheadMaxWaitDuration, which is 0 by default.
	BulkheadMaxConcurrentCalls int
	BulkheadMaxWaitDuration    time.Duration

	// Record tells which errors of the body count as failures; nil means all. Those that do
	// not, count as successes. It and Ignore are given the *[StepError] around the error of a
	// step, through which errors.Is and errors.As see.
	Record func(error) bool

	// Ignore tells which errors do not count at all; nil means none. They go on as the
	// exchange's, without the fallback.
	Ignore func(error) bool
}

// CircuitBreaker runs body as long as that succeeds often enough, and does not even try for
// a while where it does not: see [BreakerConfig]. Where body is not run, or fails, fallback is
// run, with the exchange as it came to the step and the error in the property [Caught].
// Without a fallback, which is nil then, the error is the exchange's, such as a
// [*CircuitOpenError]. An empty fallback lets the exchange go on as it came.
//
// Errors in body are for the breaker: an [OnError] clause only finds what leaves the step.
// Exchanges whose context has ended do not count.
func (c *chain[Self]) CircuitBreaker(body, fallback *Block, options ...CircuitBreakerOptions) Self {
	return c.add(breakerStep{body, fallback, options})
}

type breakerStep struct {
	body, fallback *Block
	options        []CircuitBreakerOptions
}

func (breakerStep) String() string { return "circuit breaker" }

func (s breakerStep) Build(b *Builder) Processor {
	o := only(b, s.options)
	switch {
	case o.Breaker != nil && o.Config != BreakerConfig{}:
		b.Errorf("want a Breaker or a Config, have both")
	case o.Breaker == nil:
		var err error
		if o.Breaker, err = NewBreaker(o.Config); err != nil {
			b.Errorf("%w", err)
		}
	}
	if o.Timeout < 0 || o.BulkheadMaxConcurrentCalls < 0 || o.BulkheadMaxWaitDuration < 0 {
		b.Errorf("want a Timeout, a BulkheadMaxConcurrentCalls and a BulkheadMaxWaitDuration that are not negative, have %v, %d and %v",
			o.Timeout, o.BulkheadMaxConcurrentCalls, o.BulkheadMaxWaitDuration)
	}
	if o.BulkheadMaxWaitDuration > 0 && o.BulkheadMaxConcurrentCalls == 0 {
		b.Errorf("want a BulkheadMaxWaitDuration only with a BulkheadMaxConcurrentCalls")
	}
	if s.body == nil || len(s.body.steps) == 0 {
		b.Errorf("want a block with steps: route.Do()")
	}
	c := &circuit{CircuitBreakerOptions: o, body: b.Unhandled(s.body)}
	if s.fallback != nil {
		c.fallback = b.Block(s.fallback)
	}
	return c
}

type circuit struct {
	CircuitBreakerOptions
	bulkhead line
	body     Processor
	fallback Processor // nil for none
}

func (c *circuit) Process(ctx context.Context, ex *Exchange) error {
	o, err := c.try(ctx, ex)
	if ctx.Err() != nil && err != nil {
		return err
	}
	falls := err != nil && c.fallback != nil && !o.ignored
	c.note(ex, o, err == nil, falls)
	if !falls {
		return err
	}
	Caught.Set(ex, err)
	return c.fallback.Process(ctx, ex)
}

// An obstacle is why the body has not succeeded.
type obstacle struct{ refused, rejected, late, ignored bool }

// try runs the body, if it may be run. Where that fails ex is as it was.
func (c *circuit) try(ctx context.Context, ex *Exchange) (o obstacle, err error) {
	if c.BulkheadMaxConcurrentCalls > 0 {
		if err := c.enter(ctx, ex); err != nil {
			return obstacle{rejected: true}, err
		}
		defer c.bulkhead.leave()
	}
	call, err := c.Breaker.Begin()
	if err != nil {
		return obstacle{refused: true, rejected: true}, err
	}
	sub, begun, outcome := ex.trial(), time.Now(), CallFailed
	defer func() {
		sub.Release()
		c.Breaker.End(call, time.Since(begun), outcome)
	}()
	o.late, err = c.run(ctx, sub)
	switch {
	case err == nil:
		ex.become(sub)
		outcome = CallSucceeded
	case ctx.Err() != nil:
		outcome = CallIgnored
	case c.Ignore != nil && c.Ignore(err):
		outcome, o.ignored = CallIgnored, true
	case c.Record != nil && !c.Record(err):
		outcome = CallSucceeded
	}
	return o, err
}

// run runs the body and tells whether it was too late.
func (c *circuit) run(ctx context.Context, ex *Exchange) (late bool, err error) {
	if c.Timeout == 0 {
		return false, guarded(ctx, c.body, ex)
	}
	timeout := &lateError{c.Timeout}
	timed, cancel := context.WithTimeoutCause(ctx, c.Timeout, timeout)
	defer cancel()
	if err = guarded(timed, c.body, ex); err == nil || context.Cause(timed) != error(timeout) {
		return false, err
	}
	if !errors.Is(err, timeout) {
		err = fmt.Errorf("%w: %w", timeout, err)
	}
	return true, err
}

// A lateError says that the body of a circuit breaker took too long.
type lateError struct{ after time.Duration }

func (e *lateError) Error() string { return fmt.Sprintf("not done within %v", e.after) }

// Unwrap makes it a [context.DeadlineExceeded].
func (e *lateError) Unwrap() error { return context.DeadlineExceeded }

// enter takes a place in the bulkhead.
func (c *circuit) enter(ctx context.Context, ex *Exchange) error {
	if ok, _ := c.bulkhead.enter(c.BulkheadMaxConcurrentCalls); ok {
		return nil
	}
	full := &RejectedError{Size: c.BulkheadMaxConcurrentCalls}
	if c.BulkheadMaxWaitDuration == 0 {
		return full
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.BulkheadMaxWaitDuration, full)
	defer cancel()
	return c.bulkhead.wait(ctx, ex, c.BulkheadMaxConcurrentCalls, false)
}

// note sets the properties.
func (c *circuit) note(ex *Exchange, o obstacle, successful, falls bool) {
	CircuitSuccessful.Set(ex, successful)
	CircuitFromFallback.Set(ex, falls)
	CircuitState.Set(ex, string(c.Breaker.State()))
	for _, p := range [...]struct {
		key Key[bool]
		is  bool
	}{{CircuitShortCircuited, o.refused}, {CircuitRejected, o.rejected}, {CircuitTimedOut, o.late}, {CircuitIgnored, o.ignored}} {
		if was, _ := p.key.Get(ex); was != p.is { // it may be that of another breaker
			p.key.Set(ex, p.is)
		}
	}
}
