// Package failsafe lets circuit breakers of failsafe-go decide for routes, such as those with
// random or computed delays, or those that a program has already:
//
//	breaker := circuitbreaker.NewBuilder[any]().WithFailureThresholdRatio(5, 10).WithDelay(time.Minute).Build()
//	options := route.CircuitBreakerOptions{Breaker: failsafe.Breaker(breaker)}
//
// Breakers of [route.NewBreaker] need no library. They have Camel's options, of which
// failsafe-go lacks a minimum of calls for windows that count, and the rate of slow calls.
package failsafe

import (
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/mehari-go/mehari/route"
)

// Breaker returns b as a breaker of routes. What its builder says about which results and
// errors are failures does not count; [route.CircuitBreakerOptions] tell that.
//
// failsafe-go does not know calls that are ignored. One counts as a success, while the
// breaker is closed; while it is half open, as a failure, because it tells nothing good.
func Breaker(b circuitbreaker.CircuitBreaker[any]) route.Breaker { return breaker{b} }

type breaker struct {
	circuitbreaker.CircuitBreaker[any]
}

// Begin implements [route.Breaker]. The number of a call is the state in which it began.
func (b breaker) Begin() (uint64, error) {
	if b.CircuitBreaker == nil {
		return 0, errors.New("failsafe: nil circuit breaker")
	}
	if b.TryAcquirePermit() {
		return uint64(b.CircuitBreaker.State()), nil
	}
	return 0, &route.CircuitOpenError{State: b.State(), After: b.RemainingDelay()}
}

// End implements [route.Breaker]. A call that began in another state says nothing.
func (b breaker) End(call uint64, _ time.Duration, outcome route.CallOutcome) {
	state := b.CircuitBreaker.State()
	switch {
	case call != uint64(state):
	case outcome == route.CallFailed, outcome == route.CallIgnored && state == circuitbreaker.HalfOpenState:
		b.RecordFailure()
	default:
		b.RecordSuccess()
	}
}

// State implements [route.Breaker].
func (b breaker) State() route.BreakerState {
	switch b.CircuitBreaker.State() {
	case circuitbreaker.OpenState:
		return route.BreakerOpen
	case circuitbreaker.HalfOpenState:
		return route.BreakerHalfOpen
	}
	return route.BreakerClosed
}
