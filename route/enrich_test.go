package route_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// allOf is what a message has become.
func allOf(ex *route.Exchange) string {
	return fmt.Sprintf("%v h=%v n=%v p=%v v=%v", ex.Body, ex.Header("h"), ex.Header("n"), ex.Property("p"), ex.Variable("v"))
}

// both is a strategy that shows what it is given.
func both(_ context.Context, group, next *route.Exchange) error {
	err, _ := route.Caught.Get(next)
	if err != nil {
		err = errors.New(err.Error()[strings.LastIndex(err.Error(), ": ")+2:])
	}
	group.Body = fmt.Sprintf("%v+%v %v", group.Body, next.Body, err)
	return nil
}

func TestEnrich(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name string
		add  func(*route.Route)
		want string
	}{
		{"default", func(r *route.Route) { r.Enrich("call:y") }, "y b true h=y n=y p=<nil> v=<nil>"},
		{"merge", func(r *route.Route) { r.Enrich("call:y", route.EnrichOptions{Merge: both}) }, "b+y b true <nil> h=x n=<nil> p=<nil> v=<nil>"},
		{"original", func(r *route.Route) { r.Enrich("call:y", route.EnrichOptions{Merge: route.UseOriginal}) }, "b h=x n=<nil> p=<nil> v=<nil>"},
		{"variable", func(r *route.Route) { r.Enrich("call:y", route.EnrichOptions{VariableReceive: "v"}) }, "b h=x n=<nil> p=<nil> v=y b true"},
		{"dynamic", func(r *route.Route) { r.EnrichD("call:${header.to}") }, "y b true h=y n=y p=<nil> v=<nil>"},
		{"ignored", func(r *route.Route) {
			r.EnrichD("no:such", route.EnrichOptions{Dynamic: route.DynamicOptions{IgnoreInvalidEndpoint: true}})
		}, "b h=x n=<nil> p=<nil> v=<nil>"},
		{"fails", func(r *route.Route) { r.Enrich("to:bad") }, "to:bad: boom"},
		{"fails and is merged", func(r *route.Route) {
			r.Enrich("to:bad", route.EnrichOptions{AggregateOnException: true, Merge: both})
		}, "b+b boom h=x n=<nil> p=<nil> v=<nil>"},
		{"panics and is merged", func(r *route.Route) {
			r.Enrich("to:panic", route.EnrichOptions{AggregateOnException: true, Merge: both})
		}, "b+b crash h=x n=<nil> p=<nil> v=<nil>"},
		{"merge fails", func(r *route.Route) {
			r.Enrich("call:y", route.EnrichOptions{Merge: func(context.Context, *route.Exchange, *route.Exchange) error { return boom }})
		}, "merge: boom"},
		{"merge panics", func(r *route.Route) {
			r.Enrich("call:y", route.EnrichOptions{Merge: func(context.Context, *route.Exchange, *route.Exchange) error { panic("crash") }})
		}, "panic: crash"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &kit{to: map[string]route.ProcessorFunc{
					"bad":   func(context.Context, *route.Exchange) error { return boom },
					"panic": func(context.Context, *route.Exchange) error { panic("crash") },
				}}
				r := route.From("in:x")
				c.add(r)
				k.start(t, route.Config{Poison: true}, r, route.From("call:y").
					SetHeader("h", "y").SetHeader("n", "y").SetProperty("p", "y").SetVariable("v", "y").
					SetBody(func(ex *route.Exchange) any { return fmt.Sprint("y ", ex.Body, " ", ex.ReplyExpected()) }).Stop())
				ex := route.NewExchange("b")
				defer ex.Release()
				ex.SetHeader("h", "x")
				ex.SetHeader("to", "y")
				got := ""
				if err := k.give("x", ex); err != nil {
					got = err.Error()
				} else {
					got = allOf(ex)
				}
				if !strings.HasSuffix(got, c.want) {
					t.Errorf("got %s, want %s", got, c.want)
				}
			})
		})
	}
}

