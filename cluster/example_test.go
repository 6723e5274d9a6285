package cluster_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
)

// A CustomService is something of which only one may run in the whole cluster.
type CustomService struct{}

func (CustomService) Start() { fmt.Println("CustomService has been started") }
func (CustomService) Stop()  { fmt.Println("CustomService has been stopped") }

// The second half of the article: a service of one's own that runs on one replica
// at a time. It is started when this replica becomes the leader of "lock2", and
// stopped before another replica can be.
func ExampleService_Run() {
	svc, err := cluster.New(memory.New(), cluster.Options{Name: "pod-a", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	defer svc.Close(context.Background())
	ctx, stop := context.WithCancel(context.Background()) // until SIGTERM, say

	err = svc.Run(ctx, "lock2", func(ctx context.Context, t cluster.Term) error {
		service := CustomService{}
		service.Start()
		stop() // enough for an example
		<-ctx.Done()
		service.Stop()
		return nil
	})
	fmt.Println("done:", err)
	// Output:
	// CustomService has been started
	// CustomService has been stopped
	// done: <nil>
}

// Whoever watches only, such as a page about the state of the program, sees who
// leads, at first and after each change.
func ExampleView_Changes() {
	store := memory.New()
	quiet := slog.New(slog.DiscardHandler)
	leader, err := cluster.New(store, cluster.Options{Name: "pod-a", Logger: quiet})
	if err != nil {
		log.Fatal(err)
	}
	defer leader.Close(context.Background())
	go leader.Run(context.Background(), "lock2", func(ctx context.Context, _ cluster.Term) error {
		<-ctx.Done()
		return nil
	})

	watcher, err := cluster.New(store, cluster.Options{Name: "pod-b", Logger: quiet})
	if err != nil {
		log.Fatal(err)
	}
	defer watcher.Close(context.Background())
	for now := range watcher.View("lock2").Changes(context.Background()) {
		if now.Token != 0 {
			fmt.Println(now.Leader.Name, "leads, and it is this one:", now.Leader.Local)
			break
		}
	}
	// Output:
	// pod-a leads, and it is this one: false
}

// A fence is a resource that remembers the highest token it has seen.
type fence struct{ highest uint64 }

func (f *fence) write(token uint64, what string) error {
	if token < f.highest {
		return fmt.Errorf("refused %q: token %d is older than %d", what, token, f.highest)
	}
	f.highest = token
	fmt.Println("wrote", what)
	return nil
}

// What must not happen twice carries the token to the place where it happens, and
// looks at the deadline right before.
func ExampleTerm() {
	svc, err := cluster.New(memory.New(), cluster.Options{Name: "pod-a", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	defer svc.Close(context.Background())
	ctx, stop := context.WithCancel(context.Background())
	var ledger fence
	_ = svc.Run(ctx, "ledger", func(ctx context.Context, t cluster.Term) error {
		defer stop()
		if !t.Valid() {
			return nil // paused for too long: another may lead
		}
		return ledger.write(t.Token(), "an entry")
	})
	fmt.Println(ledger.write(0, "a late entry") != nil)
	// Output:
	// wrote an entry
	// true
}
