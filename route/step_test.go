package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// through leads an exchange through a route with the steps that add adds, and returns
// what the steps "to:trace" saw.
func through(t *testing.T, ex *route.Exchange, add func(*route.Route)) (trace []any, logs []string, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := route.From("in:x")
		add(r)
		k := &kit{to: map[string]route.ProcessorFunc{"trace": func(_ context.Context, ex *route.Exchange) error {
			trace = append(trace, ex.Body)
			return nil
		}}}
		k.start(t, route.Config{}, r)
		err = k.give("x", ex)
		logs = k.logs.take()
	})
	return trace, logs, err
}

func append1(_ context.Context, ex *route.Exchange) error {
	ex.Body = fmt.Sprint(ex.Body, 1)
	return nil
}

func TestSetSteps(t *testing.T) {
	ex := route.NewExchange("body")
	ex.SetHeader("Old", 1)
	ex.SetHeader("X-Keep", 2)
	ex.SetHeader("x-drop", 3)
	_, _, err := through(t, ex, func(r *route.Route) {
		r.SetHeader("text", "${"[:1]+"1").
			SetHeader("number", 42).
			SetHeader("func", func(ex *route.Exchange) any { return ex.Body }).
			SetHeader("key", route.NewKey[int]("Old")).
			SetHeader("simple", route.Simple("${header.old}-${body}")).
			SetHeader("fun", route.Func(func(_ context.Context, s string) (int, error) { return len(s), nil })).
			SetHeader("raw", route.Constant("${body} {{x}}")).
			SetHeader("nil", nil).
			SetProperty("p", "property").
			SetProperty("q", route.NewProperty[string]("p")).
			RemoveHeader("OLD").
			RemoveHeaders("X-*", "*keep").
			Transform(func(ex *route.Exchange) (any, error) { return ex.Property("P"), nil }).
			Process(route.Map(func(_ context.Context, s string) (int, error) { return len(s), nil }))
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, v := range ex.Headers() {
		got = append(got, fmt.Sprintf("%s=%v", name, v))
	}
	want := []string{"X-Keep=2", "text=$1", "number=42", "func=body", "key=1", "simple=1-body", "fun=4", "raw=${body} {{x}}", "nil=<nil>"}
	if !slices.Equal(got, want) || ex.Body != 8 || ex.Property("q") != "property" {
		t.Errorf("headers %q, body %v, q %v; want %q, 8, property", got, ex.Body, ex.Property("q"), want)
	}
}

func TestRemoveHeadersPatterns(t *testing.T) {
	for pattern, want := range map[string]string{
		"*": "", "a*": "bc x-a", "*A": "ab abc bc", "*b*": "a x-a", "ab": "a abc bc x-a", "a*c": "a ab bc x-a", "**": "", "x-?": "a ab abc bc x-a", "*c*c*": "a ab abc bc x-a",
	} {
		ex := route.NewExchange(nil)
		for _, name := range []string{"a", "ab", "abc", "bc", "x-a"} {
			ex.SetHeader(name, 1)
		}
		if _, _, err := through(t, ex, func(r *route.Route) { r.RemoveHeaders(pattern) }); err != nil {
			t.Error(err)
		}
		var left []string
		for name := range ex.Headers() {
			left = append(left, name)
		}
		if got := strings.Join(left, " "); got != want {
			t.Errorf("%s leaves %q, want %q", pattern, got, want)
		}
	}
}

func TestManyHeadersAreRemovedAndSetAgain(t *testing.T) {
	ex := route.NewExchange(nil)
	for i := range 20 {
		ex.SetHeader(fmt.Sprint("h", i), i)
	}
	if _, _, err := through(t, ex, func(r *route.Route) {
		r.RemoveHeaders("h*", "h8", "h17", "h18").SetHeader("h17", "again").SetHeader("h8", "again").SetHeader("h0", "again").RemoveHeader("h18")
	}); err != nil {
		t.Error(err)
	}
	var got []string
	for name, value := range ex.Headers() {
		got = append(got, fmt.Sprint(name, "=", value))
	}
	wantLines(t, "headers", got, "h8=again", "h17=again", "h0=again")
}

func TestFilterAndChoice(t *testing.T) {
	is := func(want ...string) func(*route.Exchange) bool {
		return func(ex *route.Exchange) bool { return slices.Contains(want, ex.Body.(string)) }
	}
	for body, want := range map[string]string{
		"a": "[a in a after a B-a end a]", "b": "[b after b B-b end b]", "c": "[c]", "d": "[d after d otherwise end d]", "e": "[e after e otherwise end e]",
	} {
		trace, _, err := through(t, route.NewExchange(body), func(r *route.Route) {
			say := func(what string) route.ProcessorFunc {
				return func(_ context.Context, ex *route.Exchange) error {
					ex.SetProperty("said", fmt.Sprint(ex.Property("said"), " ", what))
					return nil
				}
			}
			r.To("to:trace").
				SetProperty("said", "").
				Filter(is("a"), route.Do().Process(say("in a"))).
				Filter(is("a", "b", "d", "e")).
				Process(say("after "+body)).
				Choice(
					route.When(is("a")).Filter(false).Process(say("never")),
					route.When(true).Process(say("unreached"))).
				Choice(
					route.When(is("a", "b")).Process(say("B-"+body)),
					route.When(func(*route.Exchange) (bool, error) { return body == "a", nil }).Process(say("never")),
					route.Otherwise().Process(say("otherwise"))).
				Process(say("end " + body)).
				SetBody(route.NewProperty[string]("said")).
				To("to:trace")
		})
		got := strings.ReplaceAll(strings.ReplaceAll(fmt.Sprint(trace), " unreached", ""), "  ", " ")
		if err != nil || got != want {
			t.Errorf("%s: %v, %v; want %s", body, got, err, want)
		}
	}
}

func TestChoiceByOneHeader(t *testing.T) { // which is built in a way of its own
	for _, header := range []any{"eu", "us", "EU", "asia", nil, 42} {
		ex := route.NewExchange("none")
		if header != nil {
			ex.SetHeader("region", header)
		}
		trace, _, err := through(t, ex, func(r *route.Route) {
			r.Choice(
				route.When(route.Is(region, "eu")).SetBody("eu"),
				route.When(route.Is(region, "us")).SetBody("us").Process(append1),
				route.When(route.Is(region, "eu")).SetBody("again"),
			).To("to:trace")
		})
		want := map[any]any{"eu": "eu", "us": "us1"}[header]
		if want == nil {
			want = "none"
		}
		if err != nil || !slices.Equal(trace, []any{want}) {
			t.Errorf("%v: %v, %v; want %v", header, trace, err, want)
		}
	}
}

func TestConditions(t *testing.T) {
	number := route.NewKey[int]("n")
	anything := route.NewKey[any]("bytes")
	for i, test := range []struct {
		cond route.Cond
		want bool
	}{
		{true, true},
		{false, false},
		{route.Is(number, 1), true},
		{route.Is(number, 2), false},
		{route.Is(route.NewKey[int64]("n"), 1), false},
		{route.Is(route.NewKey[int]("m"), 0), false},
		{route.Is(route.NewKey[string]("S"), "x"), true},
		{route.Is(route.NewKey[string]("n"), "1"), false},
		{route.Is(route.NewKey[string]("any"), "x"), true},
		{route.Is(route.NewKey[any]("s"), any("x")), true},
		{route.Is(route.NewProperty[string]("s"), "x"), false},
		{route.Where(func(n int) bool { return n == 7 }), true},
		{route.Where(func(s string) bool { return true }), false},
		{func(context.Context, *route.Exchange) (bool, error) { return true, nil }, true},
		{route.Predicate(func(context.Context, *route.Exchange) (bool, error) { return false, nil }), false},
	} {
		ex := route.NewExchange(7)
		number.Set(ex, 1)
		route.NewKey[string]("s").Set(ex, "x")
		ex.SetHeader("any", "x")
		anything.Set(ex, []byte("x"))
		trace, _, err := through(t, ex, func(r *route.Route) { r.Filter(test.cond).To("to:trace") })
		if err != nil || len(trace) == 1 != test.want {
			t.Errorf("condition %d: %v, %v; want %v", i, trace, err, test.want)
		}
	}
}

func TestStepErrors(t *testing.T) {
	boom := errors.New("boom")
	fails := func(context.Context, *route.Exchange) error { return boom }
	for i, test := range []struct {
		add  func(*route.Route)
		step string
		want string
	}{
		{func(r *route.Route) { r.Process(fails) }, "process", "boom"},
		{func(r *route.Route) {
			r.SetBody(route.Func(func(context.Context, string) (int, error) { return 0, nil }))
		}, "set body", "body is int, want string"},
		{func(r *route.Route) { r.SetHeader("h", func(*route.Exchange) (any, error) { return 1, boom }) }, `set header "h"`, "boom"},
		{func(r *route.Route) {
			r.Process(route.Map(func(context.Context, string) (int, error) { return 0, nil }))
		}, "process", "body is int, want string"},
		{func(r *route.Route) { r.Process(route.Map(func(context.Context, int) (int, error) { return 0, boom })) }, "process", "boom"},
		{func(r *route.Route) { r.Filter(func(*route.Exchange) (bool, error) { return true, boom }) }, "filter", "boom"},
		{func(r *route.Route) { r.Choice(route.When(func(*route.Exchange) (bool, error) { return true, boom })) }, "choice", "boom"},
		{func(r *route.Route) { r.Filter(true, route.Do().Choice(route.When(true).Process(fails))) }, "process", "boom"},
		{func(r *route.Route) {
			r.Split(func(*route.Exchange) (any, error) { return nil, boom }, route.Do().Process(nop))
		}, "split", "boom"},
		{func(r *route.Route) { r.Split(func(*route.Exchange) any { return 42 }, route.Do().Process(nop)) }, "split", "want a slice, an array, an iter.Seq or an iter.Seq2 of values and errors, have int"},
		{func(r *route.Route) { r.Delay(func(*route.Exchange) any { return "x" }) }, "delay", `want a duration that is not negative, have "x"`},
		{func(r *route.Route) { r.Delay(func(*route.Exchange) any { return true }) }, "delay", `want a time.Duration or a whole number of milliseconds, have bool`},
		{func(r *route.Route) { r.Log("${date:header.x:yyyy}") }, `log "${date:header.x:yyyy}"`, `simple: date:header.x: want a time or milliseconds, there is no header "x"`},
		{func(r *route.Route) { r.Process(func(context.Context, *route.Exchange) error { panic(boom) }) }, "process", "panic: boom"},
		{func(r *route.Route) { r.SetBody(1).SetBody(func(*route.Exchange) any { panic("x") }).SetBody(2) }, "set body", "panic: x"},
		{func(r *route.Route) { r.Filter(true, route.Do().Filter(func(*route.Exchange) bool { panic("x") })) }, "filter", "panic: x"},
		{func(r *route.Route) {
			r.Process(func(_ context.Context, ex *route.Exchange) error { ex.SetHeader("h", []int{1}); return nil }).
				Filter(route.Is(route.NewKey[any]("h"), any([]int{1})))
		}, "filter", "panic: runtime error: comparing uncomparable type []int"},
	} {
		ex := route.NewExchange(1)
		trace, logs, err := through(t, ex, func(r *route.Route) {
			test.add(r)
			r.To("to:trace")
		})
		se, ok := err.(*route.StepError)
		if !ok {
			t.Errorf("%d: error %v (%T)", i, err, err)
			continue
		}
		place := short(se.Place.String())
		if !strings.HasPrefix(place, "step_test.go:") {
			t.Errorf("%d: place %s", i, place)
		}
		wantError(t, err, fmt.Sprintf(`%s: route "route1": exchange ID: %s: %s`, place, test.step, test.want))
		if se.Exchange != ex.ID() || len(trace) != 0 || strings.Contains(test.want, "boom") != errors.Is(err, boom) {
			t.Errorf("%d: error of %s, exchange %s, then %v", i, se.Exchange, ex.ID(), trace)
		}
		p, isPanic := errors.AsType[*route.PanicError](err)
		stack := ""
		if isPanic {
			stack = " stack=" + string(p.Stack)
			if len(p.Stack) == 0 || strings.Contains(stack, "pipeline") {
				t.Errorf("%d: want the stack of the code that panicked, without ours: %s", i, stack)
			}
		}
		wantLines(t, "logs", logs, short(fmt.Sprintf("ERROR exchange failed route=route1 exchange=ID step=%s place=%s error=%s%s", test.step, place, test.want, stack)))
	}
}

func TestLog(t *testing.T) {
	ex := route.NewExchange("b")
	ex.SetHeader("h", []byte("bytes"))
	_, logs, err := through(t, ex, func(r *route.Route) {
		r.ID("orders").SetProperty("p", 1.5).Log("constant }} text").Log("").
			Log("${body} ${header.H} ${exchangeProperty.p} ${routeId} ${fromRouteId} ${exchangeId} ${header.none}.").Log("${date:now:yyyy-MM-dd}")
	})
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, "logs", logs,
		"INFO constant }} text route=orders exchange=ID",
		"INFO  route=orders exchange=ID",
		"INFO b bytes 1.5 orders orders ID . route=orders exchange=ID",
		"INFO 2000-01-01 route=orders exchange=ID")
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:x").
			Delay(time.Second).Delay(250).Delay("1500ms").Delay(uint8(250)).Delay(0).
			Delay(route.NewKey[time.Duration]("d")).Delay(func(*route.Exchange) any { return int64(1000) }))
		ex := route.NewExchange(nil)
		ex.SetHeader("d", time.Minute)
		begun := time.Now()
		if err := k.give("x", ex); err != nil || time.Since(begun) != time.Minute+4*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		ctx, cancel := context.WithCancelCause(k.nextOf("x").ctx)
		time.AfterFunc(10*time.Second, func() { cancel(errors.New("enough")) })
		begun = time.Now()
		err := k.nextOf("x").Process(ctx, ex)
		wantError(t, err, here(-11)+`: route "route1": exchange ID: delay: enough`)
		if time.Since(begun) != 10*time.Second {
			t.Errorf("cancelled after %v", time.Since(begun))
		}
	})
}

