package bolt_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/repository/bolt"
	"github.com/mehari-go/mehari/route"
)

// The lines of an order are gathered over two lives of a program.
func ExampleOpen() {
	folder, err := os.MkdirTemp("", "orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	for _, line := range []string{"tent", "rope"} {
		if err := gather(line, filepath.Join(folder, "groups.db")); err != nil {
			fmt.Println(err)
		}
	}

	// Output:
	// tent and rope
}

// gather is one life of a program.
func gather(line, path string) error {
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	orders, err := db.Groups("orders")
	if err != nil {
		return err
	}
	engine, err := route.New(route.Config{Components: route.Components{"direct": direct.New()}},
		route.From("direct:lines").Aggregate(func(*route.Exchange) any { return "o-1" }, route.JoinText(" and "),
			route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
				fmt.Println(ex.Body)
				return nil
			}), route.AggregateOptions{Size: 2, Repository: orders}))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- engine.Run(ctx) }()
	err = engine.Send(ctx, "direct:lines", line)
	cancel()
	if failed := <-ended; err == nil {
		err = failed
	}
	return err
}
