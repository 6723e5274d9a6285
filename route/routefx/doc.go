// Package routefx runs routes in applications of go.uber.org/fx.
//
//	fx.New(
//		routefx.Module, // an engine, with what the modules contribute to it
//		routefx.Logger, // what fx does, by log/slog
//		routefx.Component("timer", timer.New),
//		orders.Module,
//		billing.Module,
//	).Run()
//
// A module contributes values or constructors, whose parameters fx injects:
//
//	var Module = fx.Module("orders",
//		fx.Provide(newShop),
//		routefx.Routes(newRoutes), // func(*shop) []*route.Route
//	)
//
// # What is in the container
//
// [Module] provides a [*route.Engine] and a [route.Config], which fx.Decorate or fx.Replace
// changes, at the level of the application or of what encloses Module. A [*slog.Logger] is
// used if there is one, and so are [cluster.Options], by [Cluster].
//
// # Life
//
// The engine starts after everything that contributions use, and stops before it. The start
// of the application has succeeded when the routes were started; whether they take messages
// is told by [route.Engine.Ready]. When the application stops, exchanges in flight have two
// thirds of what is left of the time to stop (fx.StopTimeout, 15s if it is not given), or
// [route.Config.Drain] if that is less.
//
// # Order
//
// fx shuffles what modules contribute. Here it is put in order, by the name of the
// constructor, which begins with its package, then by file and line; routes of one
// constructor stay as they are. What does not differ in any of that is in the order of the
// ids of its routes.
package routefx
