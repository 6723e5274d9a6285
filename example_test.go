package mehari_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
)

// A CustomService is to run on one replica at a time.
type CustomService struct{ started chan struct{} }

// Start is called on the replica that leads.
func (s *CustomService) Start(token uint64) {
	fmt.Println("started")
	close(s.started)
}

// Stop is called when it leads no more.
func (s *CustomService) Stop() { fmt.Println("stopped") }

// A service that starts and stops with the leadership of a lock, without routes.
func Example_customService() {
	ctx, terminate := context.WithCancel(context.Background())
	service := &CustomService{make(chan struct{})}
	go func() {
		<-service.started
		terminate() // as a signal to the process would
	}()
	if err := lead(ctx, memory.New(), service); err != nil {
		fmt.Println(err)
	}
	// Output:
	// started
	// stopped
}

func lead(ctx context.Context, store cluster.Store, service *CustomService) error {
	svc, err := cluster.New(store, cluster.Options{})
	if err != nil {
		return err
	}
	err = svc.Run(ctx, "lock2", func(ctx context.Context, t cluster.Term) error {
		service.Start(t.Token())
		defer service.Stop()
		<-ctx.Done() // which comes before another replica can start
		return nil
	})
	return errors.Join(err, svc.Close(context.Background()))
}
