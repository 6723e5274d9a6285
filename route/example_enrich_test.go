package route_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/seda"
	"github.com/mehari-go/mehari/route"
)

// The price comes from another route, and the order stays what it is otherwise.
func ExampleRoute_enrich() {
	withPrice := func(_ context.Context, order, reply *route.Exchange) error {
		order.Body = fmt.Sprintf("%v for %v birr", order.Body, reply.Body)
		return nil
	}

	orders := route.From("direct:orders").
		Enrich("direct:prices", route.EnrichOptions{Merge: withPrice})
	prices := route.From("direct:prices").
		SetBody(func(ex *route.Exchange) any { return map[any]int{"dates": 120, "coffee": 300}[ex.Body] })

	running(func(ctx context.Context, engine *route.Engine) {
		for _, what := range []string{"dates", "coffee"} {
			reply, err := engine.Request(ctx, "direct:orders", what)
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(reply.Body)
		}
	}, orders, prices)

	// Output:
	// dates for 120 birr
	// coffee for 300 birr
}

// Who asks gets one of the jobs that wait, if there is one.
func ExampleRoute_pollEnrich() {
	assign := func(_ context.Context, worker, job *route.Exchange) error {
		if job.Body == nil {
			worker.Body = fmt.Sprintf("%v may rest", worker.Body)
			return nil
		}
		worker.Body = fmt.Sprintf("%v has to %v", worker.Body, job.Body)
		return nil
	}
	ask := route.From("direct:ask").
		PollEnrich("seda:jobs", route.PollEnrichOptions{Merge: assign, Timeout: 50 * time.Millisecond})

	engine, err := route.New(route.Config{Components: route.Components{"direct": direct.New(), "seda": seda.New()}}, ask)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- engine.Run(ctx) }()
	for _, job := range []string{"sweep", "cook"} {
		if err := engine.Send(ctx, "seda:jobs", job); err != nil {
			fmt.Println(err)
		}
	}
	for _, worker := range []string{"Abel", "Sara", "Hana"} {
		reply, err := engine.Request(ctx, "direct:ask", worker)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(reply.Body)
	}
	cancel()
	fmt.Println(<-done)

	// Output:
	// Abel has to sweep
	// Sara has to cook
	// Hana may rest
	// <nil>
}
