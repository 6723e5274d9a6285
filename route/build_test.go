package route_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/route"
)

// nop is a function for steps.
func nop(context.Context, *route.Exchange) error { return nil }

// mistakes builds routes and returns its errors, one line each.
func mistakes(t testing.TB, cfg route.Config, routes ...*route.Route) []string {
	t.Helper()
	err := new(kit).build(cfg, routes...)
	if err == nil {
		return nil
	}
	return strings.Split(short(err.Error()), "\n")
}

func TestEveryMistakeOfEveryRoute(t *testing.T) {
	const (
		kinds      = "want a func(context.Context, *route.Exchange) (any, error) or one of route.Expr's other kinds, have "
		components = "(have call, in, queue, to)"
	)
	always := func(*route.Exchange) bool { return true }
	first := here(2) // of the routes
	routes := []*route.Route{
		route.From("inn:x").
			To("too:x"),
		route.From("to:x").
			To("in:x").
			To("no uri").
			Process(nil).
			Process(route.Map[int, int](nil)).
			Step(nil).
			Log("${bdy}").
			Log("{{greeting}}"),
		route.From("in:x").ID("bodies").
			SetBody("hello ${body}").
			Transform("{{greeting}}").
			SetBody(func() int { return 1 }).
			SetBody(route.Predicate(nil)).
			SetBody(route.Do()).
			SetBody(route.Expression(nil)).
			SetBody(route.Func[int, int](nil)).
			SetHeader("", 1).
			SetHeader("h", route.Key[string]{}).
			SetProperty("p", route.Is(region, "eu")).
			RemoveHeader("").
			RemoveHeaders("").
			SetBody(route.Simple("${header.a")).
			Delay("soon").
			Delay(-time.Second).
			Delay(1.5),
		route.From("in:x").ID("branches").
			Filter(nil).
			Filter("x").
			Filter(route.Where[int](nil)).
			Filter(always, nil).
			Choice().
			Choice(
				nil,
				route.Otherwise().
					Process(nil),
				route.When(nil).
					Filter(route.Is(route.Key[string]{}, "x"), route.Do().
						To("zz:x"))).
			Split(nil, nil).
			Split("text", route.Do().
				Log("${")).
			Try(nil).
			Try(route.Do().Process(nop),
				route.Finally().
					To("to"),
				nil,
				(*route.CatchBlock)(nil),
				route.Catch[error](),
				route.Catch[*route.PanicError]()),
	}
	at := func(n int) string {
		file, line, _ := strings.Cut(first, ":")
		return fmt.Sprintf("%s:%d: ", file, atoi(line)+n)
	}
	want := []string{
		at(0) + `route "route1": from "inn:x": no component "inn" (did you mean in?) ` + components,
		at(1) + `route "route1": to "too:x": no component "too" (did you mean to?) ` + components,
		at(2) + `route "route2": from "to:x": to:x cannot start a route`,
		at(3) + `route "route2": to "in:x": in:x cannot be sent to`,
		at(4) + `route "route2": to "no uri": want a URI like scheme:path?option=value, have "no uri"`,
		at(5) + `route "route2": process: nil function`,
		at(6) + `route "route2": process: nil function`,
		at(7) + `route "route2": step: nil step`,
		at(8) + `route "route2": log "${bdy}": simple: column 3: unknown function "bdy"`,
		at(9) + `route "route2": log "{{greeting}}": {{greeting}}: there is no property "greeting", and no default`,
		at(11) + `route "bodies": set body: the text "hello ${body}" would not be evaluated: use route.Simple, or route.Constant to have it as it is`,
		at(12) + `route "bodies": transform: the text "{{greeting}}" would not be evaluated: use route.Simple, or route.Constant to have it as it is`,
		at(13) + `route "bodies": set body: ` + kinds + `func() int`,
		at(14) + `route "bodies": set body: ` + kinds + `route.Predicate`,
		at(15) + `route "bodies": set body: want a value or an expression, have *route.Block`,
		at(16) + `route "bodies": set body: nil function`,
		at(17) + `route "bodies": set body: nil function`,
		at(18) + `route "bodies": set header "": want a name`,
		at(19) + `route "bodies": set header "h": zero key: want one made by route.NewKey, route.NewProperty or route.NewVariable`,
		at(20) + `route "bodies": set property "p": want a value or an expression, have route.keyIs[string]`,
		at(21) + `route "bodies": remove header "": want a name`,
		at(22) + `route "bodies": remove headers "": want a pattern; * stands for any text`,
		at(23) + `route "bodies": set body: simple: column 11: want "}" to close "${", the text ends`,
		at(24) + `route "bodies": delay: want a duration that is not negative, have "soon"`,
		at(25) + `route "bodies": delay -1s: want a duration that is not negative, have "-1s"`,
		at(26) + `route "bodies": delay: want a time.Duration or a whole number of milliseconds, have float64`,
		at(28) + `route "branches": filter: want a route.Predicate or one of route.Cond's other kinds, have <nil>`,
		at(29) + `route "branches": filter: want a route.Predicate or one of route.Cond's other kinds, have string`,
		at(30) + `route "branches": filter: nil function`,
		at(31) + `route "branches": filter: block 1 is nil`,
		at(32) + `route "branches": choice: want at least one route.When`,
		at(33) + `route "branches": choice: case 1 is nil`,
		at(35) + `route "branches": choice: otherwise must come last`,
		at(36) + `route "branches": process: nil function`,
		at(37) + `route "branches": choice: want a route.Predicate or one of route.Cond's other kinds, have <nil>`,
		at(38) + `route "branches": filter: zero key: want one made by route.NewKey, route.NewProperty or route.NewVariable`,
		at(39) + `route "branches": to "zz:x": no component "zz" ` + components,
		at(40) + `route "branches": split: want a block: route.Do()`,
		at(40) + `route "branches": split: want a slice, an array, an iter.Seq or an iter.Seq2 of values and errors, have <nil>`,
		at(41) + `route "branches": split: want a slice, an array, an iter.Seq or an iter.Seq2 of values and errors, have string: route.Tokenize and its like take text apart`,
		at(42) + `route "branches": log "${": simple: column 3: want the name of a function, the text ends`,
		at(43) + `route "branches": try: want a block: route.Do()`,
		at(43) + `route "branches": try: want route.Catch or route.Finally`,
		at(45) + `route "branches": try: finally must come last`,
		at(46) + `route "branches": to "to": want a URI like scheme:path?option=value, have "to"`,
		at(44) + `route "branches": try: handler 2 is nil`,
		at(44) + `route "branches": try: handler 3 is nil`,
		at(50) + `route "branches": try: catch *route.PanicError is never reached: an earlier one catches every error`,
	}
	var got []string // without what is indented under an error, such as where it is in a text
	for _, line := range mistakes(t, route.Config{}, routes...) {
		if !strings.HasPrefix(line, "\t") {
			got = append(got, line)
		}
	}
	for i := range max(len(got), len(want)) {
		g, w := "(nothing)", "(nothing)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w && (!strings.Contains(w, "simple:") || !strings.HasPrefix(g, w)) {
			t.Errorf("mistake %d\n got %s\nwant %s", i+1, g, w)
		}
	}
}

