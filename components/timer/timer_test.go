package timer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestComponent(t *testing.T) {
	routetest.TestComponent(t, routetest.Harness{
		New: timer.New,
		Configs: []routetest.Config{
			timer.Config{Name: "clock"},
			timer.Config{Name: "a/b", Period: new(time.Minute), Delay: new(time.Duration(0)), FixedRate: true, RepeatCount: 3, IncludeMetadata: true},
			timer.Config{Name: "kept", Misfire: "fire-once"},
			timer.Config{Name: "once", Period: new(time.Duration(0)), Time: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)},
		},
		Consumer: "timer:clock?period=1ms&delay=0",
	})
}

// ticks runs a timer for a time, and returns when it ticked after the start.
func ticks(t *testing.T, u route.URI, d time.Duration, process route.ProcessorFunc) (at []time.Duration, e *route.Engine) {
	t.Helper()
	begun := time.Now()
	e = routetest.Run(t, route.Config{Components: route.Components{"timer": timer.New()}},
		route.From(u).ID("r").Process(func(ctx context.Context, ex *route.Exchange) error {
			if ex.Body != nil {
				t.Errorf("body is %v, want none", ex.Body)
			}
			at = append(at, time.Since(begun))
			return process(ctx, ex)
		}))
	routetest.Advance(d)
	return at, e
}

func nothing(context.Context, *route.Exchange) error { return nil }

func seconds(n ...float64) (d []time.Duration) {
	for _, s := range n {
		d = append(d, time.Duration(s*float64(time.Second)))
	}
	return d
}

func TestTicks(t *testing.T) {
	slow := func(n int, d time.Duration) route.ProcessorFunc { // the first n take d
		return func(context.Context, *route.Exchange) error {
			if n--; n >= 0 {
				time.Sleep(d)
			}
			return errors.New("which does not stop a timer")
		}
	}
	start := "2000-01-01T00:00:00Z" // of a synctest bubble's clock
	for _, tt := range []struct {
		name    string
		uri     route.URI
		process route.ProcessorFunc
		during  time.Duration
		want    []time.Duration
		state   route.State
	}{
		{"by default every second", "timer:clock", nothing, 3500 * time.Millisecond, seconds(1, 2, 3), route.Started},
		{"period in milliseconds", "timer:clock?period=500", nothing, 2100 * time.Millisecond, seconds(1, 1.5, 2), route.Started},
		{"without delay", "timer:clock?delay=0", nothing, 1500 * time.Millisecond, seconds(0, 1), route.Started},
		{"once", "timer:clock?period=0", nothing, time.Minute, seconds(1), route.Done},
		{"three times", "timer:clock?repeatCount=3", nothing, time.Minute, seconds(1, 2, 3), route.Done},
		{"without pause", "timer:clock?delay=-1&repeatCount=4", nothing, time.Minute, seconds(0, 0, 0, 0), route.Done},
		{"at a time", "timer:clock?repeatCount=2&time=2000-01-01T00:00:10Z", nothing, time.Minute, seconds(10, 11), route.Done},
		{"at a time that is over", "timer:clock?repeatCount=2&time=1999-12-31T23:59:59.5Z", nothing, time.Minute, seconds(0, 1), route.Done},
		{"at a fixed rate from a time that is over", "timer:clock?fixedRate=true&repeatCount=3&time=1999-12-31T23:59:30.7Z", nothing, time.Minute, seconds(0, .7, 1.7), route.Done},
		{"failing", "timer:clock", slow(0, 0), 3500 * time.Millisecond, seconds(1, 2, 3), route.Started},
		{"short of a period", "timer:clock", slow(9, 900*time.Millisecond), 3500 * time.Millisecond, seconds(1, 2, 3), route.Started},
		{"longer than a period, at a fixed delay", "timer:clock", slow(1, 3500*time.Millisecond), 7 * time.Second, seconds(1, 4.5, 5.5, 6.5), route.Started},
		{"longer than a period, at a fixed rate", "timer:clock?fixedRate=true", slow(1, 3500*time.Millisecond), 7 * time.Second, seconds(1, 4.5, 4.5, 4.5, 5, 6, 7), route.Started},
		{
			"much longer than a period, at a fixed rate", "timer:clock?fixedRate=true&repeatCount=14", slow(1, time.Hour), 2 * time.Hour,
			append(seconds(1), append(slices.Repeat(seconds(3601), 11), seconds(3602, 3603)...)...), route.Done,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if now := time.Now().UTC().Format(time.RFC3339); now != start {
					t.Fatalf("the bubble begins at %s", now)
				}
				got, e := ticks(t, tt.uri, tt.during, tt.process)
				if !slices.Equal(got, tt.want) {
					t.Errorf("ticks at\n\t%v, want\n\t%v", got, tt.want)
				}
				if s, _ := e.Status().Route("r"); s.State != tt.state {
					t.Errorf("the route is %s, want %s", s.State, tt.state)
				}
			})
		})
	}
}

func TestDoesNotTickOnceStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticked := 0
		e := routetest.Run(t, route.Config{Components: route.Components{"timer": timer.New()}},
			route.From("timer:clock").ID("r").Process(func(context.Context, *route.Exchange) error { ticked++; return nil }))
		for range 3 { // exactly when a tick is due
			routetest.Advance(time.Second - 1)
			begun := time.Now()
			if err := e.Stop(t.Context(), "r"); err != nil || time.Since(begun) != 0 {
				t.Fatalf("Stop took %v: %v", time.Since(begun), err)
			}
			routetest.Advance(time.Minute)
			if err := e.Start("r"); err != nil {
				t.Fatal(err)
			}
		}
		if ticked != 0 {
			t.Errorf("ticked %d times, want 0", ticked)
		}
	})
}

func TestMetadata(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		routetest.Run(t, route.Config{Components: route.Components{"timer": timer.New(), "mock": mock}},
			route.From("timer:clock?includeMetadata=true&repeatCount=2").To("mock:with"),
			route.From("timer:clock?repeatCount=2").To("mock:without"))
		begun := time.Now()
		routetest.Advance(time.Minute)
		mock.Check(t, "with", routetest.Count(2),
			routetest.Property("CamelTimerName", "clock"),
			routetest.Property("CamelTimerPeriod", time.Second))
		for i, ex := range mock.Got("with") {
			fired := begun.Add(time.Duration(i+1) * time.Second)
			if n, _ := timer.Counter.Get(ex); n != int64(i+1) {
				t.Errorf("counter is %d, want %d", n, i+1)
			}
			if at, _ := timer.FiredTime.Get(ex); !at.Equal(fired) {
				t.Errorf("fired at %v, want %v", at, fired)
			}
			if at, _ := timer.FiredTimeHeader.Get(ex); !at.Equal(fired) {
				t.Errorf("header says fired at %v, want %v", at, fired)
			}
			if ms, _ := timer.MessageTimestamp.Get(ex); ms != fired.UnixMilli() {
				t.Errorf("timestamp is %d, want %d", ms, fired.UnixMilli())
			}
		}
		mock.Check(t, "without", routetest.Count(2), routetest.Each("no headers and properties", func(ex *route.Exchange) bool {
			for range ex.Headers() {
				return false
			}
			for range ex.Properties() {
				return false
			}
			return true
		}))
	})
}

func TestRefuses(t *testing.T) {
	for u, want := range map[route.URI]string{
		"timer:":                                         `nothing after "timer:"`,
		"timer:a?perod=1s":                               `unknown option "perod" (did you mean period?)`,
		"timer:a?period=-1":                              `option "period": want 0 (one tick) or 1ms to 876000h0m0s, have -1ms`,
		"timer:a?period=1ns":                             `option "period": want 0 (one tick) or 1ms to`,
		"timer:a?period=2000000h":                        `option "period": want 0 (one tick) or 1ms to`,
		"timer:a?period=9999999999999999999":             `option "period": want a duration like 500ms`,
		"timer:a?delay=-5s":                              `option "delay": want 0 to 876000h0m0s, or -1 (no pause between ticks), have -5s`,
		"timer:a?delay=-1&period=1s":                     `option "period" has no meaning with delay=-1`,
		"timer:a?delay=-1&fixedRate=true":                `option "fixedRate" has no meaning with delay=-1`,
		"timer:a?delay=1&time=2030-01-01T00:00:00Z":      `options "delay" and "time" exclude each other`,
		"timer:a?time=tomorrow":                          `option "time"`,
		"timer:a?time=1700-01-01T00:00:00Z&misfire=skip": `option "time": want a time from 1970 on with misfire, have 1700-01-01 00:00:00 +0000 UTC`,
		"timer:a?period=0&fixedRate=true":                `option "fixedRate" has no meaning with period=0`,
		"timer:a?period=0&repeatCount=2":                 `option "repeatCount": period=0 means one tick, have 2`,
		"timer:a?repeatCount=-1":                         `option "repeatCount": want 0 (without end) or more, have -1`,
	} {
		_, err := route.New(route.Config{Components: route.Components{"timer": timer.New()}}, route.From(u))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, want %q", u, err, want)
		}
	}
	_, err := route.New(route.Config{Components: route.Components{"timer": timer.New()}}, route.From("timer:ok").To("timer:a"))
	if want := "cannot be sent to"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("have %v, want %q", err, want)
	}
}

func Example() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.MessageKey {
			return a
		}
		return slog.Attr{}
	}}))
	ticks := timer.Config{Name: "tick", Period: new(10 * time.Millisecond), RepeatCount: 3, IncludeMetadata: true}
	ctx, stop := context.WithCancel(context.Background())
	e, err := route.New(route.Config{Components: route.Components{"timer": timer.New()}, Logger: logger},
		route.From(ticks.URI()).
			Log("tick ${exchangeProperty.CamelTimerCounter}").
			Process(func(_ context.Context, ex *route.Exchange) error {
				if n, _ := timer.Counter.Get(ex); n == 3 {
					stop()
				}
				return nil
			}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Run(ctx))
	// Output:
	// msg="tick 1"
	// msg="tick 2"
	// msg="tick 3"
	// <nil>
}
