package route_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

var errDown = errors.New("down")

// responses shows the properties that a circuit breaker has set to true, and the state.
func responses(ex *route.Exchange) string {
	var set []string
	for name, value := range ex.Properties() {
		if short, ok := strings.CutPrefix(name, "CamelResponse"); ok && value != false {
			set = append(set, strings.TrimSuffix(fmt.Sprint(short, "=", value), "=true"))
		}
	}
	slices.Sort(set)
	return strings.Join(set, " ")
}

func TestCircuitBreaker(t *testing.T) {
	type o = route.CircuitBreakerOptions
	fails := func() *route.Block { return route.Do().SetBody("half done").SetHeader("h", 1).Throw(errDown) }
	fallback := func() *route.Block {
		return route.Do().SetBody(func(ex *route.Exchange) any { return fmt.Sprint(ex.Body, ex.Header("h"), " instead") })
	}
	small := route.BreakerConfig{SlidingWindowSize: 2}
	for _, test := range []struct {
		name           string
		body, fallback *route.Block
		options        o
		times          int // before the one that counts
		want           string
	}{
		{"succeeds", route.Do().SetBody("done"), fallback(), o{}, 0, "done <nil> | State=CLOSED SuccessfulExecution"},
		{"fails", fails(), nil, o{}, 0, "b down | State=CLOSED"},
		{"falls back", fails(), fallback(), o{}, 0, "b<nil> instead <nil> | FromFallback State=CLOSED"},
		{"falls back to nothing", fails(), route.Do(), o{}, 0, "b <nil> | FromFallback State=CLOSED"},
		{"fallback fails", fails(), route.Do().ThrowText("too"), o{}, 0, "b too | FromFallback State=CLOSED"},
		{"opens", fails(), nil, o{Config: small}, 1, "b down | State=OPEN"},
		{"open", fails(), nil, o{Config: small}, 2, "b the circuit breaker is open, for another 1m0s | Rejected ShortCircuited State=OPEN"},
		{"open, falls back", fails(), fallback(), o{Config: small}, 2, "b<nil> instead <nil> | FromFallback Rejected ShortCircuited State=OPEN"},
		{"late", route.Do().Delay(time.Hour), nil, o{Timeout: time.Second}, 0, "b not done within 1s | State=CLOSED TimedOut"},
		{"late, falls back", route.Do().SetBody("x").Delay(time.Hour), fallback(), o{Timeout: time.Second}, 0, "b<nil> instead <nil> | FromFallback State=CLOSED TimedOut"},
		{"late ones count", route.Do().Delay(time.Hour), fallback(), o{Timeout: time.Second, Config: small}, 1, "b<nil> instead <nil> | FromFallback State=OPEN TimedOut"},
		{"in time", route.Do().Delay(time.Second), nil, o{Timeout: time.Minute}, 0, "b <nil> | State=CLOSED SuccessfulExecution"},
		{"ignored", fails(), fallback(), o{Config: small, Ignore: func(err error) bool { return errors.Is(err, errDown) }}, 3, "b down | Ignored State=CLOSED"},
		{"not recorded", fails(), fallback(), o{Config: small, Record: func(err error) bool { return !errors.Is(err, errDown) }}, 3, "b<nil> instead <nil> | FromFallback State=CLOSED"},
		{"panics", route.Do().Process(func(context.Context, *route.Exchange) error { panic("at the disco") }), fallback(), o{Config: small}, 1, "b<nil> instead <nil> | FromFallback State=OPEN"},
		{"stops", route.Do().SetBody("x").Stop(), nil, o{}, 0, "x <nil> | State=CLOSED SuccessfulExecution"},
		{"slow", route.Do().Delay(time.Second), nil, o{Config: route.BreakerConfig{SlidingWindowSize: 2, SlowCallDurationThreshold: time.Second}}, 1, "b <nil> | State=OPEN SuccessfulExecution"},
	} {
		synctest.Test(t, func(t *testing.T) {
			k := start(t, route.Config{Poison: true}, route.From("in:x").CircuitBreaker(test.body, test.fallback, test.options))
			for range test.times {
				_ = k.give("x", route.NewExchange("b"))
			}
			ex := route.NewExchange("b")
			err := k.give("x", ex)
			for errors.Unwrap(err) != nil {
				if _, isStep := errors.AsType[*route.StepError](err); !isStep {
					break
				}
				err = errors.Unwrap(err)
			}
			if got := fmt.Sprint(ex.Body, " ", err, " | ", responses(ex)); got != test.want {
				t.Errorf("%s: %s, want %s", test.name, got, test.want)
			}
		})
	}
}