func atoi(s string) (n int) {
	fmt.Sscan(s, &n)
	return n
}

func TestMistakesOfTheConfig(t *testing.T) {
	wantLines(t, "mistakes", mistakes(t, route.Config{
		Components: route.Components{"no scheme": route.ComponentFunc(nil), "nil": nil},
		Drain:      -1,
		Restart:    route.Backoff{Max: -time.Second},
	}, nil, route.From("nil:x")),
		`route: Config.Drain: want a duration that is not negative, have -1ns`,
		`route: Config.Restart.Max: want a duration that is not negative, have -1s`,
		`route: Config.Components: the component "nil" is nil`,
		`route: Config.Components: "no scheme" cannot be the scheme of a URI`,
		`route: route 1 of 2 is nil`,
		here(-6)+`: route "route1": from "nil:x": no component "nil" (did you mean nil?) (have call, in, nil, no scheme, queue, to)`,
	)
}

func TestEndpointMistakes(t *testing.T) {
	broken := route.ComponentFunc(func(route.Env, route.Address) (route.Endpoint, error) {
		return nil, errors.Join(errors.New("one"), errors.New("two"))
	})
	none := route.ComponentFunc(func(route.Env, route.Address) (route.Endpoint, error) { return nil, nil })
	wantLines(t, "mistakes", mistakes(t, route.Config{Components: route.Components{"broken": broken, "none": none}},
		route.From("in:x").To("broken:x").To("none:x")),
		here(-1)+`: route "route1": to "broken:x": one`,
		"\ttwo",
		here(-3)+`: route "route1": to "none:x": the component "none" (route.ComponentFunc) makes no endpoint`)
}

func TestBuildErrorHasItsCause(t *testing.T) {
	cause := errors.New("cause")
	broken := route.ComponentFunc(func(route.Env, route.Address) (route.Endpoint, error) { return nil, cause })
	err := new(kit).build(route.Config{Components: route.Components{"broken": broken}}, route.From("broken:x").ID("r"))
	if e, ok := errors.AsType[*route.BuildError](err); !ok || e.Route != "r" || e.Step != `from "broken:x"` || !errors.Is(err, cause) {
		t.Errorf("%+v", e)
	}
}

func TestRouteIDs(t *testing.T) {
	k := new(kit)
	a, b := route.From("in:a").ID("a"), route.From("in:b")
	if err := k.build(route.Config{}, b, a, route.From("in:c").ID("route2"), route.From("in:d")); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range k.Status().Routes {
		ids = append(ids, r.ID)
	}
	wantLines(t, "ids", ids, "route1", "a", "route2", "route3")

	err := k.Add(route.From("in:e").ID("f"), route.From("in:e").ID("a"), route.From("in:e").ID("f"))
	places := strings.Split(err.Error(), "\n")
	wantLines(t, "duplicates", places,
		here(-3)+`: route "a": the route at `+here(-13)+` has the same id`,
		here(-4)+`: route "f": the route at `+here(-4)+` has the same id`)
	if n := len(k.Status().Routes); n != 4 {
		t.Errorf("%d routes after an Add that failed, want 4", n)
	}
	if err := k.Add(b, b); err != nil { // without an id it is one more route each time
		t.Error(err)
	}
	if err := new(kit).build(route.Config{}, a, b); err != nil { // and so in another engine
		t.Error(err)
	}
}

