package seda_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/seda"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestComponent(t *testing.T) {
	configs := []routetest.Config{
		seda.Config{Name: "q"},
		seda.Config{Name: "q", Size: 10, ConcurrentConsumers: 4, PurgeWhenStopping: true, BlockWhenFull: true, OfferTimeout: time.Second, FailIfNoConsumers: true},
		seda.Config{Name: "q", WaitForTaskToComplete: seda.Always, Timeout: new(time.Duration(0)), DiscardWhenFull: true, DiscardIfNoConsumers: true},
		seda.Config{Name: "all", MultipleConsumers: new(true)},
	}
	for _, u := range []route.URI{"seda:q", "seda:q?concurrentConsumers=3", "seda:q?multipleConsumers=true", "seda:q?waitForTaskToComplete=Always"} {
		t.Run(string(u), func(t *testing.T) {
			routetest.TestComponent(t, routetest.Harness{New: seda.New, Configs: configs, Consumer: u, Producer: u})
		})
	}
}

// blocking keeps the worker of the exchange that waits.
var blocking = route.DelayOptions{Blocking: true}

func config(mock *routetest.Mock) route.Config {
	return route.Config{Components: route.Components{"seda": seda.New(), "mock": mock}}
}

func TestGoesOnAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		routetest.Run(t, config(mock),
			route.From("mock:in").To("seda:q").SetBody("mine").To("mock:sender"),
			route.From("seda:q").Delay(time.Second, blocking).SetHeader("theirs", 1).To("mock:out"))
		for n := range 3 {
			if err := mock.Send("in", n); err != nil {
				t.Fatal(err)
			}
		}
		mock.Check(t, "sender", routetest.Bodies("mine", "mine", "mine"))
		routetest.Advance(2500 * time.Millisecond)
		mock.Check(t, "out", routetest.Bodies(0, 1), routetest.Header("theirs", 1))
		routetest.Advance(time.Second)
		mock.Check(t, "out", routetest.Bodies(0, 1, 2))
	})
}

func TestConcurrentConsumers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		routetest.Run(t, config(mock),
			route.From("mock:in").To("seda:q"),
			route.From("seda:q?concurrentConsumers=3").Delay(time.Second, blocking).To("mock:out"))
		for n := range 7 {
			if err := mock.Send("in", n); err != nil {
				t.Fatal(err)
			}
		}
		for i, want := range []int{3, 6, 7} {
			routetest.Advance(time.Second)
			if got := len(mock.Got("out")); got != want {
				t.Errorf("after %ds %d are through, want %d", i+1, got, want)
			}
		}
	})
}

func TestReply(t *testing.T) {
	bad := errors.New("bad")
	for _, tt := range []struct {
		to    route.URI
		reply any // to a request
		sent  any // what a Send goes on with
	}{
		{"seda:q", "reply", "in"},
		{"seda:q?waitForTaskToComplete=Never", "in", "in"},
		{"seda:q?waitForTaskToComplete=Always", "reply", "reply"},
	} {
		t.Run(string(tt.to), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mock := new(routetest.Mock)
				var fail atomic.Bool
				routetest.Run(t, config(mock),
					route.From("mock:in").SetHeader("old", 1).SetHeader("kept", 2).To(tt.to).To("mock:out"),
					route.From("seda:q").ID("q").RemoveHeader("old").SetHeader("new", "x").SetBody("reply").
						Process(func(context.Context, *route.Exchange) error {
							if fail.Load() {
								return bad
							}
							return nil
						}))
				if ex, err := mock.Request("in", "in"); err != nil || ex.Body != tt.reply {
					t.Errorf("reply is %v, %v, want %v", ex.Body, err, tt.reply)
				}
				if err := mock.Send("in", "in"); err != nil {
					t.Error(err)
				}
				mock.Check(t, "out", routetest.Bodies(tt.reply, tt.sent), routetest.Header("kept", 2))
				ex := mock.Got("out")[0]
				if waited := tt.reply == "reply"; waited != (ex.Header("old") == nil) || waited != (ex.Header("new") == "x") {
					t.Errorf("headers are old=%v new=%v", ex.Header("old"), ex.Header("new"))
				}
				fail.Store(true)
				_, err := mock.Request("in", "in")
				if se, ok := errors.AsType[*route.StepError](err); tt.reply == "reply" && (!ok || se.Route != "q" || !errors.Is(err, bad)) {
					t.Errorf("have %v, want the error of the route from the queue", err)
				}
			})
		})
	}
}

func TestNobodyWaitsBehindACopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		routetest.Run(t, config(mock),
			route.From("mock:in").To("seda:first?waitForTaskToComplete=Never"),
			route.From("seda:first").To("seda:second").To("mock:out"),
			route.From("seda:second").Delay(time.Minute, blocking))
		if _, err := mock.Request("in", 1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		mock.Check(t, "out", routetest.Count(1))
		routetest.Advance(time.Hour)
	})
}

func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		var begun atomic.Int64
		e := routetest.Run(t, config(mock), route.From("seda:q").Process(func(context.Context, *route.Exchange) error {
			begun.Add(1)
			time.Sleep(2 * time.Minute)
			return nil
		}))
		start := time.Now()
		var both sync.WaitGroup
		for range 2 { // one is being worked on, the other one still waits
			both.Go(func() {
				_, err := e.Request(t.Context(), "seda:q", 1)
				if want := "seda:q: no outcome within 30s"; err == nil || err.Error() != want {
					t.Errorf("have %v, want %q", err, want)
				}
			})
		}
		both.Wait()
		if d := time.Since(start); d != 30*time.Second {
			t.Errorf("took %v, want 30s", d)
		}
		routetest.Advance(time.Hour)
		if n := begun.Load(); n != 1 {
			t.Errorf("%d were worked on, want 1: nobody waits for the other one any more", n)
		}
		if _, err := e.Request(t.Context(), "seda:q?timeout=0", 1); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errGone)
		defer cancel()
		if _, err := e.Request(ctx, "seda:q", 1); !errors.Is(err, errGone) {
			t.Errorf("have %v, want the cause of the context", err)
		}
		routetest.Advance(time.Hour)
	})
}

var errGone = errors.New("gone")

func TestWithoutConsumers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		e := routetest.Run(t, config(mock), route.From("seda:q").ID("q").AutoStart(false).To("mock:out"))
		if err := e.Send(t.Context(), "seda:q?failIfNoConsumers=true", "fails"); err == nil || !strings.Contains(err.Error(), "has no consumer") {
			t.Errorf("have %v, want an error", err)
		}
		if err := e.Send(t.Context(), "seda:q?discardIfNoConsumers=true", "discarded"); err != nil {
			t.Error(err)
		}
		if err := e.Send(t.Context(), "seda:q", "waits"); err != nil {
			t.Error(err)
		}
		routetest.Advance(time.Hour)
		if err := e.Start("q"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		mock.Check(t, "out", routetest.Bodies("waits"))
	})
}

func TestSeveralConsumers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := new(routetest.Mock)
		e := routetest.Run(t, config(mock),
			route.From("seda:q?multipleConsumers=true").ID("a").AutoStart(false).To("mock:a"),
			route.From("seda:q?multipleConsumers=true").ID("b").AutoStart(false).To("mock:b"))
		send := func(body any) {
			t.Helper()
			if err := e.Send(t.Context(), "seda:q", body); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		start := func(id string) {
			t.Helper()
			if err := e.Start(id); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		send(1) // waits
		start("a")
		start("b")
		send(2)
		if err := e.Stop(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		send(3)
		if err := e.Stop(t.Context(), "b"); err != nil {
			t.Fatal(err)
		}
		send(4) // waits
		start("a")
		mock.Check(t, "a", routetest.Bodies(1, 2, 4))
		mock.Check(t, "b", routetest.Bodies(2, 3))
		if err := e.Send(t.Context(), "seda:q?waitForTaskToComplete=Always", 5); err == nil {
			t.Error("a sender waits for several routes")
		}
	})
}

func TestOneConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := routetest.Run(t, config(new(routetest.Mock)),
			route.From("seda:q").ID("first").SetBody(1),
			route.From("seda:q").ID("second").AutoStart(false).SetBody(2))
		synctest.Wait()
		if err := e.Start("second"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s, _ := e.Status().Route("second")
		if s.LastFailure == nil {
			t.Fatal("the second consumer did not fail")
		}
		for _, want := range []string{"seda:q has a consumer already", `route "first" at `, `route "second" at `, "without multipleConsumers=true"} {
			if got := s.LastFailure.Err.Error(); !strings.Contains(got, want) {
				t.Errorf("have %q, want %q in it", got, want)
			}
		}
	})
}

