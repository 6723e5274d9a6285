package route_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

var to = route.NewKey[any]("to")

// visits is a component whose endpoints note their paths in the body.
func visits() route.Component {
	return route.ComponentFunc(func(_ route.Env, a route.Address) (route.Endpoint, error) {
		return out{a.Path, func(ctx context.Context, ex *route.Exchange) error {
			at, _ := route.SlipEndpoint.Get(ex)
			ex.Body = fmt.Sprintf("%v %s@%s", ex.Body, a.Path, strings.TrimPrefix(at, "visit:"))
			if a.Path == "bad" {
				return errors.New("broken")
			}
			return nil
		}}, nil
	})
}

func TestRoutingSlip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{Components: route.Components{"visit": visits()}, Poison: true},
			route.From("in:x").RoutingSlip(to).Process(func(_ context.Context, ex *route.Exchange) error {
				ex.Body = fmt.Sprint(ex.Body, " end")
				return nil
			}),
			route.From("call:stops").Stop(),
			route.From("call:changes").SetHeader("to", "visit:never"))
		for _, c := range []struct {
			slip any
			want string
		}{
			{"visit:a,visit:b", "- a@a b@b end"},
			{" visit:a , ,\tvisit:b?token=1,\n", "- a@a b@b?token=xxxxx end"},
			{[]string{"visit:a", "", "visit:b,c"}, "- a@a b,c@b,c end"},
			{[]route.URI{"visit:a", "visit:a"}, "- a@a a@a end"},
			{[]any{"visit:a", "visit:c"}, "- a@a c@c end"},
			{route.URI("visit:a"), "- a@a end"},
			{"", "- end"},
			{nil, "- end"},
			{[]string{}, "- end"},
			{"visit:a,call:stops,visit:b", "- a@a"},
			{"visit:a,call:changes,visit:b", "- a@a b@b end"},
		} {
			ex := route.NewExchange("-")
			to.Set(ex, c.slip)
			route.SlipEndpoint.Set(ex, "visit:before")
			if err := k.give("x", ex); err != nil || ex.Body != c.want {
				t.Errorf("%q: %q, %v; want %q", c.slip, ex.Body, err, c.want)
			}
			ex.Release()
		}
	})
}

func TestRoutingSlipEndsWithAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o route.SlipOptions
		k := new(kit)
		place := ""
		begin := func() {
			k.start(t, route.Config{Components: route.Components{"visit": visits()}}, route.From("in:x").RoutingSlip(to, o))
			place = here(-1) + `: route "route1": exchange ID: routing slip: `
		}
		check := func(slip any, body, want string) {
			t.Helper()
			ex := route.NewExchange("-")
			defer ex.Release()
			to.Set(ex, slip)
			wantError(t, k.give("x", ex), place+want)
			if ex.Body != body {
				t.Errorf("body %q, want %q", ex.Body, body)
			}
		}
		begin()
		check("visit:a,visit:bad,visit:b", "- a@a bad@bad", "visit:bad: broken")
		check("visit:a,too:x", "- a@a", `"too:x": no component "too" (did you mean to?) (have call, in, queue, to, visit)`)
		check("visit:a,visit:{{b}}", "- a@a", `"visit:{{b}}": placeholders are not replaced in a URI that is made at run time: a literal {{ is written %7B%7B`)
		check([]string{"visit:a\nb"}, "-", `"visit:a\nb": want a URI without line breaks and other control characters`)
		check(42, "-", `want URIs as text, with "," between them, as []string or as []route.URI, have int`)
		check([]any{"visit:a", 1}, "-", `want URIs: element 1 is int, want string`)
		_ = k.stop()

		o = route.SlipOptions{Delimiter: ";;", MaxHops: 2, AllowedSchemes: []string{"visit"}, IgnoreInvalidEndpoints: true}
		begin()
		check("visit:a;;visit:b,;;visit:c;;visit:d", "- a@a b,@b,", "led to more than 2 endpoints, the last ones visit:a, visit:b,: is there no end?")
		check("visit:a;;to:b", "- a@a", `"to:b": the scheme "to" is not allowed here (have visit)`)
		check("visit:a;;x;;visit:b", "- a@a", "led to more than 2 endpoints, the last ones visit:a, x: is there no end?")
		ex := route.NewExchange("-")
		to.Set(ex, "x;;visit:a")
		if err := k.give("x", ex); err != nil || ex.Body != "- a@a" {
			t.Errorf("ignored: %v, %v", ex.Body, err)
		}
	})
}

