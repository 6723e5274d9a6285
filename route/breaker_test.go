package route_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// calls makes a breaker see calls: s for a success, f a failure, l a slow success, i one that
// is ignored, r one that must be refused, and . for the time of a second.
func calls(t *testing.T, b route.Breaker, calls string) {
	t.Helper()
	for at, c := range calls {
		if c == '.' {
			time.Sleep(time.Second)
			continue
		}
		number, err := b.Begin()
		if (err != nil) != (c == 'r') {
			t.Fatalf("%q at %d: %v in state %s", calls, at, err, b.State())
		}
		switch c {
		case 's':
			b.End(number, 0, route.CallSucceeded)
		case 'f':
			b.End(number, 0, route.CallFailed)
		case 'l':
			b.End(number, time.Minute, route.CallSucceeded)
		case 'i':
			b.End(number, 0, route.CallIgnored)
		}
	}
}

func newBreaker(t *testing.T, c route.BreakerConfig) route.Breaker {
	t.Helper()
	b, err := route.NewBreaker(c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBreaker(t *testing.T) {
	f := strings.Repeat
	small := route.BreakerConfig{SlidingWindowSize: 4, WaitDurationInOpenState: 3 * time.Second, PermittedNumberOfCallsInHalfOpenState: 2}
	timed := route.BreakerConfig{SlidingWindowTime: 10 * time.Second, MinimumNumberOfCalls: 4, FailureRateThreshold: 75}
	slow := route.BreakerConfig{SlidingWindowSize: 4, SlowCallRateThreshold: 50}
	for _, test := range []struct {
		name   string
		config route.BreakerConfig
		calls  string
		want   route.BreakerState
	}{
		{"defaults, too few", route.BreakerConfig{}, f("f", 99), route.BreakerClosed},
		{"defaults, all failed", route.BreakerConfig{}, f("f", 100), route.BreakerOpen},
		{"defaults, half failed", route.BreakerConfig{}, f("s", 50) + f("f", 50) + "r", route.BreakerOpen},
		{"defaults, fewer failed", route.BreakerConfig{}, f("f", 49) + f("s", 51), route.BreakerClosed},
		{"defaults, the oldest do not count", route.BreakerConfig{}, f("f", 49) + f("s", 51) + f("s", 49) + f("f", 49), route.BreakerClosed},
		{"defaults, the wait", route.BreakerConfig{}, f("f", 100) + f(".", 59) + "r" + "." + f("s", 9), route.BreakerHalfOpen},
		{"defaults, closed again", route.BreakerConfig{}, f("f", 100) + f(".", 60) + f("s", 6) + f("f", 4), route.BreakerClosed},
		{"defaults, open again", route.BreakerConfig{}, f("f", 100) + f(".", 60) + f("s", 5) + f("f", 5) + "r", route.BreakerOpen},
		{"the minimum is no more than the window", small, "sff" + "f", route.BreakerOpen},
		{"open again for as long", small, "ffff" + "..." + "ff" + "..r" + "." + "ss", route.BreakerClosed},
		{"closed again, it counts anew", small, "ffff" + "..." + "ss" + "fff", route.BreakerClosed},
		{"ignored ones do not count", small, "ffiiiif", route.BreakerClosed},
		{"ignored ones leave room for others", small, "ffff" + "..." + "iiii" + "sis", route.BreakerClosed},
		{"in time", timed, "fff....s", route.BreakerOpen},
		{"in time, too few failed", timed, "ff.ss", route.BreakerClosed},
		{"in time, the first do not count any more", timed, "fff..........sf", route.BreakerClosed},
		{"in time, after long", timed, "fff" + f(".", 1000) + "ff", route.BreakerClosed},
		{"in time, as it moves on", timed, "f.....ss....." + "ff.....", route.BreakerClosed},
		{"in time, moved on", timed, "f.....ss....." + "ff....." + "ff", route.BreakerOpen},
		{"slow", slow, "slls", route.BreakerOpen},
		{"not so slow", slow, "slss", route.BreakerClosed},
		{"all slow", route.BreakerConfig{SlidingWindowSize: 2}, "ll", route.BreakerOpen},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBreaker(t, test.config)
			calls(t, b, test.calls)
			if b.State() != test.want {
				t.Errorf("%s: %s, want %s", test.name, b.State(), test.want)
			}
		})
	}
}

// A call that ends in another state than that in which it began says nothing.
func TestBreakerForgetsCallsOfEarlierStates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(t, route.BreakerConfig{SlidingWindowSize: 2, PermittedNumberOfCallsInHalfOpenState: 1})
		late, _ := b.Begin()
		calls(t, b, "ff")
		time.Sleep(time.Minute)
		tried, err := b.Begin()
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Begin()
		if open, ok := errors.AsType[*route.CircuitOpenError](err); !ok || open.State != route.BreakerHalfOpen || open.After != 0 {
			t.Error(err)
		}
		b.End(late, 0, route.CallFailed)
		if b.State() != route.BreakerHalfOpen {
			t.Error(b.State())
		}
		b.End(tried, 0, route.CallFailed)
		time.Sleep(18 * time.Second)
		_, err = b.Begin()
		if open, ok := errors.AsType[*route.CircuitOpenError](err); !ok || open.State != route.BreakerOpen || open.After != 42*time.Second ||
			open.Error() != "the circuit breaker is open, for another 42s" {
			t.Error(err)
		}
	})
}

func TestBadBreakers(t *testing.T) {
	for _, c := range []route.BreakerConfig{
		{SlidingWindowSize: -1},
		{SlidingWindowSize: 10_000_000},
		{SlidingWindowSize: 1, SlidingWindowTime: 1},
		{SlidingWindowTime: -1},
		{MinimumNumberOfCalls: -1},
		{FailureRateThreshold: 101},
		{FailureRateThreshold: math.NaN()},
		{SlowCallRateThreshold: -1},
		{SlowCallDurationThreshold: -1},
		{WaitDurationInOpenState: -1},
		{PermittedNumberOfCallsInHalfOpenState: -1},
	} {
		if b, err := route.NewBreaker(c); err == nil || b != nil || !strings.HasPrefix(err.Error(), "want ") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
