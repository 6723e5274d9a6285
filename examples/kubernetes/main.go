// Command kubernetes is the quickstart of clustered singletons: of all its pods one
// prints "Hello World!" every second, and one, which may be another, runs
// CustomService. README.md tells how to deploy it.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/kubernetes"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
)

func main() {
	logger, err := newLogger(os.Stdout, os.Getenv("LOG_LEVEL"))
	if err != nil {
		logger.Error("the program does not start", "error", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, logger); err != nil {
		logger.Error("the program ends", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, logger *slog.Logger) error {
	store, err := kubernetes.New(kubernetes.Config{Selector: os.Getenv("MEMBERS"), Logger: logger})
	if err != nil {
		return err
	}
	service, err := cluster.New(store, cluster.Options{Name: store.PodName(), Logger: logger})
	if err != nil {
		return err
	}
	engine, err := route.New(
		route.Config{
			Components: route.Components{"master": master.New(service), "timer": timer.New()},
			Logger:     logger,
		},
		route.From("master:lock1:timer:clock").Log("Hello World!"),
	)
	if err != nil {
		return err
	}
	custom := CustomService{logger}
	err = together(ctx,
		engine.Run,
		func(ctx context.Context) error { return service.Run(ctx, "lock2", custom.Run) },
		func(ctx context.Context) error { return serve(ctx, ":8080", probes(service)) },
	)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	return errors.Join(err, service.Close(closing)) // so that nobody has to wait for us
}

// together runs the parts of the program until one of them ends, then ends the
// others, and returns all their errors.
func together(ctx context.Context, parts ...func(context.Context) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, len(parts))
	for _, part := range parts {
		go func() { ended <- part(ctx) }()
	}
	var errs []error
	for range parts {
		errs = append(errs, <-ended)
		stop()
	}
	return errors.Join(errs...)
}
