package routefx_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/fx"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routefx"
)

func line() int {
	_, _, n, _ := runtime.Caller(1)
	return n
}

var folders = regexp.MustCompile(`[^\s(]*/([a-z_]+\.go:\d+)`)

// What is wrong is told with the module and the place, and all of it at once.
func TestMistakes(t *testing.T) {
	base := fx.Options(routefx.Logger, quiet, routefx.Component("direct", direct.New))
	good := fx.Options(routefx.Module, base)
	here := line()
	cases := []struct {
		what    string
		options fx.Option
		want    []string // with the lines below here
	}{
		{"two modules with one scheme", fx.Options(good,
			fx.Module("orders", routefx.Component("timer", timer.New)),
			fx.Module("billing", routefx.Component("timer", timer.New())),
		), []string{`routefx: component "timer": there are two, from `, `timer.New (module "orders", mistakes_test.go:7)`, `routefx_test.TestMistakes (module "billing", mistakes_test.go:8)`}},
		{"two modules with one route", fx.Options(good,
			fx.Module("orders", routefx.Routes(func() *route.Route { return route.From("direct:a").ID("x") })),
			fx.Module("billing", routefx.Routes(func() *route.Route { return route.From("direct:b").ID("x") })),
		), []string{`routefx: mistakes_test.go:12: route "x": there are two, from `, `(module "orders", mistakes_test.go:11)`, `(module "billing", mistakes_test.go:12)`}},
		{"mistakes of two modules", fx.Options(good,
			fx.Module("orders", routefx.Routes(route.From("dircet:a").ID("x"))),
			fx.Module("billing", routefx.Routes(func() []*route.Route { return []*route.Route{route.From("direct:b").ID("y").To("htp:b"), nil} })),
		), []string{
			`routefx: routes from routefx_test.TestMistakes (module "orders", mistakes_test.go:15):` + "\n" + `mistakes_test.go:15: route "x": from "dircet:a": no component "dircet"`,
			`(module "billing", mistakes_test.go:16):`, `mistakes_test.go:16: route "y": to "htp:b": no component "htp" (have direct)`, "route 2 of 2 is nil",
		}},
		{"two names", fx.Options(good, routefx.Registered("a", 1), routefx.Registered("a", 2)), []string{`registered "a": there are two, from `, "mistakes_test.go:21"}},
		{"two converters", fx.Options(good, routefx.Converter(convert), routefx.Converter(func() route.Converter { return convert })), []string{
			"converter from string to routefx_test.celsius: there are two, from ", "mistakes_test.go:22",
		}},
		{"no converter", fx.Options(good, routefx.Converter(route.Converter{})), []string{"converter from ", "mistakes_test.go:25", "want one made by route.ConverterOf"}},
		{"the configuration has it", fx.Options(good, fx.Replace(route.Config{Components: route.Components{"direct": direct.New()}})), []string{
			`component "direct" from`, "route.Config.Components has one too",
		}},
		{"a bad configuration", fx.Options(good, fx.Replace(route.Config{Drain: -1})), []string{"routefx: route: Config.Drain: want a duration"}},
		{"a nil component", fx.Options(good, routefx.Component("x", func() route.Component { return nil })), []string{`component "x" from `, "mistakes_test.go:30", "it is nil"}},
		{"a bad scheme", fx.Options(good, routefx.Component("x y", timer.New)), []string{`"x y" cannot be the scheme of a URI`}},
		{"no component", fx.Options(good, routefx.Component("x", 1)), []string{
			`component "x" from `, "mistakes_test.go:32", "want a route.Component or a constructor of it, have a int",
		}},
		{"a constructor of something else", fx.Options(good, routefx.Routes(newShop)), []string{
			"want a *route.Route, a slice of them or a constructor of it, which may return an error too, have a func(*routefx_test.diary, fx.Lifecycle) *routefx_test.shop", "mistakes_test.go:35",
		}},
		{"a constructor of nothing", fx.Options(good, routefx.Policy(func() {})), []string{"policy from", "have a func()"}},
		{"no constructor", fx.Options(good, routefx.Policy((func() route.Policy)(nil))), []string{"have a nil func() route.Policy"}},
		{"nothing", fx.Options(good, routefx.Routes(nil)), []string{"have nil", "mistakes_test.go:40"}},
		{"annotated", fx.Options(good, routefx.Routes(fx.Annotate(newRoutes, fx.ParamTags("")))), []string{"have a fx.annotated", "mistakes_test.go:41"}},
		{"what is missing", fx.Options(good, routefx.Routes(newRoutes)), []string{"newRoutes", "module_test.go:", "missing type: *routefx_test.shop"}},
		{"a constructor that fails", fx.Options(good, routefx.Routes(func() (*route.Route, error) { return nil, errors.New("no file") })), []string{"no file", "mistakes_test.go:43"}},
		{"no engine", fx.Options(base, routefx.Routes(a)), []string{"the application has no engine: add routefx.Module"}},
		{"another engine", fx.Options(base, routefx.Named("billing")), []string{"it is for the engine of routefx.Module, which the application lacks"}},
		{"a wrong engine", fx.Options(good, routefx.Named("billing"), routefx.For("biling", routefx.Routes(a))), []string{`no engine "biling" (did you mean billing?) (have billing)`, "mistakes_test.go:46"}},
		{"no name", fx.Options(good, routefx.Named("")), []string{`mistakes_test.go:47: "" cannot name an engine`}},
		{"a mistake in a named engine", fx.Options(good, routefx.Named("billing", routefx.Routes(a))), []string{`routefx: engine "billing": routes from `, `no component "direct"`}},
		{"the engine twice", fx.Options(good, routefx.Module), []string{"already provided"}},
		{"vital, but not there", fx.Options(good, routefx.Routes(route.From("direct:a").ID("orders")), routefx.Vital("order")), []string{`vital "order" from `, `no route "order" (did you mean orders?)`, "mistakes_test.go:50"}},
		{"vital, but how", fx.Options(good, routefx.Vital("a", routefx.VitalOptions{Failures: -1})), []string{`mistakes_test.go:51: vital "a": want Failures that are not negative`}},
		{"vital in two ways", fx.Options(good, routefx.Vital("a", routefx.VitalOptions{}, routefx.VitalOptions{})), []string{"at most one VitalOptions, have 2"}},
		{"a cluster without a store", fx.Options(good, routefx.Cluster("master", 3)), []string{`component "master" from `, "want a cluster.Store or a constructor of it, have a int", "mistakes_test.go:53"}},
		{"a cluster with a nil store", fx.Options(good, routefx.Cluster("master", func() cluster.Store { return nil })), []string{"cluster: no store"}},
		{"a bad cluster", fx.Options(good, routefx.Cluster("master", memory.New), fx.Supply(cluster.Options{Beat: -1})), []string{`component "master" from memory.New (`, "cluster: want Beat between"}},
		{"two clusters", fx.Options(good, fx.Module("orders", routefx.Cluster("master", memory.New)), fx.Module("billing", routefx.Cluster("master", memory.New))), []string{
			`component "master": there are two, from memory.New (module "`, `module "orders", mistakes_test.go:56`, `module "billing", mistakes_test.go:56`,
		}},
	}
	place := regexp.MustCompile(`mistakes_test\.go:(\d+)`)
	for _, c := range cases {
		app := fx.New(c.options)
		err := app.Err()
		if err == nil {
			t.Errorf("%s: no error", c.what)
			continue
		}
		text := folders.ReplaceAllString(err.Error(), "$1")
		for _, want := range c.want {
			want = place.ReplaceAllStringFunc(want, func(s string) string {
				var n int
				_, _ = fmt.Sscanf(s, "mistakes_test.go:%d", &n)
				return fmt.Sprintf("mistakes_test.go:%d", here+n)
			})
			if !strings.Contains(text, want) {
				t.Errorf("%s:\n%s\nhas not\n%s", c.what, text, want)
			}
		}
	}
}

var convert = route.ConverterOf(func(_ context.Context, s string) (celsius, error) { return celsius(len(s)), nil })

// With another logger of fx the place is still there, though not the module's name.
func TestMistakesWithoutOurLogger(t *testing.T) {
	err := fx.New(routefx.Module, fx.NopLogger, fx.Supply(slog.New(slog.DiscardHandler)),
		fx.Module("orders", routefx.Routes(a)), routefx.Component("x", timer.New)).Err()
	text := folders.ReplaceAllString(err.Error(), "$1")
	if !strings.Contains(text, fmt.Sprintf("routefx: routes from routefx_test.a (mistakes_test.go:%d):\nmodule_test.go:", line()-2)) {
		t.Error(text)
	}
}

// short is what an error says below what fx says around it, without folders.
func short(err error) string {
	text := folders.ReplaceAllString(err.Error(), "$1")
	return text[max(0, strings.Index(text, "routefx: ")):]
}
