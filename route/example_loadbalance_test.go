package route_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// The two workers take turns. One that fails is no matter where there is another.
func ExampleRoute_loadBalance() {
	work := func(name string, broken bool) *route.Block {
		return route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
			if broken {
				return errors.New(name + " is broken")
			}
			fmt.Println(name, "does", ex.Body)
			return nil
		})
	}

	jobs := route.From("direct:jobs").
		LoadBalance(route.RoundRobin(), work("Abel", false), work("Sara", false))
	urgent := route.From("direct:urgent").
		LoadBalance(route.Failover(), work("the machine", true), work("Hana", false))

	running(func(ctx context.Context, engine *route.Engine) {
		for _, to := range []route.URI{"direct:jobs", "direct:jobs", "direct:jobs", "direct:urgent"} {
			if err := engine.Send(ctx, to, "a job"); err != nil {
				fmt.Println(err)
			}
		}
	}, jobs, urgent)

	// Output:
	// Abel does a job
	// Sara does a job
	// Abel does a job
	// Hana does a job
}
