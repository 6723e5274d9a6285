package route_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/route"
)

type wrongOrder struct{ id any }

func (w *wrongOrder) Error() string { return "wrong order" }

func TestThrow(t *testing.T) {
	trace, _, err := through(t, route.NewExchange("b"), func(r *route.Route) {
		r.Try(route.Do().Throw(&wrongOrder{7}).To("to:trace"),
			route.Catch[*wrongOrder]().SetBody("caught").To("to:trace")).
			SetBody("x").
			ThrowText("no ${body} today").To("to:trace")
	})
	if err == nil || !strings.HasSuffix(err.Error(), `throw "no ${body} today": no x today`) || !slices.Equal(trace, []any{"caught"}) {
		t.Error(trace, err)
	}
	err = new(kit).build(route.Config{}, route.From("in:x").Throw(nil).ThrowText("").ThrowText("${}"))
	wantMistakes(t, err, `throw: nil error`,
		`throw "": want a text`,
		`throw "${}": simple: column 3: want the name of a function, there is "}"`)
}

func isText(ex *route.Exchange) bool { _, ok := ex.Body.(string); return ok }

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		cond route.Cond
		want string // of the error
	}{
		{true, ""},
		{isText, ""},
		{route.Is(kind, "order"), ""},
		{route.Where(func(int) bool { return true }), "TestValidate.Where"},
		{false, "not valid: want false"},
		{func(ex *route.Exchange) bool { return !isText(ex) }, "TestValidate.func"},
		{route.Is(kind, "bill"), `not valid: want header "type" to be "bill"`},
		{route.Simple("${header.none}"), `not valid: want simple "${header.none}"`},
		{route.Simple("false"), `not valid: want simple "false"`},
	} {
		ex := route.NewExchange("b")
		kind.Set(ex, "order")
		trace, _, err := through(t, ex, func(r *route.Route) { r.Validate(test.cond).To("to:trace") })
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) || (len(trace) == 1) != (err == nil) {
			t.Errorf("%T: %v, %v, want %q", test.cond, trace, err, test.want)
		}
	}
}

func TestValidateErrors(t *testing.T) {
	_, _, err := through(t, route.NewExchange("b"), func(r *route.Route) { r.Validate(false) })
	if invalid, ok := errors.AsType[*route.ValidationError](err); !ok || invalid.Condition != "false" {
		t.Error(err)
	}
	for _, own := range []error{&wrongOrder{}, nil} {
		_, _, err := through(t, route.NewExchange("b"), func(r *route.Route) {
			r.Validate(false, route.ValidateOptions{Error: func(*route.Exchange) error { return own }})
		})
		_, invalid := errors.AsType[*route.ValidationError](err)
		if _, wrong := errors.AsType[*wrongOrder](err); wrong != (own != nil) || invalid == wrong {
			t.Error(own, err)
		}
	}
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").Validate(nil)),
		`validate <nil>: want a route.Predicate or one of route.Cond's other kinds, have <nil>`)
}

func TestPipeline(t *testing.T) {
	trace, _, err := through(t, route.NewExchange("b"), func(r *route.Route) {
		r.Pipeline(
			route.Do().Process(append1),
			route.Do().Filter(false).SetBody("never"),
			route.Do(),
			route.Do().Process(append1).To("to:trace"),
		).To("to:trace").Pipeline(route.Do().Stop(), route.Do().To("to:trace")).To("to:trace")
	})
	if err != nil || !slices.Equal(trace, []any{"b11", "b11"}) {
		t.Error(trace, err)
	}
	trace, _, err = through(t, route.NewExchange("b"), func(r *route.Route) {
		r.Pipeline(route.Do().ThrowText("no"), route.Do().To("to:trace"))
	})
	if err == nil || trace != nil {
		t.Error(trace, err)
	}
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").Pipeline().Pipeline(route.Do(), nil)),
		`pipeline: want at least one block: route.Do()`,
		`pipeline: block 2 is nil`)
}

func TestGroup(t *testing.T) {
	var ids []any
	see := func(ex *route.Exchange) any { ids = append(ids, ex.Property("CamelStepId")); return nil }
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:x").
			Named("outer", route.Do().Script(see).
				Named("inner", route.Do().Script(see)).Script(see)).
			Script(see))
		k.send(t, "x", nil)
		if !slices.Equal(ids, []any{"outer", "inner", "outer", nil}) {
			t.Error(ids)
		}
		r, _ := k.Status().Route("route1")
		if len(r.Steps) != 2 || r.Steps[0].Step != `step "outer"` || r.Steps[0].ID != "outer" || len(r.Steps[0].Steps) != 3 || r.Steps[0].Steps[1].Step != `step "inner"` {
			t.Errorf("%+v", r.Steps)
		}
	})
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").Named("", nil)),
		`step "": want an id`,
		`step "": want a block with steps: route.Do()`)
}
