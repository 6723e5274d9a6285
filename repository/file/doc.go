// Package file has repositories in files, which survive the death of the process that
// writes them.
//
//	seen, err := file.OpenIdempotent("/var/lib/orders/seen", file.Options{})
//	…
//	defer seen.Close()
//	route.From("seda:orders").IdempotentConsumer(orderID, seen, body)
package file
