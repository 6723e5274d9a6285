// Package route holds the words, the fluent builder and the engine of message routes.
//
//	orders := route.From("direct:orders").
//		Process(route.Map(parse)). // func(context.Context, []byte) (Order, error)
//		Choice(
//			route.When(route.Where(big)).To("direct:review"), // func(Order) bool
//			route.Otherwise().To("direct:ship"),
//		).
//		Log("order of ${header.customer} routed")
//
//	engine, err := route.New(route.Config{Components: components}, orders)
//	…
//	err = engine.Run(ctx)
//
// A [Route] takes exchanges from an endpoint and leads them through steps. An
// [Exchange] has a body, headers, which travel with it, and properties, which do not.
// Endpoints are URIs; the [Components] of an engine serve them, by scheme. [New] builds
// the routes and tells all mistakes at once, each with its place in the source;
// [Engine.Run] runs them until its context is done, and then lets what is in flight
// finish.
//
// The error that a step returns ends the way of its exchange, and goes back to the
// consumer, for which it is the refusal of the message: nothing is acknowledged that was
// not done. It never ends the route.
//
// # Where to look
//
//   - Writing routes: [From] and the methods of [Route], [Do], [When], [Try][Route.Try]
//     and [Catch], [Map], [Where], [Key], [Simple].
//   - Running them: [New], [Config], [Engine], [Status].
//   - Writing components: [Component], [Consumer], [Producer], [Address.Decode],
//     [Encode], and package routetest to test them.
//   - Writing steps: [Step] and [Builder].
package route
