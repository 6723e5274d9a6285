package route_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/route"
)

func TestAdvice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k kit
		got := k.record("mock")
		written := route.From("kafka:orders").
			SetBody("start").StepID("first").
			Choice(route.When(true).To("to:kafka").Process(append1).StepID("add"))
		changed := written.Advise(
			route.Advice{From: "in:x"},
			route.Advice{Step: `to "to:k*`, Instead: route.Do().To("to:mock")},
			route.Advice{Step: "add", Before: route.Do().Process(append1), After: route.Do().Process(append1).To("to:mock")},
			route.Advice{Step: "add", Before: route.Do().Process(append1)},
		).Advise(route.Advice{Step: "FIRST", Remove: true})
		_ = changed
		k.start(t, route.Config{}, written.Advise(
			route.Advice{From: "in:x"},
			route.Advice{Step: `to "to:k*`, Instead: route.Do().To("to:mock")},
			route.Advice{Step: "add", Before: route.Do().Process(append1), After: route.Do().Process(append1).To("to:mock")},
			route.Advice{Step: "add", Before: route.Do().Process(append1)},
		).Advise(route.Advice{Step: "first", Remove: true}))
		if body := k.send(t, "x", "b"); body != "b1111" || !slices.Equal(*got, []string{"b", "b1111"}) {
			t.Errorf("%v, %q", body, *got)
		}
		s, _ := k.Status().Route("route1")
		if s.From != "in:x" || len(s.Steps) != 1 || s.Steps[0].Steps[3].ID != "add" {
			t.Errorf("%+v", s)
		}
		err := k.build(route.Config{}, changed.ID("a"), written.ID("b"), route.From("in:x").StepID("none").To("to:mock").
			Advise(route.Advice{}, route.Advice{Step: "x"}, route.Advice{Step: "to*", Instead: route.Do(), Remove: true}))
		for _, want := range []string{
			`advice on "FIRST": there is no such step`, `no component "kafka"`, "want a step before it", "want From or Step",
			`advice on "x": want Before, After, Instead or Remove`, `advice on "to*": want Instead or Remove, not both`,
		} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("want an error with %q in\n%v", want, err)
			}
		}
	})
}

func TestInstances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		template := route.From("in:{{region}}").SetBody(route.Simple("{{greeting:Hello}} ${body} from {{where}}")).To("to:{{where}}")
		var k kit
		got := k.record("here")
		k.start(t, route.Config{Properties: route.PropertyMap{"where": "here", "region": "nowhere"}},
			template.Instance("eu", map[string]string{"region": "e{{u}}", "u": "u"}),
			template.Instance("us", map[string]string{"region": "us", "greeting": "Hi"}).AutoStart(true))
		for name, want := range map[string]string{"eu": "Hello b from here", "us": "Hi b from here"} {
			if body := k.send(t, name, "b"); body != want {
				t.Errorf("%s: %v, want %s", name, body, want)
			}
		}
		if body := k.send(t, "us", nil); body != "Hi  from here" {
			t.Errorf("%v", body)
		}
		if s, ok := k.Status().Route("us"); !ok || s.From != "in:us" || len(*got) != 3 {
			t.Errorf("%+v, %q", s, *got)
		}
		err := k.build(route.Config{}, template.Instance("x", map[string]string{"regino": "x", "where": "y"}))
		for _, want := range []string{`the parameter "regino" stands nowhere: there is no {{regino}}`, `{{region}}: there is no property "region"`, `route "x"`} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("want an error with %q in\n%v", want, err)
			}
		}
	})
}
