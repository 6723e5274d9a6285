package seda_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestFull(t *testing.T) {
	for _, tt := range []struct {
		to     route.URI
		err    string
		took   time.Duration
		arrive []any
	}{
		{"seda:q?size=2", "seda:q?size=2 is full: it has 2 messages", 0, []any{0, 1, 2}},
		{"seda:q?size=2&discardWhenFull=true", "", 0, []any{0, 1, 2}},
		{"seda:q?size=2&blockWhenFull=true", "", time.Minute, []any{0, 1, 2, 3}},
		{"seda:q?size=2&blockWhenFull=true&offerTimeout=1s", "is full: there was no room for 1s", time.Second, []any{0, 1, 2}},
		{"seda:q?size=2&multipleConsumers=true", "seda:q?multipleConsumers=true&size=2 is full: it has 2 messages", 0, []any{0, 1, 2}},
		{"seda:q?size=2&multipleConsumers=true&discardWhenFull=true", "", 0, []any{0, 1, 2}},
		{"seda:q?size=2&multipleConsumers=true&blockWhenFull=true", "", time.Minute, []any{0, 1, 2, 3}},
	} {
		t.Run(string(tt.to), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mock := new(routetest.Mock)
				from := route.URI("seda:q?size=2")
				if strings.Contains(string(tt.to), "multiple") {
					from += "&multipleConsumers=true"
				}
				e := routetest.Run(t, config(mock), route.From(from).To("mock:out").Delay(time.Minute, blocking))
				var err error
				begun := time.Now()
				for n := range 4 { // one is in flight, two are in the queue
					if err = e.Send(t.Context(), tt.to, n); err != nil && n < 3 {
						t.Fatal(err)
					}
					synctest.Wait()
				}
				if d := time.Since(begun); d != tt.took {
					t.Errorf("took %v, want %v", d, tt.took)
				}
				if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Errorf("have %v, want %q", err, tt.err)
				}
				routetest.Advance(time.Hour)
				mock.Check(t, "out", routetest.Bodies(tt.arrive...))
			})
		})
	}
}

func TestBlockedSendersGiveUpAndGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		e := routetest.Run(t, config(mock), route.From("seda:q?size=1").Delay(time.Second, blocking).To("mock:out"))
		ctx, cancel := context.WithTimeoutCause(t.Context(), 3500*time.Millisecond, errGone)
		defer cancel()
		var senders sync.WaitGroup
		var sent, gone atomic.Int64
		for n := range 20 {
			senders.Go(func() {
				switch err := e.Send(ctx, "seda:q?blockWhenFull=true", n); {
				case err == nil:
					sent.Add(1)
				case errors.Is(err, errGone):
					gone.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		senders.Wait()
		if sent.Load() != 5 || gone.Load() != 15 { // 3 through, 1 in flight, 1 in the queue
			t.Errorf("%d were sent and %d given up, want 5 and 15", sent.Load(), gone.Load())
		}
		routetest.Advance(time.Hour)
		mock.Check(t, "out", routetest.Count(5))
	})
}
