package master_test

import (
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/timer"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestComponent(t *testing.T) {
	services := map[route.Component]*cluster.Service{}
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component {
			svc, err := cluster.New(memory.New(), cluster.Options{Name: "a", Logger: quiet, Beat: 100 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			c := master.New(svc)
			services[c] = svc
			return c
		},
		Close: func(c route.Component) {
			if err := services[c].Close(t.Context()); err != nil {
				t.Error(err)
			}
		},
		Consumer: "master:lock1:timer:clock?delay=0&period=10",
		Others:   route.Components{"timer": timer.New()},
	})
}
