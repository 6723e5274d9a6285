package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

func TestLoop(t *testing.T) {
	turn := func(_ context.Context, ex *route.Exchange) error {
		i, _ := route.LoopIndex.Get(ex)
		n, ok := route.LoopSize.Get(ex)
		if !ok {
			n = -1
		}
		ex.Body = fmt.Sprintf("%v %d/%d", ex.Body, i, n)
		return nil
	}
	short := func(ex *route.Exchange) bool { return len(ex.Body.(string)) < 10 }
	stopAt1 := route.Do().Process(turn).Filter(func(ex *route.Exchange) bool { return ex.Property("CamelLoopIndex") == 1 }, route.Do().Stop())
	for _, test := range []struct {
		name string
		add  func(r *route.Route)
		want []any // the bodies that come after the loop
		err  string
	}{
		{"times", func(r *route.Route) { r.Loop(3, route.Do().Process(turn)) }, []any{"b 0/3 1/3 2/3"}, ""},
		{"text", func(r *route.Route) { r.Loop(route.Simple("${header.n}"), route.Do().Process(turn)) }, []any{"b 0/2 1/2"}, ""},
		{"JSON number", func(r *route.Route) {
			r.Loop(func(*route.Exchange) any { return 2.0 }, route.Do().Process(turn))
		}, []any{"b 0/2 1/2"}, ""},
		{"none", func(r *route.Route) { r.Loop(0, route.Do().Process(turn)) }, []any{"b"}, ""},
		{"copy", func(r *route.Route) { r.Loop(3, route.Do().Process(turn), route.LoopOptions{Copy: true}) }, []any{"b 2/3"}, ""},
		{"copy none", func(r *route.Route) { r.Loop(0, route.Do().Process(turn), route.LoopOptions{Copy: true}) }, []any{"b"}, ""},
		{"while", func(r *route.Route) { r.LoopWhile(short, route.Do().Process(turn)) }, []any{"b 0/-1 1/-1"}, ""},
		{"while copy", func(r *route.Route) {
			r.LoopWhile(func(ex *route.Exchange) bool { return ex.Body != "b 2/-1" }, route.Do().Process(turn), route.LoopOptions{Copy: true})
		}, []any{"b 2/-1"}, ""},
		{"while never", func(r *route.Route) { r.LoopWhile(false, route.Do().Process(turn)) }, []any{"b"}, ""},
		{"filter ends a turn", func(r *route.Route) {
			r.Loop(2, route.Do().Process(turn).Filter(false).SetBody("never"))
		}, []any{"b 0/2 1/2"}, ""},
		{"stop", func(r *route.Route) { r.Loop(3, stopAt1) }, nil, ""},
		{"stop in a copy", func(r *route.Route) { r.Loop(3, stopAt1, route.LoopOptions{Copy: true}) }, nil, ""},
		{"error", func(r *route.Route) { r.Loop(3, route.Do().Process(turn).ThrowText("no")) }, nil, `throw "no": no`},
		{"error in a copy", func(r *route.Route) {
			r.Try(route.Do().Loop(3, route.Do().Process(turn).ThrowText("no"), route.LoopOptions{Copy: true}), route.Catch[error]())
		}, []any{"b"}, ""},
		{"panic in a copy", func(r *route.Route) {
			r.Loop(3, route.Do().Process(func(context.Context, *route.Exchange) error { panic("no") }), route.LoopOptions{Copy: true})
		}, nil, "panic: no"},
		{"prepare", func(r *route.Route) {
			r.Loop(2, route.Do().Process(turn), route.LoopOptions{Prepare: append1})
		}, []any{"b1 0/21 1/2"}, ""},
		{"prepare fails", func(r *route.Route) {
			r.Loop(2, route.Do().Process(turn), route.LoopOptions{Prepare: func(context.Context, *route.Exchange) error { return errors.New("unprepared") }})
		}, nil, "loop 2 times: unprepared"},
		{"negative", func(r *route.Route) { r.Loop(func(*route.Exchange) any { return -1 }, route.Do().Process(turn)) }, nil, "loop: want a number of turns that is at least 0, have -1"},
		{"no number", func(r *route.Route) { r.Loop(route.Simple("${body}"), route.Do().Process(turn)) }, nil, "loop: want a number of turns: cannot convert string"},
		{"while fails", func(r *route.Route) { r.LoopWhile(route.Simple("${body} > 1"), route.Do().Process(turn)) }, nil, "cannot tell which is greater"},
	} {
		ex := route.NewExchange("b")
		ex.SetHeader("n", "2")
		trace, _, err := through(t, ex, func(r *route.Route) { test.add(r); r.To("to:trace") })
		if !slices.Equal(trace, test.want) || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v, %v, want %v, %q", test.name, trace, err, test.want, test.err)
		}
	}
}

