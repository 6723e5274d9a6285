package master_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
)

// A report is made once, not once by each replica. Packages cluster/file and
// cluster/kubernetes have stores that replicas share; this one is alone.
func Example() {
	svc, err := cluster.New(memory.New(), cluster.Options{Name: "replica 1", Logger: quiet})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	engine, err := route.New(route.Config{
		Components: route.Components{"master": master.New(svc), "timer": timer.New()},
		Logger:     quiet,
	},
		route.From("master:reports:timer:daily?delay=0&period=24h").
			Process(func(ctx context.Context, _ *route.Exchange) error {
				term, _ := cluster.TermFrom(ctx)
				fmt.Println("making the report under lock", term.Lock())
				stop()
				return nil
			}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(engine.Run(ctx), svc.Close(context.Background()))
	// Output:
	// making the report under lock reports
	// <nil> <nil>
}
