package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/repository/file"
	"github.com/mehari-go/mehari/route"
)

// Orders that were done with before the program was started anew are still known.
func ExampleOpenIdempotent() {
	folder, err := os.MkdirTemp("", "orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	for _, order := range []string{"o-1", "o-1", "o-2"} { // each time in a new life
		if err := take(order, filepath.Join(folder, "seen")); err != nil {
			fmt.Println(err)
		}
	}

	// Output:
	// ship o-1
	// ship o-2
}

// take runs the program for one order.
func take(order, path string) error {
	seen, err := file.OpenIdempotent(path, file.Options{})
	if err != nil {
		return err
	}
	defer seen.Close()
	orders := route.From("direct:orders").
		IdempotentConsumer(route.Simple("${body}"), seen, route.Do().
			Process(func(_ context.Context, ex *route.Exchange) error {
				fmt.Println("ship", ex.Body)
				return nil
			}))
	engine, err := route.New(route.Config{Components: route.Components{"direct": direct.New()}}, orders)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	err = engine.Send(ctx, "direct:orders", order)
	cancel()
	<-done
	return err
}
