// Package mehari is the front page of Mehari, a message-routing integration framework:
// Apache Camel's ideas in Go. It holds nothing but this comment and an example.
//
// A route takes messages from an endpoint, leads them through steps, and sends them to
// other endpoints. An endpoint is a URI that a component serves. An endpoint master:…
// is consumed on one replica of a cluster at a time:
//
//	route.From("master:lock1:timer:clock").Log("Hello World!")
//
// # In which order to read
//
//   - [github.com/mehari-go/mehari/route]: the words, the fluent builder and the engine.
//   - components/timer, direct, seda, log, master: what routes begin and end with, one
//     package for each scheme.
//   - [github.com/mehari-go/mehari/cluster]: one leader for each lock, with or without
//     routes; cluster/memory, cluster/file and cluster/kubernetes keep its records.
//   - [github.com/mehari-go/mehari/language/simple]: the language of ${body} and
//     ${header.x} in texts.
//   - [github.com/mehari-go/mehari/route/routetest] and
//     [github.com/mehari-go/mehari/cluster/clustertest]: kits for your own tests, in
//     virtual time.
//
// The words are explained in docs/words.md, and why things are as they are in
// docs/decisions.
package mehari