func TestPoll(t *testing.T) {
	forever := -time.Second
	for _, c := range []struct {
		name string
		add  func(*route.Route)
		late time.Duration // when the message comes, 0 if it is there, less for never
		want string
		took time.Duration
	}{
		{"there", func(r *route.Route) { r.Poll("queue:q") }, 0, "m h=x n=m p=<nil> v=<nil>", 0},
		{"late", func(r *route.Route) { r.Poll("queue:q") }, 19 * time.Second, "m h=x n=m p=<nil> v=<nil>", 19 * time.Second},
		{"too late", func(r *route.Route) { r.Poll("queue:q") }, 21 * time.Second, "<nil> h=x n=<nil> p=<nil> v=<nil>", 20 * time.Second},
		{"soon", func(r *route.Route) { r.Poll("queue:q", route.PollOptions{Timeout: time.Millisecond}) }, -1, "<nil> h=x n=<nil> p=<nil> v=<nil>", time.Millisecond},
		{"forever", func(r *route.Route) { r.Poll("queue:q", route.PollOptions{Timeout: forever}) }, time.Hour, "m h=x n=m p=<nil> v=<nil>", time.Hour},
		{"variable", func(r *route.Route) { r.Poll("queue:q", route.PollOptions{VariableReceive: "v"}) }, 0, "b h=x n=<nil> p=<nil> v=m", 0},
		{"done", func(r *route.Route) { r.Poll("c:done") }, 0, "<nil> h=x n=<nil> p=<nil> v=<nil>", 0},
		{"fails", func(r *route.Route) { r.Poll("c:fails") }, 0, "in: it failed", 0},
		{"enrich", func(r *route.Route) { r.PollEnrich("queue:q") }, time.Hour, "m h=x n=m p=<nil> v=<nil>", time.Hour},
		{"enrich timeout", func(r *route.Route) { r.PollEnrich("queue:q", route.PollEnrichOptions{Timeout: time.Second}) }, -1, "<nil> h=x n=<nil> p=<nil> v=<nil>", time.Second},
		{"enrich merge", func(r *route.Route) { r.PollEnrich("queue:q", route.PollEnrichOptions{Merge: both}) }, 0, "b+m <nil> h=x n=<nil> p=<nil> v=<nil>", 0},
		{"enrich nothing", func(r *route.Route) {
			r.PollEnrich("queue:q", route.PollEnrichOptions{Merge: both, Timeout: time.Second})
		}, -1, "b+<nil> <nil> h=x n=<nil> p=<nil> v=<nil>", time.Second},
		{"enrich variable", func(r *route.Route) { r.PollEnrich("queue:q", route.PollEnrichOptions{VariableReceive: "v"}) }, 0, "b h=x n=<nil> p=<nil> v=m", 0},
		{"enrich fails", func(r *route.Route) { r.PollEnrich("c:fails") }, 0, "in: it failed", 0},
		{"enrich fails and is merged", func(r *route.Route) {
			r.PollEnrich("c:fails", route.PollEnrichOptions{Merge: both, AggregateOnException: true})
		}, 0, "b+<nil> it failed h=x n=<nil> p=<nil> v=<nil>", 0},
		{"dynamic", func(r *route.Route) { r.PollEnrichD(" queue:${header.q} ") }, 0, "m h=x n=m p=<nil> v=<nil>", 0},
		{"dynamic refused", func(r *route.Route) {
			r.PollEnrichD("${header.q}:x", route.PollEnrichOptions{Dynamic: route.DynamicOptions{IgnoreInvalidEndpoint: true}})
		}, 0, "b h=x n=<nil> p=<nil> v=<nil>", 0},
		{"dynamic not allowed", func(r *route.Route) {
			r.PollEnrichD("${header.h}:x", route.PollEnrichOptions{Dynamic: route.DynamicOptions{AllowedSchemes: []string{"c"}}})
		}, 0, `"x:x": the scheme "x" is not allowed here (have c)`, 0},
		{"dynamic sink", func(r *route.Route) { r.PollEnrichD("to:${body}") }, 0, `"to:b": to:b cannot start a route`, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := new(kit)
				r := route.From("in:x")
				c.add(r)
				k.start(t, route.Config{Poison: true, Components: route.Components{"c": route.ComponentFunc(func(_ route.Env, a route.Address) (route.Endpoint, error) {
					return consumerFunc(func(context.Context, route.Processor) error {
						if a.Path == "done" {
							return route.ErrDone
						}
						return errors.New("it failed")
					}), nil
				})}}, r)
				message := func() {
					for range 2 {
						if err := k.Send(t.Context(), "queue:q", "m", route.WithHeader("n", "m")); err != nil {
							t.Error(err)
						}
					}
				}
				if c.late == 0 {
					message()
				} else if c.late > 0 {
					time.AfterFunc(c.late, message)
				}
				ex := route.NewExchange("b")
				defer ex.Release()
				ex.SetHeader("h", "x")
				ex.SetHeader("q", "q")
				begun := time.Now()
				err := k.give("x", ex)
				got := allOf(ex)
				if err != nil {
					got = err.Error()
				}
				if !strings.HasSuffix(got, c.want) || time.Since(begun) != c.took {
					t.Errorf("got %s after %v, want %s after %v", got, time.Since(begun), c.want, c.took)
				}
				synctest.Wait() // for who sends
				if strings.HasPrefix(c.want, "m ") {
					if n := k.queue("q").Pending(); n != 1 {
						t.Errorf("%d left in the queue, want 1", n)
					}
				}
				time.Sleep(2 * time.Hour) // for messages that come late
			})
		})
	}
}

func TestPollEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{Poison: true, Drain: 10 * time.Second},
			route.From("in:x").Try(route.Do().PollEnrich("queue:q", route.PollEnrichOptions{Merge: both, AggregateOnException: true}), route.Finally()))
		enough := errors.New("enough")
		n := k.nextOf("x")
		ctx, cancel := context.WithTimeoutCause(route.Work(n.ctx), time.Minute, enough)
		defer cancel()
		ex := route.NewExchange(1)
		if err := n.Process(ctx, ex); !errors.Is(err, enough) {
			t.Errorf("have %v", err)
		}
		acked := make(chan error)
		go func() { acked <- k.give("x", ex) }()
		synctest.Wait()
		begun := time.Now()
		if _, ok := errors.AsType[*route.DrainError](k.stop()); !ok || time.Since(begun) != 10*time.Second {
			t.Errorf("stopped after %v", time.Since(begun))
		}
		if err := <-acked; err == nil || !strings.HasSuffix(err.Error(), "the drain time is over") {
			t.Errorf("have %v", err)
		}
	})
}

func TestEnrichMistakes(t *testing.T) {
	err := new(kit).build(route.Config{}, route.From("in:x").
		Enrich("too:x?token=1").
		Enrich("in:x").
		Enrich("to:x", route.EnrichOptions{AggregateOnException: true}).
		Enrich("to:x", route.EnrichOptions{Merge: both, VariableReceive: "v"}).
		Enrich("to:x", route.EnrichOptions{Dynamic: route.DynamicOptions{CacheSize: 3}}).
		EnrichD("too:${body}", route.EnrichOptions{}, route.EnrichOptions{}).
		Poll("to:x").
		Poll("queue:q", route.PollOptions{}, route.PollOptions{}).
		PollEnrich("too:x").
		PollEnrich("queue:q", route.PollEnrichOptions{Timeout: -1, AggregateOnException: true}).
		PollEnrich("queue:q", route.PollEnrichOptions{Dynamic: route.DynamicOptions{AllowedSchemes: []string{"queue"}}}).
		PollEnrichD("to:x").
		PollEnrichD("too:${body}"))
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		_, what, _ := strings.Cut(line, `route "route1": `)
		lines = append(lines, what)
	}
	const no = `no component "too" (did you mean to?) (have call, in, queue, to)`
	wantLines(t, "mistakes", lines,
		`enrich "too:x?token=xxxxx": `+no,
		`enrich "in:x": in:x cannot be sent to`,
		`enrich "to:x": AggregateOnException: want Merge too, which deals with the error`,
		`enrich "to:x": want Merge or VariableReceive, have both`,
		`enrich "to:x": Dynamic has no meaning for an endpoint that is known when the route is built`,
		`enrich "too:${body}": want one route.EnrichOptions, have 2`,
		`enrich "too:${body}": `+no,
		`poll "to:x": "to:x": to:x cannot start a route`,
		`poll "queue:q": want one route.PollOptions, have 2`,
		`poll enrich "too:x": "too:x": `+no,
		`poll enrich "queue:q": Timeout: want more than 0, or 0 for as long as it takes, have -1ns`,
		`poll enrich "queue:q": AggregateOnException: want Merge too, which deals with the error`,
		`poll enrich "queue:q": Dynamic has no meaning for an endpoint that is known when the route is built`,
		`poll enrich "to:x": "to:x": to:x cannot start a route`,
		`poll enrich "too:${body}": `+no,
	)
}
