package route_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

func TestRedeliveryEndsWithTheRoute(t *testing.T) {
	for name, test := range map[string]struct {
		policy route.Redelivery
		took   time.Duration
		err    string
	}{
		"while stopping":     {route.Redelivery{Maximum: -1, Delay: time.Second}, 9500 * time.Millisecond, "boom (not run again: route: stopped: the drain time is over)"},
		"not while stopping": {route.Redelivery{Maximum: -1, Delay: time.Minute, NotWhileStopping: true}, 2 * time.Second, "boom (not run again: route: the route stops)"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := start(t, route.Config{Drain: 7500 * time.Millisecond}, route.From("in:x").
					ErrorHandler(route.ErrorHandler{Redelivery: test.policy}).
					Process(func(context.Context, *route.Exchange) error { return errBoom }))
				begun := time.Now()
				acked := make(chan error, 1)
				go func() { acked <- k.give("x", route.NewExchange(nil)) }()
				time.Sleep(2 * time.Second)
				_ = k.stop()
				err := <-acked
				if took := time.Since(begun); took != test.took || err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%v after %v, want %s after %v", err, took, test.err, test.took)
				}
			})
		})
	}
}

func TestRedeliveryDelays(t *testing.T) {
	for _, test := range []struct {
		policy route.Redelivery
		want   []time.Duration
	}{
		{route.Redelivery{}, []time.Duration{time.Second, time.Second, time.Second}},
		{route.Redelivery{Delay: -1}, []time.Duration{0, 0, 0}},
		{route.Redelivery{Exponential: true}, []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}},
		{route.Redelivery{Exponential: true, Multiplier: 3, Delay: 10 * time.Second, MaxDelay: time.Minute * 2}, []time.Duration{10, 30, 90, 120}},
		{route.Redelivery{DelayPattern: "0:1000;3:5000;5:500ms"}, []time.Duration{1, 1, 5, 5, time.Second / 2}},
		{route.Redelivery{DelayPattern: "2:1000"}, []time.Duration{0, 1}},
	} {
		synctest.Test(t, func(t *testing.T) {
			test.policy.Maximum = len(test.want)
			var last time.Time
			var got []time.Duration
			k := start(t, route.Config{}, route.From("in:x").ErrorHandler(route.ErrorHandler{Redelivery: test.policy}).
				Process(func(context.Context, *route.Exchange) error {
					if !last.IsZero() {
						got = append(got, time.Since(last))
					}
					last = time.Now()
					return errBoom
				}))
			_ = k.give("x", route.NewExchange(nil))
			for i, d := range test.want {
				if d < time.Microsecond {
					test.want[i] = d * time.Second
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%+v: %v, want %v", test.policy, got, test.want)
			}
		})
	}
}

func TestCollisionAvoidance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Time
		k := start(t, route.Config{}, route.From("in:x").
			ErrorHandler(route.ErrorHandler{Redelivery: route.Redelivery{Maximum: 50, CollisionAvoidance: 0.15}}).
			Process(func(context.Context, *route.Exchange) error { times = append(times, time.Now()); return errBoom }))
		_ = k.give("x", route.NewExchange(nil))
		least, most := time.Hour, time.Duration(0)
		for i := range len(times) - 1 {
			d := times[i+1].Sub(times[i])
			least, most = min(least, d), max(most, d)
		}
		if least < 850*time.Millisecond || most > 1150*time.Millisecond || most-least < 50*time.Millisecond {
			t.Errorf("delays from %v to %v", least, most)
		}
	})
}
