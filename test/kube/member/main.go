// Member is the program under test: a replica that takes part in locks kept in
// Kubernetes and reports each act of its leadership to a witness.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/kubernetes"
	"github.com/mehari-go/mehari/test/kube/witness"
)

func main() {
	var o cluster.Options
	locks := flag.String("locks", "lock1,lock2", "names of the locks, with commas")
	count := flag.Int("count", 0, "use that many locks instead")
	every := flag.Duration("every", 5*time.Millisecond, "time from act to act; 0: one act in each term")
	addr := flag.String("witness", "", "socket of the witness")
	selector := flag.String("selector", "app=member", "label selector of the replicas")
	flag.DurationVar(&o.Wait, "wait", 0, "x")
	flag.DurationVar(&o.Limit, "limit", 0, "y")
	flag.DurationVar(&o.Beat, "beat", 0, "r")
	flag.BoolVar(&o.Fixed, "fixed", false, "do not move locks to newcomers")
	flag.Parse()
	names := strings.Split(*locks, ",")
	if *count > 0 {
		names = nil
		for i := range *count {
			names = append(names, fmt.Sprintf("lock%d", i+1))
		}
	}
	o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if err := run(o, *selector, *addr, *every, names); err != nil {
		o.Logger.Error("member ends", "error", err)
		os.Exit(1)
	}
}

func run(o cluster.Options, selector, addr string, every time.Duration, locks []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	store, err := kubernetes.New(kubernetes.Config{Selector: selector, Timeout: o.Limit / 4, Logger: o.Logger})
	if err != nil {
		return err
	}
	o.Name = store.PodName()
	service, err := cluster.New(store, o)
	if err != nil {
		return err
	}
	reporter, err := witness.Dial(addr, o.Name)
	if err != nil {
		return err
	}
	var running sync.WaitGroup
	failed := make(chan error, len(locks))
	for _, lock := range locks {
		running.Go(func() {
			failed <- service.Run(ctx, lock, func(ctx context.Context, t cluster.Term) error {
				return lead(ctx, t, reporter, every)
			})
		})
	}
	<-ctx.Done()
	closing, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = service.Close(closing)
	running.Wait()
	close(failed)
	for e := range failed {
		if !errors.Is(e, cluster.ErrClosed) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// lead acts as long as the term lasts. It asks before each act whether it still
// does: a process that was stopped finds out here. Between the answer and the act it
// may be stopped all the same, so that one act can come late.
func lead(ctx context.Context, t cluster.Term, r *witness.Reporter, every time.Duration) error {
	if every == 0 {
		if !t.Valid() {
			return nil
		}
		err := r.Act(t.Lock(), t.Token())
		<-ctx.Done()
		return err
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if t.Valid() {
			if err := r.Act(t.Lock(), t.Token()); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
