package route_test

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
)

// A program has routes and an engine that runs them until its context is done.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	hello := route.From("timer:clock?delay=1ms&repeatCount=1").
		Process(func(context.Context, *route.Exchange) error {
			fmt.Println("Hello World!")
			cancel() // once is enough for an example
			return nil
		})

	engine, err := route.New(route.Config{Components: route.Components{"timer": timer.New()}}, hello)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(engine.Run(ctx))

	// Output:
	// Hello World!
	// <nil>
}

// running runs routes while f talks to them.
func running(f func(context.Context, *route.Engine), routes ...*route.Route) {
	engine, err := route.New(route.Config{Components: route.Components{"direct": direct.New()}}, routes...)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	f(ctx, engine)
	cancel()
	if err := <-done; err != nil {
		fmt.Println(err)
	}
}
