package seda_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/seda"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// Who takes one message leaves the others in the queue.
func TestOneIsTakenOutOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := routetest.Run(t, route.Config{Components: route.Components{"seda": seda.New(), "direct": direct.New()}, Poison: true},
			route.From("direct:poll").Poll("seda:q", route.PollOptions{Timeout: time.Second}))
		ctx := t.Context()
		for i := range 6 {
			if err := e.Send(ctx, "seda:q", i); err != nil {
				t.Fatal(err)
			}
		}
		for i := 0; i < 6; i += 2 {
			if ex, err := e.Receive(ctx, "seda:q"); err != nil || ex.Body != i {
				t.Errorf("received %v, %v; want %d", ex, err, i)
			}
			if ex, err := e.Request(ctx, "direct:poll", nil); err != nil || ex.Body != i+1 {
				t.Errorf("polled %v, %v; want %d", ex, err, i+1)
			}
		}
		if ex, err := e.Request(ctx, "direct:poll", "before"); err != nil || ex.Body != nil {
			t.Errorf("polled %v, %v; want nothing", ex, err)
		}
		if err := e.Send(ctx, "seda:q", "late"); err != nil {
			t.Fatal(err)
		}
		if ex, err := e.Request(ctx, "direct:poll", nil); err != nil || ex.Body != "late" {
			t.Errorf("polled %v, %v; want the late one", ex, err)
		}
	})
}