// The fallback finds the error, and what an earlier breaker has told is not left there.
func TestCircuitBreakerTellsTheFallback(t *testing.T) {
	ex := route.NewExchange("b")
	_, _, err := through(t, ex, func(r *route.Route) {
		r.CircuitBreaker(route.Do().Delay(time.Hour), route.Do().SetHeader("why", route.Simple("${exception.message}")), route.CircuitBreakerOptions{Timeout: time.Second}).
			CircuitBreaker(route.Do().SetHeader("and", "then"), nil)
	})
	if want := map[string]any{"why": "not done within 1s", "and": "then"}; err != nil || !maps.Equal(maps.Collect(ex.Headers()), want) {
		t.Error(maps.Collect(ex.Headers()), err)
	}
	if got := responses(ex); got != "State=CLOSED SuccessfulExecution" {
		t.Error(got)
	}
}

// One breaker can be that of several steps.
func TestCircuitBreakerIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := route.CircuitBreakerOptions{Breaker: newBreaker(t, route.BreakerConfig{SlidingWindowSize: 2})}
		k := start(t, route.Config{},
			route.From("in:a").CircuitBreaker(route.Do().Throw(errDown), nil, o),
			route.From("in:b").CircuitBreaker(route.Do().SetBody("done"), nil, o))
		k.send(t, "b", 1)
		_ = k.give("a", route.NewExchange(1))
		if err := k.give("b", route.NewExchange(1)); err == nil || o.Breaker.State() != route.BreakerOpen {
			t.Error(err, o.Breaker.State())
		}
		time.Sleep(time.Minute)
		for range 10 {
			k.send(t, "b", 1)
		}
		if o.Breaker.State() != route.BreakerClosed {
			t.Error(o.Breaker.State())
		}
	})
}

func TestCircuitBreakerBulkhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		k := start(t, route.Config{Drain: time.Hour}, route.From("in:x").CircuitBreaker(route.Do().Delay(time.Second), nil,
			route.CircuitBreakerOptions{BulkheadMaxConcurrentCalls: 2, BulkheadMaxWaitDuration: 1500 * time.Millisecond}))
		var all sync.WaitGroup
		for i := range 6 {
			all.Go(func() {
				ex := route.NewExchange(nil)
				err := k.give("x", ex)
				want := []time.Duration{1e9, 1e9, 2e9, 2e9, 15e8, 15e8}[i]
				rejected, _ := errors.AsType[*route.RejectedError](err)
				if took := time.Since(begun); took != want || (rejected != nil) != (i > 3) || i > 3 && responses(ex) != "Rejected State=CLOSED" {
					t.Errorf("%d: after %v %v, %s", i, took, err, responses(ex))
				}
			})
			synctest.Wait()
		}
		all.Wait()
	})
}

// An exchange whose time is over counts neither way, and needs no fallback.
func TestCircuitBreakerAndTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := route.CircuitBreakerOptions{Breaker: newBreaker(t, route.BreakerConfig{SlidingWindowSize: 1})}
		k := start(t, route.Config{}, route.From("in:x").CircuitBreaker(route.Do().Delay(time.Hour), route.Do().SetBody("fallback"), o))
		n, gone := k.nextOf("x"), errors.New("gone")
		ctx, cancel := context.WithTimeoutCause(route.Work(n.ctx), time.Second, gone)
		defer cancel()
		ex := route.NewExchange("b")
		if err := n.Process(ctx, ex); !errors.Is(err, gone) || ex.Body != "b" || o.Breaker.State() != route.BreakerClosed {
			t.Error(err, ex.Body, o.Breaker.State())
		}
	})
}

func TestBadCircuitBreakers(t *testing.T) {
	type o = route.CircuitBreakerOptions
	shared := newBreaker(t, route.BreakerConfig{})
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").
		CircuitBreaker(nil, nil, o{Config: route.BreakerConfig{FailureRateThreshold: 200}, Timeout: -1}).
		CircuitBreaker(route.Do(), nil, o{Breaker: shared, Config: route.BreakerConfig{SlidingWindowSize: 1}, BulkheadMaxWaitDuration: 1})),
		`circuit breaker: want FailureRateThreshold from 0 to 100, have 200`,
		`circuit breaker: want a Timeout, a BulkheadMaxConcurrentCalls and a BulkheadMaxWaitDuration that are not negative, have -1ns, 0 and 0s`,
		`circuit breaker: want a block with steps: route.Do()`,
		`circuit breaker: want a Breaker or a Config, have both`,
		`circuit breaker: want a BulkheadMaxWaitDuration only with a BulkheadMaxConcurrentCalls`,
		`circuit breaker: want a block with steps: route.Do()`)
}
