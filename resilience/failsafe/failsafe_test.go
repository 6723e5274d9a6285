package failsafe_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/resilience/failsafe"
	"github.com/mehari-go/mehari/route"
)

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := failsafe.Breaker(circuitbreaker.NewBuilder[any]().
			WithFailureThresholdRatio(2, 3).WithSuccessThreshold(2).WithDelay(time.Minute).Build())
		at := func(want route.BreakerState) {
			t.Helper()
			if b.State() != want {
				t.Fatalf("%s, want %s", b.State(), want)
			}
		}
		call := func(outcome route.CallOutcome) {
			t.Helper()
			n, err := b.Begin()
			if err != nil {
				t.Fatal(err)
			}
			b.End(n, 0, outcome)
		}
		late, _ := b.Begin()
		call(route.CallFailed)
		call(route.CallIgnored)
		at(route.BreakerClosed)
		call(route.CallFailed)
		at(route.BreakerOpen)
		time.Sleep(20 * time.Second)
		_, err := b.Begin()
		if open, ok := errors.AsType[*route.CircuitOpenError](err); !ok || open.State != route.BreakerOpen || open.After != 40*time.Second {
			t.Error(err)
		}
		time.Sleep(40 * time.Second)
		call(route.CallSucceeded)
		at(route.BreakerHalfOpen)
		b.End(late, 0, route.CallFailed)
		at(route.BreakerHalfOpen)
		call(route.CallIgnored)
		at(route.BreakerOpen)
		time.Sleep(time.Minute)
		first, _ := b.Begin()
		second, _ := b.Begin()
		_, err = b.Begin()
		if open, ok := errors.AsType[*route.CircuitOpenError](err); !ok || open.State != route.BreakerHalfOpen {
			t.Error(err)
		}
		b.End(first, 0, route.CallSucceeded)
		b.End(second, 0, route.CallSucceeded)
		at(route.BreakerClosed)
	})
	if _, err := failsafe.Breaker(nil).Begin(); err == nil {
		t.Error("no error of a breaker that is nil")
	}
}

func TestBreakerDoesNotAllocate(t *testing.T) {
	b := failsafe.Breaker(circuitbreaker.NewWithDefaults[any]())
	if n := testing.AllocsPerRun(100, func() {
		call, _ := b.Begin()
		b.End(call, 0, route.CallSucceeded)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A breaker of failsafe-go decides for a step, and can be asked and closed by hand.
func ExampleBreaker() {
	breaker := circuitbreaker.NewBuilder[any]().WithFailureThreshold(1).WithDelay(time.Hour).Build()
	prices := route.From("direct:prices").CircuitBreaker(
		route.Do().ThrowText("shop is closed"),
		route.Do().SetBody("yesterday's price"),
		route.CircuitBreakerOptions{Breaker: failsafe.Breaker(breaker)})

	engine, err := route.New(route.Config{Components: route.Components{"direct": direct.New()}}, prices)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	reply, err := engine.Request(ctx, "direct:prices", "camel")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(reply.Body, "-", breaker.State())
	breaker.Close()
	fmt.Println(breaker.State())
	cancel()
	fmt.Println(<-done)

	// Output:
	// yesterday's price - open
	// closed
	// <nil>
}
