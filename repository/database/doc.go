// Package database has repositories in tables of a database, through database/sql. The
// replicas of a program that share a table share what it remembers.
//
//	db, err := sql.Open("pgx", dsn)
//	…
//	seen, err := database.NewIdempotent(db, "orders", database.Options{Dialect: database.PostgreSQL})
//	…
//	err = seen.Create(ctx)
//	…
//	route.From("seda:orders").IdempotentConsumer(orderID, seen, body)
package database
