package route_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/route"
)

func TestFieldsAreSetInOrder(t *testing.T) {
	ex := route.NewExchange("body")
	_, _, err := through(t, ex, func(r *route.Route) {
		r.SetHeaders(route.Fields{{"a", "1"}, {"b", route.Simple("${header.a}2")}, {"c", func(ex *route.Exchange) any { return ex.Header("B") }}}).
			SetProperties(route.Fields{{"p", 1}, {"q", route.NewKey[string]("c")}}).
			SetVariables(route.Fields{{"v", route.Simple("${exchangeProperty.q}3")}, {"global:g", "shared"}}).
			SetBody(func(ex *route.Exchange) any { return ex.Variable("global:G") })
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind, got := range map[string][2]any{
		"headers":    {maps.Collect(ex.Headers()), map[string]any{"a": "1", "b": "12", "c": "12"}},
		"properties": {maps.Collect(ex.Properties()), map[string]any{"p": 1, "q": "12"}},
		"variables":  {maps.Collect(ex.Variables()), map[string]any{"v": "123"}},
		"body":       {ex.Body, "shared"},
	} {
		if !reflect.DeepEqual(got[0], got[1]) {
			t.Errorf("%s: %v, want %v", kind, got[0], got[1])
		}
	}
}

func TestFieldThatFailsIsNamed(t *testing.T) {
	ex := route.NewExchange("body")
	_, _, err := through(t, ex, func(r *route.Route) {
		r.SetHeaders(route.Fields{{"a", 1}, {"b", func(*route.Exchange) (any, error) { return nil, errors.New("broken") }}, {"c", 3}})
	})
	if err == nil || !strings.HasSuffix(err.Error(), `set headers "a", "b", "c": header "b": broken`) {
		t.Error(err)
	}
	if ex.Header("a") != 1 || ex.Header("c") != nil {
		t.Error(maps.Collect(ex.Headers()))
	}
}

func TestFieldsAreRemoved(t *testing.T) {
	ex := route.NewExchange("body")
	_, _, err := through(t, ex, func(r *route.Route) {
		for _, name := range []string{"alpha", "beta", "Alps", "keep"} {
			r.SetProperty(name, 1).SetVariable(name, 1).SetVariable("global:"+name, 1)
		}
		r.RemoveProperty("BETA").RemoveProperties("al*", "*ps").
			RemoveVariable("ALPHA").RemoveVariables("*", "k*", "b*").RemoveVariable("none").
			RemoveVariable("global:Alpha").RemoveVariables("global:al*").
			SetBody(func(ex *route.Exchange) any {
				return []any{ex.Variable("global:alpha"), ex.Variable("global:alps"), ex.Variable("global:beta")}
			})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(maps.Collect(ex.Properties()))); !slices.Equal(got, []string{"Alps", "keep"}) {
		t.Error("properties", got)
	}
	if got := slices.Sorted(maps.Keys(maps.Collect(ex.Variables()))); !slices.Equal(got, []string{"beta", "keep"}) {
		t.Error("variables", got)
	}
	if !reflect.DeepEqual(ex.Body, []any{nil, nil, 1}) {
		t.Error("shared variables", ex.Body)
	}
}

func TestBadFields(t *testing.T) {
	err := new(kit).build(route.Config{}, route.From("in:x").
		SetHeader("a\r\nSet-Cookie: x", 1).
		SetHeader("${body}", 1).
		SetHeaders(nil).
		SetHeaders(route.Fields{{"", 1}, {"tab\t", 1}, {"c", "${body}"}}).
		SetVariables(route.Fields{{"v", func() {}}}).
		RemoveProperty("").RemoveProperties("").RemoveVariable("").RemoveVariables(""))
	wantMistakes(t, err,
		`set header "a\r\nSet-Cookie: x": want the name of a header without line breaks or other control characters, have "a\r\nSet-Cookie: x"`,
		`set header "${body}": the name "${body}" would not be evaluated: names are constant; a step of route.Process can set others`,
		`set headers : want at least one field`,
		`set headers "", "tab\t", "c": want a name`,
		`set headers "", "tab\t", "c": want the name of a header without line breaks or other control characters, have "tab\t"`,
		`set headers "", "tab\t", "c": the text "${body}" would not be evaluated: use route.Simple, or route.Constant to have it as it is`,
		`set variables "v": want a func(context.Context, *route.Exchange) (any, error) or one of route.Expr's other kinds, have func()`,
		`remove property "": want a name`,
		`remove properties "": want a pattern; * stands for any text`,
		`remove variable "": want a name`,
		`remove variables "": want a pattern; * stands for any text`,
	)
}

// wantMistakes compares the lines of a build error, without their places and the route.
func wantMistakes(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", want)
		return
	}
	var got []string
	for line := range strings.Lines(err.Error()) {
		if _, mistake, ok := strings.Cut(line, `: route "route1": `); ok {
			got = append(got, strings.TrimSuffix(mistake, "\n"))
		}
	}
	wantLines(t, "mistakes", got, want...)
}

func TestSendRefusesHeadersWithLineBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("call:x"))
		wantError(t, k.Send(t.Context(), "call:x", nil, route.WithHeader("a\nb", 1)),
			`send to "call:x": want the name of a header without line breaks or other control characters, have "a\nb"`)
	})
}

func TestLogOptions(t *testing.T) {
	var other logs
	_, lines, err := through(t, route.NewExchange("b"), func(r *route.Route) {
		r.Log("${body}", route.LogOptions{Level: slog.LevelWarn, Name: "orders", Marker: "audit"}).
			Log("other", route.LogOptions{Level: slog.LevelDebug, Logger: slog.New(&other)})
	})
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, "log", lines, "WARN b route=route1 logger=orders marker=audit exchange=ID")
	wantLines(t, "other", other.take(), "DEBUG other route=route1 exchange=ID")
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").Log("x", route.LogOptions{}, route.LogOptions{})),
		`log "x": want one route.LogOptions, have 2`)
}

func TestLogThatIsOffEvaluatesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{Logger: slog.New(slog.DiscardHandler)},
			route.From("in:x").Log("${header.x.y.z}", route.LogOptions{Level: slog.LevelError}))
		k.send(t, "x", nil)
	})
}

func TestScript(t *testing.T) {
	calls := 0
	ex := route.NewExchange("body")
	_, _, err := through(t, ex, func(r *route.Route) {
		r.Script(func(*route.Exchange) any { calls++; return "lost" }).
			Script(func(context.Context, *route.Exchange) (any, error) { return nil, errors.New("broken") })
	})
	if calls != 1 || ex.Body != "body" || err == nil || !strings.HasSuffix(err.Error(), "script: broken") {
		t.Error(calls, ex.Body, err)
	}
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").Script("x").Script(nil)),
		`script: want an expression, have the constant "x", which does nothing`,
		`script: want an expression, have the constant "<nil>", which does nothing`)
}
