// Command hello is the smallest route: it logs a line every second, on the core alone.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"

	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	engine, err := route.New(
		route.Config{Components: route.Components{"timer": timer.New()}},
		route.From("timer:clock").Log("Hello World!"),
	)
	if err == nil {
		err = engine.Run(ctx)
	}
	if err != nil {
		slog.Error("the program ends", "error", err)
		os.Exit(1)
	}
}
