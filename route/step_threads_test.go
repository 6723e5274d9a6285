package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Where nobody waits for a reply the caller goes on at once, with the exchange as it was.
func TestThreadsLetTheCallerGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var mu sync.Mutex
		var got []string
		k := start(t, route.Config{Drain: time.Hour, Poison: true}, route.From("in:x").
			Threads(route.Do().SetHeader("h", 1).Delay(time.Second).Script(func(ex *route.Exchange) any {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, fmt.Sprint(ex.Body, " ", time.Since(begun)))
				return nil
			}), route.ThreadsOptions{Size: 2}).
			Validate(func(ex *route.Exchange) bool { return ex.Header("h") == nil }))
		for i := range 5 {
			k.send(t, "x", i)
			synctest.Wait()
		}
		if took := time.Since(begun); took != 0 {
			t.Errorf("took %v", took)
		}
		if r, _ := k.Status().Route("route1"); len(r.InFlight) != 5 {
			t.Errorf("in flight: %v, want 5", r.InFlight)
		}
		if err := k.stop(); err != nil { // what is in the queue is worked on
			t.Error(err)
		}
		slices.Sort(got)
		wantLines(t, "worked on", got, "0 1s", "1 1s", "2 2s", "3 2s", "4 3s")
	})
}

// Who waits for a reply waits for a place too, and for the body.
func TestThreadsWithReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		bad := errors.New("bad")
		k := start(t, route.Config{}, route.From("in:x").
			Threads(route.Do().Delay(time.Second).
				Choice(route.When(func(ex *route.Exchange) bool { return ex.Body == 1 }).Throw(bad), route.Otherwise().Process(append1)),
				route.ThreadsOptions{Size: 1}).Process(append1))
		var all sync.WaitGroup
		for i := range 3 {
			all.Go(func() {
				ex := route.NewRequest(i)
				err := k.give("x", ex)
				if took := time.Since(begun); took != time.Duration(i+1)*time.Second || errors.Is(err, bad) != (i == 1) || i != 1 && ex.Body != fmt.Sprint(i, " 11") {
					t.Errorf("%d: %v after %v, %v", i, ex.Body, took, err)
				}
			})
			synctest.Wait()
		}
		all.Wait()
	})
}

func TestThreadsWithoutRoom(t *testing.T) {
	for _, test := range []struct {
		policy route.ThreadsRejected
		reply  bool
		want   string // when the third is through, and why it fails
	}{
		{route.ThreadsCallerRuns, false, "1s <nil>"},
		{route.ThreadsCallerRuns, true, "1s <nil>"},
		{route.ThreadsBlock, false, "1s <nil>"}, // it has a place in the queue then
		{route.ThreadsBlock, true, "3s <nil>"},
		{route.ThreadsAbort, false, "0s rejected: 1 exchanges are worked on and 1 wait already"},
		{route.ThreadsAbort, true, "0s rejected: 1 exchanges are worked on and 1 wait already"},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun, worked := time.Now(), atomic.Int64{}
			k := start(t, route.Config{Drain: time.Hour}, route.From("in:x").
				Threads(route.Do().Delay(time.Second).Script(func(ex *route.Exchange) any { ex.Body = 0; worked.Add(1); return nil }),
					route.ThreadsOptions{Size: 1, MaxQueueSize: 1, Rejected: test.policy}))
			for i := range 2 {
				k.send(t, "x", i+1)
				synctest.Wait()
			}
			ex := route.NewExchange(3)
			if test.reply {
				ex = route.NewRequest(3)
			}
			err := k.give("x", ex)
			if rejected, ok := errors.AsType[*route.RejectedError](err); ok {
				err = rejected
			}
			if got := fmt.Sprint(time.Since(begun), " ", err); got != test.want {
				t.Errorf("%v, %v: %s, want %s", test.policy, test.reply, got, test.want)
			}
			if want := map[bool]any{false: 3, true: 0}[test.reply && err == nil]; ex.Body != want {
				t.Errorf("%v, %v: body %v, want %v", test.policy, test.reply, ex.Body, want)
			}
			_ = k.stop()
			if n, want := worked.Load(), map[bool]int64{true: 3, false: 2}[err == nil]; n != want {
				t.Errorf("%v, %v: %d worked on, want %d", test.policy, test.reply, n, want)
			}
		})
	}
}

// What fails where nobody waits is told once, and the place is free again.
func TestThreadsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:x").Threads(route.Do().
			Choice(route.When(func(ex *route.Exchange) bool { return ex.Body == 1 }).ThrowText("bad"),
				route.When(func(ex *route.Exchange) bool { return ex.Body == 2 }).Process(func(context.Context, *route.Exchange) error { panic("worse") }),
				route.Otherwise().Log("fine")), route.ThreadsOptions{Size: 1, MaxQueueSize: -1, Rejected: route.ThreadsBlock}))
		for i := range 3 {
			k.send(t, "x", i+1)
		}
		synctest.Wait()
		var told []string
		for _, line := range k.logs.take() {
			told = append(told, strings.Join(strings.Fields(line)[:3], " "))
		}
		if want := []string{"ERROR exchange failed", "ERROR exchange failed", "INFO fine route=route1"}; !slices.Equal(told, want) {
			t.Errorf("%q, want %q", told, want)
		}
		if r, _ := k.Status().Route("route1"); r.Failed != 2 || len(r.InFlight) != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// When the drain time is over those in the body and in the queue are given up.
func TestThreadsAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{Drain: time.Second}, route.From("in:x").
			Threads(route.Do().Delay(time.Hour), route.ThreadsOptions{Size: 1}))
		for i := range 3 {
			k.send(t, "x", i)
		}
		synctest.Wait()
		err := k.stop()
		if drain, ok := errors.AsType[*route.DrainError](err); !ok || len(drain.InFlight) != 3 {
			t.Error(err)
		}
	})
}

func TestBadThreads(t *testing.T) {
	type o = route.ThreadsOptions
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").
		Threads(nil, o{Size: -1}).
		Threads(route.Do(), o{MaxQueueSize: 2_000_000}).
		Threads(route.Do().Stop(), o{Size: 20_000, Rejected: 7})),
		`threads -1: want a Size from 1 to 10000, have -1`,
		`threads -1: want a block with steps: route.Do()`,
		`threads 10: want a MaxQueueSize of at most 1000000, have 2000000`,
		`threads 10: want a block with steps: route.Do()`,
		`threads 20000: want a Size from 1 to 10000, have 20000`,
		`threads 20000: want Rejected to be route.ThreadsCallerRuns, ThreadsBlock or ThreadsAbort, have 7`)
}
