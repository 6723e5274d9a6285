//go:build unix

package repository

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/repository/database"
	"github.com/mehari-go/mehari/route"
)

// Replicas of a program that have the same database take each order once.
func Example() {
	db, err := sql.Open("sqlite", "file:orders?mode=memory&cache=shared")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	seen, err := database.NewIdempotent(db, "orders", database.Options{Dialect: database.SQLite})
	if err == nil {
		err = seen.Create(context.Background())
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	orders := route.From("direct:orders").
		IdempotentConsumer(route.Simple("${body}"), seen, route.Do().
			Process(func(_ context.Context, ex *route.Exchange) error {
				fmt.Println("ship", ex.Body)
				return nil
			}))
	engine, err := route.New(route.Config{Components: route.Components{"direct": direct.New()}}, orders)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	for _, order := range []string{"o-1", "o-1", "o-2"} {
		if err := engine.Send(ctx, "direct:orders", order); err != nil {
			fmt.Println(err)
		}
	}
	cancel()
	fmt.Println(<-done)

	// Output:
	// ship o-1
	// ship o-2
	// <nil>
}
