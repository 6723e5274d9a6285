// Hello is examples/hello under the leadership of a lock kept in Kubernetes.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/kubernetes"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
)

func main() {
	if err := run(); err != nil {
		slog.Error("the program ends", "error", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	store, err := kubernetes.New(kubernetes.Config{})
	if err != nil {
		return err
	}
	service, err := cluster.New(store, cluster.Options{Name: store.PodName()})
	if err != nil {
		return err
	}
	engine, err := route.New(
		route.Config{Components: route.Components{"master": master.New(service), "timer": timer.New()}},
		route.From("master:lock1:timer:clock").Log("Hello World!"),
	)
	if err != nil {
		return err
	}
	return errors.Join(engine.Run(ctx), service.Close(context.WithoutCancel(ctx)))
}
