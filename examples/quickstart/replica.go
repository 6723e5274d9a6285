package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/file"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
)

// The timing of the demo, shorter than the defaults of 15 s, 10 s and 3 s: nobody
// wants to wait that long to see a take-over.
const (
	wait  = 1200 * time.Millisecond
	limit = 800 * time.Millisecond
	beat  = 200 * time.Millisecond
)

const (
	lock  = "lock1"
	hello = "Hello World!"
	shows = "leader" // the message of a replica that sees another leader
)

// replica is one replica of the program. It logs to out, stops when it reads "stop",
// and exits at once when in is closed: the program that started it is gone.
func replica(number int, folder string, in io.Reader, out io.Writer) error {
	signal.Ignore(os.Interrupt) // Ctrl-C goes to all processes; the supervisor decides
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go obey(in, cancel)

	logger := slog.New(tokens{slog.NewJSONHandler(out, nil)})
	store, err := file.New(folder)
	if err != nil {
		return err
	}
	service, err := cluster.New(own{store}, cluster.Options{
		Name: fmt.Sprint("replica ", number),
		Wait: wait, Limit: limit, Beat: beat,
		Logger: logger,
	})
	if err != nil {
		return err
	}
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		for c := range service.View(lock).Changes(ctx) {
			logger.Info(shows, "leader", c.Leader.Name, "token", c.Token)
		}
	}()
	err = work(ctx, service, logger)
	cancel()
	<-watching
	closing, done := context.WithTimeout(context.Background(), 2*time.Second)
	defer done()
	return errors.Join(err, service.Close(closing))
}

// work runs the route until ctx ends.
func work(ctx context.Context, service *cluster.Service, logger *slog.Logger) error {
	engine, err := route.New(route.Config{
		Components: route.Components{"master": master.New(service), "timer": timer.New()},
		Logger:     logger,
	},
		route.From("master:lock1:timer:clock").Log("Hello World!"),
	)
	if err != nil {
		return err
	}
	return engine.Run(ctx)
}

// obey does what the supervisor says.
func obey(in io.Reader, stop func()) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		if lines.Text() == "stop" {
			stop()
		}
	}
	os.Exit(1)
}

// own is a folder of which no process but the replicas knows: where it has no table,
// there never was one, and the first leader need not wait.
type own struct{ *file.Store }

func (own) Keeps() bool { return true }

// tokens adds to each record the fencing token of the term in which it was logged.
type tokens struct{ slog.Handler }

func (h tokens) Handle(ctx context.Context, r slog.Record) error {
	if t, ok := cluster.TermFrom(ctx); ok {
		r.AddAttrs(slog.Uint64("token", t.Token()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h tokens) WithAttrs(attrs []slog.Attr) slog.Handler { return tokens{h.Handler.WithAttrs(attrs)} }

func (h tokens) WithGroup(name string) slog.Handler { return tokens{h.Handler.WithGroup(name)} }
