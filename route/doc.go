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
// Writing routes:
//
//   - A route begins with [From]; [Do] is a block, [When] and [Otherwise] are cases.
//   - Values and conditions, [Expr] and [Cond]: [Func], [Where], [Simple], [Constant], a [Key],
//     and what the packages below language make.
//   - Sending: [Route.To], [Route.ToD], [Route.ToWith], [Route.WireTap], [Route.Enrich],
//     [Route.PollEnrich], [Route.Poll].
//   - Routing: [Route.Filter], [Route.Choice], [Route.Multicast], [Route.RecipientList],
//     [Route.RoutingSlip], [Route.DynamicRouter], [Route.LoadBalance].
//   - Taking apart and putting together: [Route.Split] with [Tokenize] and [Lines],
//     [Route.Aggregate], [Route.Resequence], and every [Strategy].
//   - Transformation: [Route.Process] with [Map], [Route.SetBody], [Route.Transform],
//     [Route.SetHeaders], [Route.ConvertBodyTo], [Route.Marshal], [Unmarshal], [Route.Sort],
//     [Route.Script], [Route.Validate].
//   - Flow: [Route.Loop], [Route.Delay], [Route.Throttle], [Route.Sample], [Route.Threads],
//     [Route.CircuitBreaker], [Route.Pipeline], [Route.Stop].
//   - State: [Route.SetVariable], [Route.IdempotentConsumer], [Route.ClaimCheck], [Route.Saga],
//     [Route.Transacted].
//   - Errors: [Route.Try] with [Catch] and [Finally], [Route.Throw], [OnError], [ErrorHandler],
//     [Redelivery].
//   - Around routes: [Configuration], [Intercept], [OnCompletion], [Policy], [Route.Instance],
//     [Route.Advise].
//
// Running them: [New], [Config], [Engine], [Status], [StepError].
//
// Writing components: [Component], [Consumer], [Producer], [Address.Decode], [Encode], and
// package routetest to test them.
//
// Writing steps: [Step] and [Builder].
package route
