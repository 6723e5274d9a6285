package route

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A Breaker decides whether calls may be made by how those before them have ended. Its
// methods are called by several goroutines at once. [NewBreaker] makes one.
type Breaker interface {
	// Begin asks for leave to make a call, and returns a number to end it with, or a
	// [*CircuitOpenError].
	Begin() (call uint64, err error)

	// End tells what became of a call that was allowed, and how long it took.
	End(call uint64, took time.Duration, outcome CallOutcome)

	// State tells how the breaker is.
	State() BreakerState
}

// A CallOutcome is what became of a call through a [Breaker].
type CallOutcome uint8

// The outcomes. A call that is ignored counts neither as a success nor as a failure.
const (
	CallSucceeded CallOutcome = iota
	CallFailed
	CallIgnored
)

// A BreakerState is how a [Breaker] is.
type BreakerState string

// The states: calls are made, are refused, or are tried.
const (
	BreakerClosed   BreakerState = "CLOSED"
	BreakerOpen     BreakerState = "OPEN"
	BreakerHalfOpen BreakerState = "HALF_OPEN"
)

// A CircuitOpenError says that a [Breaker] has refused a call.
type CircuitOpenError struct {
	State BreakerState  // [BreakerOpen] or [BreakerHalfOpen]
	After time.Duration // how long it stays open; 0 where that is not known
}

func (e *CircuitOpenError) Error() string {
	switch {
	case e.State == BreakerHalfOpen:
		return "the circuit breaker is half open: as many calls as it tries are on their way"
	case e.After > 0:
		return fmt.Sprintf("the circuit breaker is open, for another %v", e.After)
	}
	return "the circuit breaker is open"
}

// BreakerConfig says when a breaker opens and closes. Names and defaults are those of Camel
// and Resilience4j.
type BreakerConfig struct {
	// The last SlidingWindowSize calls count, 100 if it is 0; or, where SlidingWindowTime is
	// given, those of that time, which moves on in ten parts.
	SlidingWindowSize int
	SlidingWindowTime time.Duration

	// MinimumNumberOfCalls is how many must count before the breaker may open; 0 means 100.
	// It is never more than SlidingWindowSize.
	MinimumNumberOfCalls int

	// The breaker opens where at least FailureRateThreshold percent of the calls have
	// failed, 50 if it is 0, or SlowCallRateThreshold percent have taken
	// SlowCallDurationThreshold or longer, 100 and a minute if they are 0.
	FailureRateThreshold      float64
	SlowCallRateThreshold     float64
	SlowCallDurationThreshold time.Duration

	// WaitDurationInOpenState is how long it stays open; 0 means a minute. Then it is half
	// open: PermittedNumberOfCallsInHalfOpenState calls are made, 10 if it is 0, and by the
	// same rates it then opens again or closes.
	WaitDurationInOpenState               time.Duration
	PermittedNumberOfCallsInHalfOpenState int
}

const maxWindow = 1_000_000

