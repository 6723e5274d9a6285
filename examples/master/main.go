// Command master is the program of the front page. Start it several times in the same
// folder: one of the processes prints "Hello World!", and when that ends, another does.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/file"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
)

func main() {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	store, err := file.New("leaders") // or kubernetes.New(kubernetes.Config{})
	check(err)
	service, err := cluster.New(store, cluster.Options{Name: fmt.Sprint("process ", os.Getpid())})
	check(err)
	engine, err := route.New(
		route.Config{Components: route.Components{"master": master.New(service), "timer": timer.New()}},
		route.From("master:lock1:timer:clock").Log("Hello World!"),
	)
	check(err)
	check(errors.Join(engine.Run(ctx), service.Close(context.Background())))
}

func check(err error) {
	if err != nil {
		slog.Error("the program ends", "error", err)
		os.Exit(1)
	}
}
