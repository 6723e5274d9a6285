package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// noted gathers lines from many goroutines.
type noted struct {
	mu    sync.Mutex
	lines []string
}

func (n *noted) add(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

// take returns the lines, sorted, since it was called last.
func (n *noted) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	defer func() { n.lines = nil }()
	slices.Sort(n.lines)
	return n.lines
}

func TestWireTap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n noted
		k := &kit{to: map[string]route.ProcessorFunc{"tap": func(ctx context.Context, ex *route.Exchange) error {
			time.Sleep(time.Second)
			n.add("%v h=%v p=%v reply=%v", ex.Body, ex.Header("h"), ex.Property("p"), ex.ReplyExpected())
			ex.SetHeader("h", "theirs")
			ex.Body = "theirs"
			return ctx.Err()
		}}}
		k.start(t, route.Config{Poison: true}, route.From("in:x").SetProperty("p", 1).
			WireTap("to:tap").
			WireTap("to:tap", route.TapOptions{Body: route.Simple("new ${body}")}).
			WireTap("to:tap", route.TapOptions{Body: route.Constant(nil)}).
			WireTap("to:tap", route.TapOptions{NoCopy: true}).
			WireTap("to:tap", route.TapOptions{NoCopy: true, Body: route.Simple("${header.h}"), Prepare: func(_ context.Context, ex *route.Exchange) error {
				ex.SetHeader("h", fmt.Sprint(ex.Header("h"), " of tap"))
				return nil
			}}).
			WireTapD("to:${header.h}", route.TapOptions{NoCopy: true, Dynamic: route.DynamicOptions{AllowedSchemes: []string{"to"}}}).
			SetHeader("h", "after"))
		begun := time.Now()
		ex := route.NewRequest("b")
		ex.SetHeader("h", "tap")
		if err := k.give("x", ex); err != nil || ex.Body != "b" || ex.Header("h") != "after" || time.Since(begun) != 0 {
			t.Errorf("%v, %v, %v after %v", ex.Body, ex.Header("h"), err, time.Since(begun))
		}
		ex.Release()
		time.Sleep(time.Second)
		synctest.Wait()
		wantLines(t, "tapped", n.take(),
			"<nil> h=<nil> p=<nil> reply=false",
			"<nil> h=<nil> p=<nil> reply=false",
			"<nil> h=tap p=1 reply=false",
			"b h=tap p=1 reply=false",
			"new b h=tap p=1 reply=false",
			"tap h=<nil> of tap p=<nil> reply=false",
		)
	})
}

func TestWireTapFailsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		fails := func(context.Context, *route.Exchange) error { return boom }
		panics := func(context.Context, *route.Exchange) error { panic("crash") }
		k := &kit{to: map[string]route.ProcessorFunc{"bad": fails, "panic": panics, "ok": nop}}
		var places []string
		k.start(t, route.Config{Poison: true}, func() *route.Route {
			first := here(1)
			r := route.From("in:x").WireTap("to:bad").
				WireTap("to:panic").
				WireTap("call:y").
				WireTap("to:ok", route.TapOptions{Prepare: fails}).
				WireTap("to:ok", route.TapOptions{Prepare: panics}).
				WireTap("to:ok", route.TapOptions{Body: func(*route.Exchange) (any, error) { return nil, boom }}).
				WireTapD("${body}:x").
				WireTapD("${body}:x", route.TapOptions{Dynamic: route.DynamicOptions{IgnoreInvalidEndpoint: true}})
			file, line, _ := strings.Cut(first, ":")
			for i := range 7 {
				var n int
				_, _ = fmt.Sscan(line, &n)
				places = append(places, fmt.Sprintf("%s:%d", file, n+i))
			}
			return r
		}(), route.From("call:y").Process(fails))
		inner := here(-1)
		if got := k.send(t, "x", "no"); got != "no" {
			t.Errorf("body %v", got)
		}
		synctest.Wait()
		logs := k.logs.take()
		for i, line := range logs {
			logs[i], _, _ = strings.Cut(line, " stack=")
		}
		slices.Sort(logs)
		var want []string
		for _, w := range []string{
			`step=wire tap "to:bad" place=` + places[0] + " error=to:bad: boom",
			`step=wire tap "to:panic" place=` + places[1] + " error=panic: crash",
			`step=process place=` + inner + " error=boom",
			`step=wire tap "to:ok" place=` + places[3] + " error=boom",
			`step=wire tap "to:ok" place=` + places[4] + " error=panic: crash",
			`step=wire tap "to:ok" place=` + places[5] + " error=boom",
			`step=wire tap "${body}:x" place=` + places[6] + ` error="no:x": no component "no" (have call, in, queue, to)`,
		} {
			name := "route1"
			if strings.HasPrefix(w, "step=process") {
				name = "route2"
			}
			want = append(want, "ERROR exchange failed route="+name+" exchange=ID "+w)
		}
		for i := range logs {
			logs[i] = short(logs[i])
		}
		var failures []string
		for _, line := range logs {
			if strings.HasPrefix(line, "ERROR") {
				failures = append(failures, line)
			}
		}
		slices.Sort(failures)
		slices.Sort(want)
		wantLines(t, "logs", failures, want...)
		if n := len(logs) - len(failures); n != 1 {
			t.Errorf("%d other lines in the log, want 1: %q", n, logs)
		}
	})
}

func TestWireTapHasABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kit{to: map[string]route.ProcessorFunc{"slow": func(context.Context, *route.Exchange) error {
			time.Sleep(10 * time.Second)
			return nil
		}}}
		k.start(t, route.Config{Poison: true}, route.From("in:x").WireTap("to:slow", route.TapOptions{MaxInFlight: 2}))
		begun := time.Now()
		for i, want := range []time.Duration{0, 0, 10 * time.Second, 10 * time.Second, 20 * time.Second} {
			k.send(t, "x", i)
			if took := time.Since(begun); took != want {
				t.Errorf("%d: after %v, want %v", i, took, want)
			}
		}
		enough := errors.New("enough")
		n := k.nextOf("x")
		ctx, cancel := context.WithTimeoutCause(route.Work(n.ctx), time.Second, enough)
		defer cancel()
		k.send(t, "x", 5)
		begun = time.Now()
		ex := route.NewExchange(6)
		if err := n.Process(ctx, ex); !errors.Is(err, enough) || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		ex.Release()
	})
}

func TestStopWaitsForTaps(t *testing.T) {
	for _, c := range []struct {
		takes, stops time.Duration
		what         string
	}{
		{5 * time.Second, 5 * time.Second, "done"},
		{time.Hour, 10 * time.Second, "route: stopped: the drain time is over"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var n noted
			k := &kit{to: map[string]route.ProcessorFunc{"tap": func(ctx context.Context, _ *route.Exchange) error {
				select {
				case <-time.After(c.takes):
					n.add("done")
					return nil
				case <-ctx.Done():
					n.add("%v", context.Cause(ctx))
					return context.Cause(ctx)
				}
			}}}
			k.start(t, route.Config{Drain: 10 * time.Second, Poison: true}, route.From("in:x").WireTap("to:tap"))
			place := here(-1)
			k.send(t, "x", 1)
			begun := time.Now()
			err := k.stop()
			if time.Since(begun) != c.stops {
				t.Errorf("stopped after %v, want %v", time.Since(begun), c.stops)
			}
			wantLines(t, "tap", n.take(), c.what)
			if c.what != "done" {
				wantError(t, err, "route: after 10s in flight and given up: 1\n\t"+place+
					`: route "route1": exchange ID: wire tap "to:tap": in flight for 10s`)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// A tap goes on when the exchange is done, but not when the term is over.
func TestTapsEndWithTheTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := errors.New("the term is over")
		var n noted
		k := &kit{to: map[string]route.ProcessorFunc{"tap": func(ctx context.Context, _ *route.Exchange) error {
			<-ctx.Done()
			n.add("%v", context.Cause(ctx))
			return nil
		}}}
		var endTerm context.CancelCauseFunc
		wrap := consumers(func(ctx context.Context, next route.Processor) error {
			work, end := context.WithCancelCause(route.Work(ctx))
			endTerm = end
			return (&in{k, "x"}).Consume(route.WithWork(ctx, work), next)
		})
		k.start(t, route.Config{Components: wrap}, route.From("c:x").WireTap("to:tap").WireTap("call:y"), route.From("call:y").WireTap("to:tap"))
		k.send(t, "x", 1)
		time.Sleep(time.Minute)
		synctest.Wait()
		wantLines(t, "before", n.take())
		endTerm(lost)
		synctest.Wait()
		wantLines(t, "after", n.take(), lost.Error(), lost.Error())
	})
}

func TestWireTapMistakes(t *testing.T) {
	err := new(kit).build(route.Config{}, route.From("in:x").
		WireTap("too:x?secret=1").
		WireTap("in:x").
		WireTap("to:x", route.TapOptions{MaxInFlight: -1}).
		WireTap("to:x", route.TapOptions{Body: "${body}"}).
		WireTap("to:x", route.TapOptions{Dynamic: route.DynamicOptions{CacheSize: 1}}).
		WireTap("to:x", route.TapOptions{}, route.TapOptions{}).
		WireTapD("too:${body}"))
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		_, what, _ := strings.Cut(line, `wire tap `)
		lines = append(lines, what)
	}
	wantLines(t, "mistakes", lines,
		`"too:x?secret=xxxxx": no component "too" (did you mean to?) (have call, in, queue, to)`,
		`"in:x": in:x cannot be sent to`,
		`"to:x": MaxInFlight: want from 0, which means 1000, to 1000000, have -1`,
		`"to:x": the text "${body}" would not be evaluated: use route.Simple, or route.Constant to have it as it is`,
		`"to:x": Dynamic has no meaning for an endpoint that is known when the route is built`,
		`"to:x": want one route.TapOptions, have 2`,
		`"too:${body}": no component "too" (did you mean to?) (have call, in, queue, to)`,
	)
}

func TestDynamicEndpointsAreIntercepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n noted
		k := &kit{to: map[string]route.ProcessorFunc{"a": nop}}
		k.start(t, route.Config{Routes: route.Configuration{Intercept: []*route.Interceptor{
			route.InterceptSendTo("to:*").Process(func(_ context.Context, ex *route.Exchange) error {
				n.add("%v", ex.Property("CamelInterceptedEndpoint"))
				return nil
			}),
		}}}, route.From("in:x").ToD("to:${body}").RoutingSlip(route.Simple("to:${body}")).WireTapD("to:${body}?x=1"))
		k.send(t, "x", "a")
		synctest.Wait()
		wantLines(t, "intercepted", n.take(), "to:a", "to:a", "to:a")
	})
}
