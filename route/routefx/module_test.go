package routefx_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routefx"
)

// quiet is a logger for tests that look at no log.
var quiet = fx.Supply(slog.New(slog.DiscardHandler))

// diary keeps what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) write(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) String() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.lines, ", ")
}

// A shop is what routes of a module use.
type shop struct{ orders *diary }

func newShop(d *diary, l fx.Lifecycle) *shop {
	l.Append(fx.StartStopHook(func() { d.write("open") }, func() { d.write("close") }))
	return &shop{d}
}

func newRoutes(s *shop) []*route.Route {
	return []*route.Route{
		route.From("direct:orders").ID("orders").Process(func(_ context.Context, ex *route.Exchange) error {
			s.orders.write(fmt.Sprint("order ", ex.Body))
			return nil
		}),
		route.From("direct:returns").ID("returns").To("direct:orders"),
	}
}

// Modules contribute, the engine starts after what they use and stops before it.
func TestModule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := new(diary)
		var engine *route.Engine
		app := fxtest.New(t, routefx.Module, routefx.Logger, quiet, fx.Supply(d),
			fx.Module("orders", fx.Provide(newShop), routefx.Routes(newRoutes)),
			fx.Module("infrastructure", routefx.Component("direct", direct.New)),
			routefx.Policy(route.Policy{
				Start: func(context.Context, string) { d.write("start") },
				Stop:  func(string) { d.write("stop") },
			}),
			fx.Populate(&engine))
		if err := engine.Ready(); !errors.Is(err, route.ErrStopped) {
			t.Errorf("before the start: %v", err)
		}
		app.RequireStart()
		if err := engine.Ready(); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute) // long after the context of the start
		if err := engine.Send(t.Context(), "direct:returns", 7); err != nil {
			t.Error(err)
		}
		app.RequireStop()
		if want := "open, start, start, order 7, stop, stop, close"; d.String() != want {
			t.Errorf("%s, want %s", d, want)
		}
		if err := engine.Ready(); !errors.Is(err, route.ErrStopped) {
			t.Errorf("after the stop: %v", err)
		}
	})
}

// Routes come in the order of the names of constructors, though fx shuffles them.
func TestOrder(t *testing.T) {
	build := func() string {
		var engine *route.Engine
		options := []fx.Option{routefx.Module, quiet, routefx.Component("direct", direct.New()), fx.Supply(new(diary)), fx.Populate(&engine)}
		for i := range 9 {
			options = append(options, routefx.Routes(route.From(route.URI(fmt.Sprint("direct:", i)))))
		}
		options = append(options, fx.Provide(newShop), routefx.Routes(newRoutes),
			fx.Module("b", routefx.Routes(b)), fx.Module("a", routefx.Routes(a)))
		fxtest.New(t, options...)
		var order []string
		for _, s := range engine.Status().Routes {
			order = append(order, s.From)
		}
		return strings.Join(order, " ")
	}
	want := "direct:0 direct:1 direct:2 direct:3 direct:4 direct:5 direct:6 direct:7 direct:8 direct:a direct:b direct:orders direct:returns"
	for range 20 {
		if have := build(); have != want {
			t.Fatalf("have %s\nwant %s", have, want)
		}
	}
}

func a() *route.Route          { return route.From("direct:a") }
func b() (*route.Route, error) { return route.From("direct:b"), nil }

type celsius float64

func TestOtherContributions(t *testing.T) {
	var engine *route.Engine
	app := fxtest.New(t, routefx.Module, quiet, routefx.Component("direct", direct.New),
		fx.Supply("°"),
		routefx.Registered("unit", func(unit string) string { return unit + "C" }),
		routefx.Registered("double", func(v any) (any, error) { return fmt.Sprint(v, v), nil }),
		routefx.Registered("limit", 40),
		routefx.Converter(route.ConverterOf(func(_ context.Context, s string) (celsius, error) { return celsius(len(s)), nil })),
		routefx.Routes(route.From("direct:in").Process(func(ctx context.Context, ex *route.Exchange) error {
			c, err := route.As[celsius](ctx, ex, ex.Body)
			ex.Body = fmt.Sprint(c)
			return err
		}).Transform(route.Simple("${body}${ref:unit} ${function(double)} ${ref:limit}"))),
		fx.Populate(&engine))
	app.RequireStart()
	defer app.RequireStop()
	ex, err := engine.Request(t.Context(), "direct:in", "abc")
	if err != nil || ex.Body != "3°C 33 40" {
		t.Errorf("%v, %v", ex, err)
	}
}