func TestDynamicRouter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		next := func(ex *route.Exchange) any {
			switch last, ok := route.SlipEndpoint.Get(ex); {
			case !ok:
				return "visit:a"
			case last == "visit:a":
				return []string{"visit:b", "call:inner"}
			case last == "call:inner":
				return "visit:z?password=x"
			case last == "visit:z?password=xxxxx":
				return nil
			default:
				return "visit:lost-at-" + last
			}
		}
		once := func(ex *route.Exchange) any {
			if last, _ := route.SlipEndpoint.Get(ex); last == "" {
				return "visit:i"
			}
			return " "
		}
		k := start(t, route.Config{Components: route.Components{"visit": visits()}, Poison: true},
			route.From("in:x").DynamicRouter(next).DynamicRouter(once),
			route.From("call:inner").DynamicRouter(once))
		if got := k.send(t, "x", "-"); got != "- a@a b@b i@i z@z?password=xxxxx i@i" {
			t.Errorf("got %q", got)
		}
	})
}

func TestDynamicRouterHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		k := &kit{to: map[string]route.ProcessorFunc{"a": nop, "b": nop, "slow": func(ctx context.Context, _ *route.Exchange) error {
			time.Sleep(time.Second)
			return nil
		}}}
		k.start(t, route.Config{Components: route.Components{"visit": visits()}},
			route.From("in:x").DynamicRouter(func(*route.Exchange) any { n++; return []string{"to:a", "to:b"}[n%2] }),
			route.From("in:y").DynamicRouter(func(*route.Exchange) any { n++; return "no:such?token=1" }, route.SlipOptions{MaxHops: 3, IgnoreInvalidEndpoints: true}),
			route.From("in:slow").DynamicRouter(func(*route.Exchange) any { return "to:slow" }))
		ex := route.NewExchange(1)
		defer ex.Release()
		err := k.give("x", ex)
		if err == nil || !strings.HasSuffix(err.Error(), "led to more than 1000 endpoints, the last ones to:b, to:a, to:b, to:a: is there no end?") || n != 1001 {
			t.Errorf("after %d: %v", n, err)
		}
		n = 0
		err = k.give("y", ex)
		if err == nil || !strings.HasSuffix(err.Error(), "dynamic router: led to more than 3 endpoints, "+
			"the last ones no:such?token=xxxxx, no:such?token=xxxxx, no:such?token=xxxxx: is there no end?") || n != 4 {
			t.Errorf("after %d: %v", n, err)
		}
		ctx, cancel := context.WithTimeoutCause(route.Work(k.nextOf("slow").ctx), 3500*time.Millisecond, errors.New("enough"))
		defer cancel()
		begun := time.Now()
		if err := k.nextOf("slow").Process(ctx, ex); err == nil || !strings.HasSuffix(err.Error(), "enough") || time.Since(begun) > 4*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestSlipMistakes(t *testing.T) {
	err := new(kit).build(route.Config{Components: route.Components{"visit": visits()}}, route.From("in:x").
		RoutingSlip(nil).
		RoutingSlip("").
		RoutingSlip(" , ").
		RoutingSlip(42).
		RoutingSlip("visit:a,visor:b?password=1").
		RoutingSlip([]string{"to:a"}, route.SlipOptions{AllowedSchemes: []string{"visit"}, IgnoreInvalidEndpoints: true}).
		RoutingSlip("visit:a,${body}").
		RoutingSlip(to, route.SlipOptions{MaxHops: -1}).
		DynamicRouter("visit:a").
		DynamicRouter(nil).
		DynamicRouter(to, route.SlipOptions{}, route.SlipOptions{}).
		RoutingSlip("visor:a", route.SlipOptions{IgnoreInvalidEndpoints: true}))
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		_, what, _ := strings.Cut(line, `route "route1": `)
		lines = append(lines, what)
	}
	wantLines(t, "mistakes", lines,
		`routing slip: want a value or an expression, have nil`,
		`routing slip: want at least one URI`,
		`routing slip: want at least one URI`,
		`routing slip: want URIs as text, with "," between them, as []string or as []route.URI, have int`,
		`routing slip: "visor:b?password=xxxxx": no component "visor" (have call, in, queue, to, visit)`,
		`routing slip: "to:a": the scheme "to" is not allowed here (have visit)`,
		`routing slip: the text "visit:a,${body}" would not be evaluated: use route.Simple, or route.Constant to have it as it is`,
		`routing slip: MaxHops: want more than 0, or 0 for 1000, have -1`,
		`dynamic router: want an expression: a constant never ends`,
		`dynamic router: want a value or an expression, have nil`,
		`dynamic router: want one route.SlipOptions, have 2`,
	)
}
