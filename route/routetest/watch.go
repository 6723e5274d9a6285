package routetest

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mehari-go/mehari/route"
)

// A Watch sees what the exchanges of an engine do, so that a test can wait for it without
// changing a route:
//
//	var watch routetest.Watch
//	engine := routetest.Run(t, watch.Config(cfg), routes...)
//	…
//	watch.Until(t, time.Minute, routetest.Done(3).Route("orders"), routetest.SentTo("kafka:*", 2))
//
// Many goroutines may use it at once. It keeps all it has seen.
type Watch struct {
	mu      sync.Mutex
	seen    []seen
	changed chan struct{} // closed when more is seen; nil while nobody waits
}

// seen is one thing that happened.
type seen struct {
	kind string
	from string // the id of the route where the exchange began
	in   string // the id of the route
	to   string // the endpoint
	body any
	err  error
}

// Config returns cfg with the watch in it.
func (w *Watch) Config(cfg route.Config) route.Config {
	see := func(kind string, ex *route.Exchange, err error) {
		to, _ := route.InterceptedEndpoint.Get(ex)
		w.see(seen{kind, ex.FromRouteID(), ex.RouteID(), to, ex.Body, err})
	}
	policies := cfg.Routes.Policies
	cfg.Routes.Policies = append(slices.Clip(policies), route.Policy{
		Begin: func(_ context.Context, ex *route.Exchange) { see("received", ex, nil) },
		Done:  func(_ context.Context, ex *route.Exchange, err error) { see("done", ex, err) },
	})
	intercept := cfg.Routes.Intercept
	cfg.Routes.Intercept = append(slices.Clip(intercept),
		route.InterceptSendTo("*").Process(func(_ context.Context, ex *route.Exchange) error {
			see("sent", ex, nil)
			return nil
		}))
	return cfg
}

func (w *Watch) see(s seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, s)
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// A Condition is something that a [Watch] waits for: see [Done] and the like. Its methods
// return a narrower one.
type Condition struct {
	what    string
	n       int
	exactly bool
	match   []func(seen) bool
}

func newCondition(what string, n int, match func(seen) bool) Condition {
	return Condition{what: what, n: n, match: []func(seen) bool{match}}
}

// Received holds when n exchanges have come to routes. One that goes from route to route,
// such as by direct, comes to each of them.
func Received(n int) Condition {
	return newCondition("received", n, func(s seen) bool { return s.kind == "received" })
}

// Done holds when n exchanges have left routes, whether they have failed or not.
func Done(n int) Condition {
	return newCondition("done", n, func(s seen) bool { return s.kind == "done" })
}

// Completed holds when n exchanges have left routes and have not failed.
func Completed(n int) Condition {
	return newCondition("completed", n, func(s seen) bool { return s.kind == "done" && s.err == nil })
}

// Failed holds when n exchanges have left routes because they have failed.
func Failed(n int) Condition {
	return newCondition("failed", n, func(s seen) bool { return s.kind == "done" && s.err != nil })
}

// SentTo holds when exchanges were sent n times to endpoints that match a pattern, in
// which * stands for any text.
func SentTo(pattern string, n int) Condition {
	return newCondition("sent to "+pattern, n, func(s seen) bool { return s.kind == "sent" && matches(pattern, s.to) })
}

func matches(pattern, text string) bool {
	expr := strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
	return regexp.MustCompile("^(?s:" + expr + ")$").MatchString(text)
}

// Route makes it count only what happens in the route with an id.
func (c Condition) Route(id string) Condition {
	return c.and("in route "+id, func(s seen) bool { return s.in == id })
}

// From makes it count only exchanges that began in the route with an id.
func (c Condition) From(id string) Condition {
	return c.and("from route "+id, func(s seen) bool { return s.from == id })
}

// Body makes it count only exchanges for whose body holds does.
func (c Condition) Body(holds func(body any) bool) Condition {
	return c.and("with such a body", func(s seen) bool { return holds(s.body) })
}

// With makes it count only exchanges whose error is one of target, as [errors.Is] tells.
func (c Condition) With(target error) Condition {
	return c.and("with error "+target.Error(), func(s seen) bool { return errors.Is(s.err, target) })
}

// Exactly makes it hold for no more than that many.
func (c Condition) Exactly() Condition { c.exactly = true; return c }

func (c Condition) and(what string, match func(seen) bool) Condition {
	c.what += " " + what
	c.match = append(slices.Clip(c.match), match)
	return c
}

// unmet says what is missing, or returns nil.
func (c Condition) unmet(all []seen) error {
	n := 0
	for _, s := range all {
		ok := true
		for _, match := range c.match {
			ok = ok && match(s)
		}
		if ok {
			n++
		}
	}
	switch {
	case n < c.n:
		return fmt.Errorf("%s: want %d, have %d", c.what, c.n, n)
	case n > c.n && c.exactly:
		return fmt.Errorf("%s: want exactly %d, have %d", c.what, c.n, n)
	}
	return nil
}

// Met tells whether all conditions hold now, and what is missing.
func (w *Watch) Met(conditions ...Condition) error {
	_, err := w.met(conditions)
	return err
}

// met also returns what is closed when something has changed.
func (w *Watch) met(conditions []Condition) (<-chan struct{}, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var errs []error
	for _, c := range conditions {
		errs = append(errs, c.unmet(w.seen))
	}
	if w.changed == nil {
		w.changed = make(chan struct{})
	}
	return w.changed, errors.Join(errs...)
}

// Until waits until all conditions hold. It fails the test if they do not within a time,
// which is virtual in a synctest bubble.
func (w *Watch) Until(t testing.TB, within time.Duration, conditions ...Condition) {
	t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	for {
		changed, err := w.met(conditions)
		if err == nil {
			return
		}
		select {
		case <-changed:
		case <-timer.C:
			t.Errorf("after %v: %v", within, err)
			return
		}
	}
}