// NewBreaker returns a breaker, which is closed. Steps that are given the same one share
// it. A bad configuration is an error.
func NewBreaker(c BreakerConfig) (Breaker, error) {
	var errs []error
	atLeast0 := func(name string, v float64, most float64) {
		if !(v >= 0 && v <= most) {
			errs = append(errs, fmt.Errorf("want %s from 0 to %v, have %v", name, most, v))
		}
	}
	atLeast0("SlidingWindowSize", float64(c.SlidingWindowSize), maxWindow)
	atLeast0("MinimumNumberOfCalls", float64(c.MinimumNumberOfCalls), maxWindow)
	atLeast0("PermittedNumberOfCallsInHalfOpenState", float64(c.PermittedNumberOfCallsInHalfOpenState), maxWindow)
	atLeast0("FailureRateThreshold", c.FailureRateThreshold, 100)
	atLeast0("SlowCallRateThreshold", c.SlowCallRateThreshold, 100)
	if c.SlidingWindowTime < 0 || c.SlowCallDurationThreshold < 0 || c.WaitDurationInOpenState < 0 {
		errs = append(errs, fmt.Errorf("want durations that are not negative, have %v, %v and %v", c.SlidingWindowTime, c.SlowCallDurationThreshold, c.WaitDurationInOpenState))
	}
	if c.SlidingWindowSize > 0 && c.SlidingWindowTime > 0 {
		errs = append(errs, errors.New("want a SlidingWindowSize or a SlidingWindowTime, have both"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	c.SlidingWindowSize = cmp.Or(c.SlidingWindowSize, 100)
	c.MinimumNumberOfCalls = cmp.Or(c.MinimumNumberOfCalls, 100)
	c.FailureRateThreshold = cmp.Or(c.FailureRateThreshold, 50)
	c.SlowCallRateThreshold = cmp.Or(c.SlowCallRateThreshold, 100)
	c.SlowCallDurationThreshold = cmp.Or(c.SlowCallDurationThreshold, time.Minute)
	c.WaitDurationInOpenState = cmp.Or(c.WaitDurationInOpenState, time.Minute)
	c.PermittedNumberOfCallsInHalfOpenState = cmp.Or(c.PermittedNumberOfCallsInHalfOpenState, 10)
	b := &breaker{BreakerConfig: c, state: BreakerClosed, base: time.Now()}
	if c.SlidingWindowTime > 0 {
		b.closed = &timeWindow{part: max(1, c.SlidingWindowTime/timeParts)}
	} else {
		b.closed = &callWindow{last: make([]call, c.SlidingWindowSize)}
		b.MinimumNumberOfCalls = min(c.MinimumNumberOfCalls, c.SlidingWindowSize)
	}
	return b, nil
}

// breaker is the Breaker of NewBreaker.
type breaker struct {
	BreakerConfig
	base time.Time

	mu     sync.Mutex
	state  BreakerState
	since  time.Duration // base
	period uint64        // how often the state has changed; the number of a call
	closed callStats
	tried  tally // of those in the half-open state
	begun  int   // of those
}

func (b *breaker) State() BreakerState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

func (b *breaker) Begin() (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == BreakerOpen {
		now := time.Since(b.base)
		if after := b.since + b.WaitDurationInOpenState - now; after > 0 {
			return 0, &CircuitOpenError{b.state, after}
		}
		b.become(BreakerHalfOpen, now)
	}
	if b.state == BreakerHalfOpen {
		if b.begun >= b.PermittedNumberOfCallsInHalfOpenState {
			return 0, &CircuitOpenError{State: b.state}
		}
		b.begun++
	}
	return b.period, nil
}

func (b *breaker) End(number uint64, took time.Duration, outcome CallOutcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if number != b.period {
		return // begun in another state: it says nothing about this one
	}
	if outcome == CallIgnored {
		if b.state == BreakerHalfOpen {
			b.begun-- // another one may be tried
		}
		return
	}
	now := time.Since(b.base)
	c := call{outcome == CallFailed, took >= b.SlowCallDurationThreshold}
	var t tally
	enough := b.MinimumNumberOfCalls
	if b.state == BreakerHalfOpen {
		b.tried.add(c, 1)
		t, enough = b.tried, b.PermittedNumberOfCallsInHalfOpenState
	} else {
		t = b.closed.add(now, c)
	}
	switch {
	case t.calls < enough:
	case t.rate(t.failed) >= b.FailureRateThreshold || t.rate(t.slow) >= b.SlowCallRateThreshold:
		b.become(BreakerOpen, now)
	case b.state == BreakerHalfOpen:
		b.become(BreakerClosed, now)
	}
}

// become changes the state. The lock is held.
func (b *breaker) become(s BreakerState, now time.Duration) {
	b.state, b.since = s, now
	b.period++
	b.begun, b.tried = 0, tally{}
	b.closed.reset()
}