func TestStopAndCustomStep(t *testing.T) {
	trace, _, err := through(t, route.NewExchange("a"), func(r *route.Route) {
		r.Step(custom{func(b *route.Builder) route.Processor {
			block := b.Block(route.Do().Process(append1))
			return route.ProcessorFunc(func(ctx context.Context, ex *route.Exchange) error {
				return errors.Join(block.Process(ctx, ex), block.Process(ctx, ex))
			})
		}}).To("to:trace").Filter(true, route.Do().Stop().To("to:trace")).To("to:trace")
	})
	if err != nil || !slices.Equal(trace, []any{"a11"}) {
		t.Errorf("%v, %v; want [a11]", trace, err)
	}
}

func TestStopInACalledRouteStopsTheCaller(t *testing.T) { // as in Camel
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{},
			route.From("in:a").To("call:b").SetBody("not reached"),
			route.From("call:b").SetBody("stopped").Stop().SetBody("not reached"))
		for range 2 { // an exchange that is sent again goes its way again
			if got := k.send(t, "a", 1); got != "stopped" {
				t.Errorf("got %v", got)
			}
		}
	})
}

func TestOneBlockInTwoPlaces(t *testing.T) {
	twice := route.Do().Process(append1).To("to:trace")
	trace, _, err := through(t, route.NewExchange("a"), func(r *route.Route) { r.Filter(true, twice, twice).Filter(true, twice) })
	if err != nil || !slices.Equal(trace, []any{"a1", "a11", "a111"}) {
		t.Errorf("%v, %v", trace, err)
	}
}
