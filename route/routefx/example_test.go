package routefx_test

import (
	"context"
	"fmt"
	"log/slog"

	"go.uber.org/fx"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routefx"
)

// Prices is what the module of orders needs, whoever provides it.
type Prices map[string]int

// Orders is a module: its routes need prices, and its users need nothing but its name.
var Orders = fx.Module("orders",
	routefx.Routes(func(p Prices) *route.Route {
		return route.From("direct:orders").ID("orders").
			Process(route.Map(func(_ context.Context, item string) (int, error) {
				price, ok := p[item]
				if !ok {
					return 0, fmt.Errorf("no price of %q", item)
				}
				return price, nil
			}))
	}),
)

func Example() {
	var engine *route.Engine
	app := fx.New(
		routefx.Module,
		routefx.Logger,
		routefx.Component("direct", direct.New),
		Orders,
		fx.Supply(Prices{"saddle": 120}, slog.New(slog.DiscardHandler)),
		fx.Populate(&engine),
	)
	ctx := context.Background()
	if err := app.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	reply, err := engine.Request(ctx, "direct:orders", "saddle")
	fmt.Println(reply.Body, err)
	fmt.Println("ready:", engine.Ready() == nil)
	fmt.Println("stop:", app.Stop(ctx))
	// Output:
	// 120 <nil>
	// ready: true
	// stop: <nil>
}

// The configuration of an engine, and of one with a name.
func ExampleNamed() {
	var engines struct {
		fx.In
		Main    *route.Engine
		Billing *route.Engine `name:"billing"`
	}
	app := fx.New(
		routefx.Module,
		routefx.Named("billing", routefx.Component("direct", direct.New)),
		routefx.Component("direct", direct.New),
		routefx.For(routefx.All, routefx.Routes(func() *route.Route {
			return route.From("direct:who").SetBody(route.Simple("{{name}}"))
		})),
		fx.Decorate(
			func(c route.Config) route.Config {
				c.Properties = route.PropertyMap{"name": "main"}
				return c
			},
			fx.Annotate(func(c route.Config) route.Config {
				c.Properties = route.PropertyMap{"name": "billing"}
				return c
			}, fx.ParamTags(`name:"billing"`), fx.ResultTags(`name:"billing"`)),
		),
		fx.Supply(slog.New(slog.DiscardHandler)),
		fx.NopLogger,
		fx.Populate(&engines),
	)
	ctx := context.Background()
	if err := app.Start(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for _, engine := range []*route.Engine{engines.Main, engines.Billing} {
		reply, err := engine.Request(ctx, "direct:who", nil)
		fmt.Println(reply.Body, err)
	}
	fmt.Println(app.Stop(ctx))
	// Output:
	// main <nil>
	// billing <nil>
	// <nil>
}

// Errors say which module contributes what is wrong, and where.
func Example_mistake() {
	app := fx.New(
		routefx.Module, routefx.Logger, fx.Supply(slog.New(slog.DiscardHandler)),
		fx.Module("orders", routefx.Component("direct", direct.New)),
		fx.Module("billing", routefx.Component("direct", direct.New)),
	)
	fmt.Println(short(app.Err()))
	// Output:
	// routefx: component "direct": there are two, from direct.New (module "orders", example_test.go:105) and from direct.New (module "billing", example_test.go:106)
}