// Constructors may have optional parameters, and take a struct with fx.In.
func TestConstructors(t *testing.T) {
	var engine *route.Engine
	fxtest.New(t, routefx.Module, quiet,
		routefx.Component("master", master.New), // func(*cluster.Service, ...master.Option)
		fx.Provide(func() *cluster.Service { return nil }, fx.Annotate(func() string { return "direct:named" }, fx.ResultTags(`name:"from"`))),
		routefx.Component("direct", direct.New),
		routefx.Routes(func(in struct {
			fx.In
			From  string `name:"from"`
			Other *int   `optional:"true"`
		},
		) *route.Route {
			return route.From(route.URI(in.From)).ID("a")
		}),
		fx.Populate(&engine))
	if s, _ := engine.Status().Route("a"); s.From != "direct:named" {
		t.Errorf("from %q", s.From)
	}
}

// The configuration can be decorated, and replaced.
func TestConfig(t *testing.T) {
	var engine *route.Engine
	app := fxtest.New(t, routefx.Module, quiet,
		fx.Replace(route.Config{Properties: route.PropertyMap{"place": "in"}, Components: route.Components{"direct": direct.New()}}),
		fx.Module("routes", routefx.Routes(route.From("direct:{{place}}").ID("a"))),
		fx.Populate(&engine))
	app.RequireStart().RequireStop()
	if s, _ := engine.Status().Route("a"); s.From != "direct:in" {
		t.Errorf("from %q", s.From)
	}
	fxtest.New(t, routefx.Module, quiet, routefx.Component("direct", direct.New),
		fx.Decorate(func(c route.Config) route.Config {
			c.Properties = route.PropertyMap{"place": "there"}
			return c
		}),
		fx.Module("routes", routefx.Routes(route.From("direct:{{place}}").ID("a"))),
		fx.Populate(&engine))
	if s, _ := engine.Status().Route("a"); s.From != "direct:there" {
		t.Errorf("from %q", s.From)
	}
}

// Several engines have routes of their own, and components of their own or in common.
func TestNamed(t *testing.T) {
	var all struct {
		fx.In
		Main    *route.Engine
		Billing *route.Engine `name:"billing"`
		Audit   *route.Engine `name:"audit"`
	}
	app := fxtest.New(t, quiet,
		routefx.Module,
		routefx.Named("billing", routefx.Component("direct", direct.New)),
		routefx.Named("audit"),
		routefx.For("audit", routefx.Component("direct", direct.New)),
		routefx.Component("direct", direct.New),
		routefx.For(routefx.All, routefx.Component("timer", timer.New), routefx.Routes(func() *route.Route {
			return route.From("timer:t").ID("everywhere")
		})),
		routefx.Routes(route.From("direct:in").ID("in").SetBody(route.Constant("main"))),
		routefx.For("billing", routefx.Routes(route.From("direct:in").ID("in").SetBody(route.Constant("billing")))),
		fx.Decorate(fx.Annotate(func(c route.Config) route.Config {
			c.Properties = route.PropertyMap{"who": "audit"}
			return c
		}, fx.ParamTags(`name:"audit"`), fx.ResultTags(`name:"audit"`))),
		routefx.For("audit", routefx.Routes(route.From("direct:in").ID("in").SetBody(route.Simple("{{who}}")))),
		fx.Populate(&all))
	app.RequireStart()
	defer app.RequireStop()
	for want, engine := range map[string]*route.Engine{"main": all.Main, "billing": all.Billing, "audit": all.Audit} {
		ex, err := engine.Request(t.Context(), "direct:in", nil)
		if err != nil || ex.Body != want {
			t.Errorf("%s: %v, %v", want, ex, err)
		}
		if n := len(engine.Status().Routes); n != 2 {
			t.Errorf("%s has %d routes, want 2", want, n)
		}
	}
}
