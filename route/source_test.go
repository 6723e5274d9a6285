package route_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/route"
)

// shown is a language whose only expressions are kinds of a scope.
type shown struct {
	kind  language.Kind
	name  string
	wrong error
	empty bool
}

func (s shown) String() string { return "shown " + s.kind.String() }

func (s shown) Compile() (language.Expression, error) {
	if s.empty {
		return nil, nil
	}
	return s, s.wrong
}

func (s shown) Eval(_ context.Context, scope language.Scope) (any, error) {
	v := scope.Value(s.kind, s.name)
	if err, ok := v.(error); ok {
		return nil, err
	}
	return v, nil
}

// there is a language of which an expression holds where its value is there.
type there struct{ shown }

func (t there) Compile() (language.Expression, error) { return t, nil }

func (t there) Holds(ctx context.Context, s language.Scope) (bool, error) {
	v, err := t.Eval(ctx, s)
	return v != nil, err
}

func TestSourceIsAValue(t *testing.T) {
	r := route.From("in:x").ID("r").
		SetProperty("p", 7).
		Process(func(_ context.Context, ex *route.Exchange) error { ex.SetVariable("v", "var"); return nil }).
		SetHeader("v", shown{kind: language.Variable, name: "v"}).
		SetHeader("vars", shown{kind: language.Variables}).
		SetHeader("p", shown{kind: language.Property, name: "p"}).
		SetHeader("all", shown{kind: language.Properties}).
		SetHeader("route", shown{kind: language.RouteID}).
		SetBody(shown{kind: language.Headers}).
		To("to:end")
	ctx, next := consumerOf(t, route.Config{Components: route.Components{"to": processors{"end": nop}}}, r)
	ex := route.NewExchange("body")
	defer ex.Release()
	if err := next.Process(ctx, ex); err != nil {
		t.Fatal(err)
	}
	headers, _ := ex.Body.(map[string]any)
	if headers["p"] != 7 || headers["route"] != "r" || headers["all"].(map[string]any)["p"] != 7 ||
		headers["v"] != "var" || headers["vars"].(map[string]any)["v"] != "var" || len(headers) != 5 {
		t.Errorf("the headers are %v", headers)
	}
}

func TestSourceIsACondition(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		cond route.Cond
		x    any
		want any // of type bool, or the text of the error
	}{
		{shown{kind: language.Header, name: "x"}, true, true},
		{shown{kind: language.Header, name: "x"}, false, false},
		{shown{kind: language.Header, name: "x"}, "true", true},
		{shown{kind: language.Header, name: "x"}, "false", false},
		{shown{kind: language.Header, name: "x"}, "yes", `shown header: want true or false, have the text "yes"`},
		{shown{kind: language.Header, name: "x"}, 1, "shown header: want true or false, have a value of type int"},
		{shown{kind: language.Header, name: "x"}, nil, "shown header: want true or false, have a value of type <nil>"},
		{shown{kind: language.Header, name: "x"}, []int{1}, "shown header: want true or false, have a value of type []int"},
		{shown{kind: language.Header, name: "x"}, boom, "shown header: boom"},
		{there{shown{kind: language.Header, name: "x"}}, 1, true},
		{there{shown{kind: language.Header, name: "x"}}, nil, false},
		{there{shown{kind: language.Header, name: "x"}}, boom, "shown header: boom"},
		{route.Simple("${header.x}"), true, true},
		{route.Simple("${header.x}"), "false", false},
	}
	for _, test := range tests {
		var got any
		r := route.From("in:x").Choice(
			route.When(test.cond).SetBody(true),
			route.Otherwise().SetBody(false),
		)
		ctx, next := consumerOf(t, route.Config{Components: route.Components{}, Logger: slog.New(slog.DiscardHandler)}, r)
		ex := route.NewExchange(nil)
		if test.x != nil {
			ex.SetHeader("x", test.x)
		}
		err := next.Process(ctx, ex)
		if got = ex.Body; err != nil {
			step, _ := errors.AsType[*route.StepError](err)
			got = step.Err.Error()
		}
		if got != test.want {
			t.Errorf("%v with %#v = %v, want %v", test.cond, test.x, got, test.want)
		}
		ex.Release()
	}
}