// TestManyToMany sends from many goroutines to several consumers through a small queue,
// on the real clock, for the race detector and for wake-ups that get lost.
func TestManyToMany(t *testing.T) {
	for _, u := range []route.URI{
		"seda:q?size=1", "seda:q?size=3", "seda:q?size=3&concurrentConsumers=4", "seda:q?size=64&concurrentConsumers=2",
		"seda:q?size=2&multipleConsumers=true",
	} {
		t.Run(string(u), func(t *testing.T) {
			var seen sync.Map
			var n atomic.Int64
			const senders, each = 8, 2000
			all := make(chan struct{})
			e := routetest.Run(t, route.Config{Components: route.Components{"seda": seda.New()}},
				route.From(u).Process(func(_ context.Context, ex *route.Exchange) error {
					if _, twice := seen.LoadOrStore(ex.Body, true); twice {
						t.Errorf("%v comes twice", ex.Body)
					}
					if n.Add(1) == senders*each {
						close(all)
					}
					return nil
				}))
			for s := range senders {
				go func() {
					for i := range each {
						if err := e.Send(t.Context(), "seda:q?blockWhenFull=true", [2]int{s, i}); err != nil {
							t.Error(err)
							return
						}
					}
				}()
			}
			select {
			case <-all:
			case <-time.After(30 * time.Second):
				t.Fatalf("%d of %d came", n.Load(), senders*each)
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	for u, want := range map[route.URI]string{
		"seda:":                        `nothing after "seda:"`,
		"seda:a?siez=3":                `unknown option "siez" (did you mean size?)`,
		"seda:a?size=0":                `option "size": want 1 to 1048576, have 0`,
		"seda:a?size=-1":               `option "size": want 1 to 1048576, have -1`,
		"seda:a?size=2000000000":       `option "size": want 1 to`,
		"seda:a?concurrentConsumers=0": `option "concurrentConsumers": want 1 to 10000, have 0`,
		"seda:a?timeout=-1":            `option "timeout": want 0 (none) or more, have -1ms`,
		"seda:a?offerTimeout=-1&blockWhenFull=true":                  `option "offerTimeout": want 0 (none) or more, have -1ms`,
		"seda:a?offerTimeout=1":                                      `option "offerTimeout" has a meaning with blockWhenFull=true only`,
		"seda:a?blockWhenFull=true&discardWhenFull=true":             `options "blockWhenFull" and "discardWhenFull" exclude each other`,
		"seda:a?discardIfNoConsumers=true&failIfNoConsumers=true":    `exclude each other`,
		"seda:a?waitForTaskToComplete=Sometimes":                     `option "waitForTaskToComplete": want Never, IfReplyExpected or Always, have "Sometimes"`,
		"seda:a?waitForTaskToComplete=Never&timeout=1":               `option "timeout" has no meaning with waitForTaskToComplete=Never`,
		"seda:a?multipleConsumers=true&waitForTaskToComplete=Always": `with multipleConsumers=true nobody can wait`,
		"seda:sized?size=6":                                          `option "size": "sized" has 5 already, this is 6`,
		"seda:sized?multipleConsumers=true":                          `option "multipleConsumers": "sized" has false already, this is true`,
	} {
		_, err := route.New(config(new(routetest.Mock)),
			route.From("seda:sized?size=5&multipleConsumers=false").To(u))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, want %q", u, err, want)
		}
	}
}

func TestQueuesWithoutConsumersAreBounded(t *testing.T) {
	e := routetest.Run(t, config(new(routetest.Mock)), route.From("seda:q").SetBody(1))
	var err error
	sent := 0
	for ; err == nil && sent < 2000; sent++ {
		err = e.Send(t.Context(), route.URI(fmt.Sprint("seda:order-", sent)), 1)
	}
	if want := "1000 other queues hold messages"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("after %d have %v, want %q", sent, err, want)
	}
}

func Example() {
	logger := slog.New(slog.DiscardHandler)
	done := make(chan struct{})
	e, err := route.New(route.Config{Components: route.Components{"seda": seda.New()}, Logger: logger},
		route.From("seda:orders?size=100").Process(func(_ context.Context, ex *route.Exchange) error {
			fmt.Println("order", ex.Body)
			if ex.Body == 3 {
				close(done)
			}
			return nil
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- e.Run(ctx) }()
	for n := range 3 {
		if err := e.Send(ctx, seda.Config{Name: "orders", BlockWhenFull: true}.URI(), n+1); err != nil {
			fmt.Println(err)
		}
	}
	<-done
	stop()
	fmt.Println(<-ended)
	// Output:
	// order 1
	// order 2
	// order 3
	// <nil>
}