// A copy takes headers, properties and variables along, and each is done with its turn.
func TestLoopCopies(t *testing.T) {
	ex := route.NewExchange("b")
	ex.SetHeader("h", 0)
	id, done := ex.ID(), 0
	_, _, err := through(t, ex, func(r *route.Route) {
		r.Loop(2, route.Do().Process(func(_ context.Context, c *route.Exchange) error {
			if c.Header("h") != 0 || c.ID() != id || done != c.Property("CamelLoopIndex") {
				t.Error(c.Header("h"), c.ID(), done)
			}
			c.OnDone(func(context.Context, *route.Exchange, error) error { done++; return nil })
			c.SetHeader("h", 1)
			c.SetVariable("v", c.Property("CamelLoopIndex"))
			return nil
		}), route.LoopOptions{Copy: true})
	})
	if err != nil || ex.Header("h") != 1 || ex.Variable("v") != 1 || ex.ID() != id || done != 2 {
		t.Error(err, ex.Header("h"), ex.Variable("v"), ex.ID(), done)
	}
}

// A loop without an end ends with the exchange's context.
func TestLoopEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:x").LoopWhile(true, route.Do().SetBody("again")))
		n := k.nextOf("x")
		ctx, cancel := context.WithCancelCause(route.Work(n.ctx))
		given, enough := make(chan error), errors.New("enough")
		go func() { given <- n.Process(ctx, route.NewExchange(nil)) }()
		cancel(enough)
		if err := <-given; !errors.Is(err, enough) {
			t.Error(err)
		}
	})
}

func TestLoopBreaksOnShutdown(t *testing.T) {
	for _, breaks := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			turns := 0
			k := start(t, route.Config{Drain: time.Minute}, route.From("in:x").Loop(10, route.Do().
				Process(func(context.Context, *route.Exchange) error { turns++; return nil }).
				Delay(time.Second), route.LoopOptions{BreakOnShutdown: breaks}))
			given := make(chan error)
			go func() { given <- k.give("x", route.NewExchange(nil)) }()
			time.Sleep(2500 * time.Millisecond)
			go func() { _ = k.stop() }()
			err := <-given
			if breaks && (turns != 3 || err == nil || !strings.HasSuffix(err.Error(), "after 3 turns: route: the route stops")) || !breaks && (turns != 10 || err != nil) {
				t.Error(breaks, turns, err)
			}
			<-k.done
		})
	}
}

func TestBadLoops(t *testing.T) {
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").
		Loop(-1, nil).
		Loop("x", route.Do()).
		Loop(1.5, route.Do().Stop()).
		LoopWhile(nil, route.Do().Stop()).
		Loop(1, route.Do().Stop(), route.LoopOptions{}, route.LoopOptions{})),
		`loop -1 times: want a number of turns that is at least 0, have -1`,
		`loop -1 times: want a block with steps: route.Do()`,
		`loop: want a number of turns: cannot convert string "x" to int: want a whole number in decimal digits`,
		`loop: want a block with steps: route.Do()`,
		`loop: want a number of turns: cannot convert float64 1.5 to int: it has a fraction`,
		`loop while <nil>: want a route.Predicate or one of route.Cond's other kinds, have <nil>`,
		`loop 1 times: want one route.LoopOptions, have 2`)
}