func TestBlocksInsideOfThemselves(t *testing.T) {
	block := route.Do()
	block.Split(func(ex *route.Exchange) any { return nil }, block).Filter(true, block).Log("x")
	k := route.When(true)
	k.Choice(k, k)
	catch := route.Catch[error]()
	catch.Try(route.Do(), catch)
	for name, r := range map[string]*route.Route{
		"block": route.From("in:x").Filter(true, block),
		"case":  route.From("in:x").Choice(k),
		"catch": route.From("in:x").Try(route.Do(), catch),
		"step":  route.From("in:x").Step(matryoshka{}),
	} {
		got := mistakes(t, route.Config{}, r)
		if len(got) != 1 || !strings.HasSuffix(got[0], "steps stand more than 100 deep inside of each other: does a block contain itself?") {
			t.Errorf("%s:\n%s", name, strings.Join(got, "\n"))
		}
	}
}

type matryoshka struct{}

func (matryoshka) String() string { return "matryoshka" }
func (m matryoshka) Build(b *route.Builder) route.Processor {
	return b.Block(route.Do().Step(m))
}

func TestHugeRoutes(t *testing.T) {
	const most = 1<<16 - 1
	huge := route.From("in:x")
	for range most {
		huge.SetBody(1)
	}
	if got := mistakes(t, route.Config{}, huge); got != nil {
		t.Errorf("a route with %d steps:\n%s", most, strings.Join(got, "\n"))
	}
	huge.SetBody(2)
	wantLines(t, "one step more", mistakes(t, route.Config{}, huge),
		here(-2)+`: route "route1": set body: a route can have 65535 steps`)

	wide := route.Do().Log("x")
	for range 40 { // 2^40 steps
		wide = route.Do().Filter(true, wide).Filter(true, wide)
	}
	if got := mistakes(t, route.Config{}, route.From("in:x").Filter(true, wide)); len(got) != 1 ||
		!strings.HasSuffix(got[0], "a route can have 65535 steps") {
		t.Errorf("mistakes of a very wide route: %q", got)
	}
}

func TestCustomSteps(t *testing.T) {
	wantLines(t, "mistakes", mistakes(t, route.Config{},
		route.From("in:x").Step(custom{func(*route.Builder) route.Processor { return nil }}),
		route.From("in:x").Step(custom{func(b *route.Builder) route.Processor {
			b.Text("{{x}}")
			b.Expression(func() {})
			b.Predicate(1)
			b.Producer("in:x")
			return b.Errorf("want %s", "more")
		}})),
		here(-8)+`: route "route1": custom: route_test.custom builds no processor`,
		here(-8)+`: route "route2": custom: {{x}}: there is no property "x", and no default`,
		here(-9)+`: route "route2": custom: want a func(context.Context, *route.Exchange) (any, error) or one of route.Expr's other kinds, have func()`,
		here(-10)+`: route "route2": custom: want a route.Predicate or one of route.Cond's other kinds, have int`,
		here(-11)+`: route "route2": custom: in:x cannot be sent to`,
		here(-12)+`: route "route2": custom: want more`)
}

type custom struct {
	build func(*route.Builder) route.Processor
}

func (custom) String() string                           { return "custom" }
func (c custom) Build(b *route.Builder) route.Processor { return c.build(b) }

func TestSplitTakesSequencesAsTheyAre(t *testing.T) {
	var seq iter.Seq[int] = func(func(int) bool) {}
	if got := mistakes(t, route.Config{}, route.From("in:x").
		Split(seq, route.Do().Process(nop)).
		Split(func(func(string, error) bool) {}, route.Do().Process(nop)).
		Split([]int{1}, route.Do().Process(nop)).
		Split(func(*route.Exchange) ([]any, error) { return nil, nil }, route.Do().Process(nop))); got != nil {
		t.Error(strings.Join(got, "\n"))
	}
}

func TestPlacesThroughHelpers(t *testing.T) {
	_, _, line, _ := runtime.Caller(0)
	add := func(r *route.Route) *route.Route { return r.Process(nil) }
	wantLines(t, "mistakes", mistakes(t, route.Config{}, add(route.From("in:x")).
		Filter(true,
			route.Do().Process(nil),
			route.Do().Log("ok").
				Process(nil))),
		fmt.Sprintf(`build_test.go:%d: route "route1": process: nil function`, line+1),
		fmt.Sprintf(`build_test.go:%d: route "route1": process: nil function`, line+4),
		fmt.Sprintf(`build_test.go:%d: route "route1": process: nil function`, line+6))
}

func TestPlacesInJSON(t *testing.T) {
	for place, want := range map[route.Position]string{
		{File: "a.go", Line: 3}: `"a.go:3"`,
		{}:                      `"unknown place"`,
	} {
		if got, err := json.Marshal(place); string(got) != want || err != nil {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
	}
}
