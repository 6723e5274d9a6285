package route_test

import (
	"context"
	"maps"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/route"
)

var seenVariable = route.NewVariable[int]("seen")

func TestVariables(t *testing.T) { synctest.Test(t, testVariables) }

func testVariables(t *testing.T) {
	counter := route.NewVariable[int]("global:counter")
	k := start(t, route.Config{},
		route.From("in:x").ID("x").
			SetVariable("Seen", 7).
			SetVariable("global:counter", 1).
			SetVariable("route:x:last", route.Simple("${body}")).
			Process(func(_ context.Context, ex *route.Exchange) error {
				n, _ := counter.Get(ex)
				counter.Set(ex, n+1)
				if n, ok := seenVariable.Get(ex); !ok || n != 7 || ex.Variable("SEEN") != 7 || ex.Variable("Global:Counter") != nil {
					t.Errorf("seen %v, %v; %v", n, ok, ex.Variable("Global:Counter"))
				}
				c := ex.Clone()
				defer c.Release()
				c.SetVariable("seen", 8)
				if got := maps.Collect(ex.Variables()); len(got) != 1 || got["Seen"] != 7 {
					t.Errorf("variables %v", got)
				}
				return nil
			}).
			To("call:y").
			SetHeader("counter", counter).
			SetBody(seenVariable),
		route.From("call:y").SetVariable("seen", route.Simple("${body}!")))
	ex := route.NewExchange("b")
	if err := k.give("x", ex); err != nil || ex.Body != "b!" || ex.Header("counter") != 2 {
		t.Errorf("%v, %v, %v", ex.Body, ex.Header("counter"), err)
	}
	if got := k.Variable("route:x:last"); got != "b" || k.Variable("global:COUNTER") != 2 {
		t.Errorf("shared: %v, %v", got, k.Variable("global:COUNTER"))
	}
	if !ex.RemoveVariable("seen") || ex.RemoveVariable("seen") || ex.Variable("seen") != nil || ex.Variable("global:counter") != nil {
		t.Error("the variable is still there, or shared ones are outside of routes")
	}
	k.SetVariable("global:counter", nil)
	if got := k.Variable("global:counter"); got != nil {
		t.Errorf("counter %v", got)
	}
	ex.Release()
	if ex := route.NewExchange(nil); ex.Variable("Seen") != nil {
		t.Error("a released exchange keeps its variables")
	}
}