func TestSourceThatIsWrong(t *testing.T) {
	wrong := shown{wrong: errors.New("want a dot at 3")}
	err := new(kit).build(route.Config{}, route.From("in:x").ID("r").
		SetBody(wrong).Filter(wrong).SetBody(shown{empty: true}).Filter(route.Simple("${bdy} == 1")))
	var got []string
	var gather func(err error)
	gather = func(err error) {
		switch err := err.(type) {
		case *route.BuildError:
			got = append(got, err.Step+": "+err.Err.Error())
		case interface{ Unwrap() []error }:
			for _, e := range err.Unwrap() {
				gather(e)
			}
		}
	}
	gather(err)
	wantLines(t, "mistakes", got,
		"set body: shown body: want a dot at 3",
		"filter: shown body: want a dot at 3",
		"set body: shown body: route_test.shown compiles to nothing",
		"filter: simple: column 3: unknown function \"bdy\" (did you mean \"body\"?)\n\t${bdy} == 1\n\t  ^")
}

func TestSimpleConditions(t *testing.T) {
	r := route.From("in:x").ID("r").
		Filter(route.Simple("${header.TYPE} == 'gold' && ${body.amount} > {{least}}")).
		SetBody(route.Simple("${setHeader(level,int,'7')}${setVariable(seen,${header.type})}${properties:least}/${properties:none:-}")).
		Choice(
			route.When(route.Simple("${header.level} == 7 && ${variable.seen} == 'gold' && ${propertiesExist:!none}")).SetHeader("ok", "yes"),
		).
		Process(func(_ context.Context, ex *route.Exchange) error {
			ex.SetHeader("seen", ex.Variable("seen"))
			return nil
		})
	cfg := route.Config{Components: route.Components{}, Properties: route.PropertyMap{"least": "100"}}
	ctx, next := consumerOf(t, cfg, r)
	for amount, want := range map[int]string{150: "100/- 7 gold yes", 50: "map[amount:50] <nil> <nil> <nil>"} {
		ex := route.NewExchange(map[string]any{"amount": amount})
		kind.Set(ex, "gold")
		if err := next.Process(ctx, ex); err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint(ex.Body, " ", ex.Header("level"), " ", ex.Header("seen"), " ", ex.Header("ok")); got != want {
			t.Errorf("amount %d: %s, want %s", amount, got, want)
		}
		ex.Release()
	}
	ctx, next = consumerOf(t, route.Config{Components: route.Components{}}, route.From("in:x").Script(route.Simple("${setHeader('a\\nb',1)}")))
	if err := next.Process(ctx, route.NewExchange(nil)); err == nil || !strings.Contains(err.Error(), `without line breaks or other control characters, have "a\nb"`) {
		t.Errorf("have %v, want an error for the name of the header", err)
	}
	err := new(kit).build(route.Config{}, route.From("in:x").Filter(route.Simple("${body} == gold")))
	wantMistakes(t, err, `filter: simple: column 12: want a text in quotes, a number, true, false, null or a function such as ${body}, there is "gold"`)
}

func TestRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{
			Properties: route.PropertyMap{"place": "the engine"},
			Registry:   map[string]any{"limit": 7, "shout": func(v any) (any, error) { return fmt.Sprint(v, "!"), nil }},
		},
			route.From("in:x").SetBody(route.Simple("${ref:limit} ${function(shout)} ${ref:none}${properties:place}")),
			route.From("in:{{name}}").SetBody(route.Simple("${properties:place}")).Instance("y", map[string]string{"name": "y", "place": "{{name}}"}))
		if got := k.send(t, "x", "hey"); got != "7 hey! the engine" {
			t.Errorf("%q", got)
		}
		if got := k.send(t, "y", nil); got != "y" {
			t.Errorf("%q", got)
		}
	})
}
