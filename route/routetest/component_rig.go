package routetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mehari-go/mehari/route"
)

// A rig is an engine with the component under test, and watches what its consumer does.
type rig struct {
	h         *Harness
	component route.Component
	engine    *route.Engine
	stop      context.CancelFunc
	ended     chan error

	handle  atomic.Pointer[route.ProcessorFunc] // what the route does
	strange atomic.Bool                         // an exchange had a context of unknown descent

	mu       sync.Mutex
	seen     []*route.Exchange // what came, without regard to who owns it
	begun    chan struct{}     // told when Consume is called
	returned chan error        // told what Consume returned
	running  bool              // Consume has been called and has not returned
	errs     []error
}

const routeID = "under test"

// newRig starts an engine with a route from the harness's Consumer, if it has one.
func newRig(h *Harness) (*rig, error) {
	r := &rig{h: h, component: h.New(), begun: make(chan struct{}, 100), returned: make(chan error, 100), ended: make(chan error, 1)}
	components := route.Components{}
	maps.Copy(components, h.Others)
	for _, u := range []route.URI{h.Consumer, h.Producer} {
		if u != "" {
			addr, err := u.Parse()
			if err != nil {
				return nil, err
			}
			components[addr.Scheme] = route.ComponentFunc(r.endpoint)
		}
	}
	var routes []*route.Route
	if h.Consumer != "" {
		routes = append(routes, route.From(h.Consumer).ID(routeID).Process(func(ctx context.Context, ex *route.Exchange) error {
			if f := r.handle.Load(); f != nil {
				return (*f)(ctx, ex)
			}
			return nil
		}))
	}
	e, err := route.New(route.Config{
		Components: components,
		Poison:     true,
		Logger:     slog.New(slog.DiscardHandler),
		Drain:      patience,
		Abandon:    patience / 10,
		Restart:    route.Backoff{Delay: time.Millisecond},
	}, routes...)
	if err != nil {
		return nil, err
	}
	r.engine = e
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.ended <- e.Run(ctx) }()
	for !started(e) {
		runtime.Gosched()
	}
	if h.Consumer != "" && !within(r.begun) {
		return nil, errors.Join(errors.New("Consume was not called"), r.close())
	}
	return r, nil
}

// close stops the engine and returns what was wrong.
func (r *rig) close() error {
	r.stop()
	err := <-r.ended
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running {
		r.errs = append(r.errs, errors.New("Consume has not returned, though the engine has stopped"))
	}
	return errors.Join(append(r.errs, err)...)
}

func (r *rig) errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.errs) < 10 {
		r.errs = append(r.errs, fmt.Errorf(format, args...))
	}
}

// endpoint makes an endpoint and watches it if it is a consumer.
func (r *rig) endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	ep, err := r.component.Endpoint(env, a)
	if err != nil {
		return nil, err
	}
	c, isConsumer := ep.(route.Consumer)
	p, isProducer := ep.(route.Producer)
	switch {
	case isConsumer && isProducer:
		return both{watched{c, r}, p}, nil
	case isConsumer:
		return watched{c, r}, nil
	}
	return ep, nil
}

// watched is a consumer that the rig watches.
type watched struct {
	route.Consumer
	rig *rig
}

type both struct {
	watched
	route.Processor
}

func (w watched) Consume(ctx context.Context, next route.Processor) error {
	r := w.rig
	r.mu.Lock()
	r.running = true
	r.mu.Unlock()
	r.begun <- struct{}{}
	var over atomic.Bool
	err := w.Consumer.Consume(ctx, route.ProcessorFunc(func(ctx context.Context, ex *route.Exchange) error {
		if over.Load() {
			r.errorf("an exchange is given after Consume has returned")
			return errors.New("late")
		}
		if _, released := ex.Body.(route.Released); released {
			r.errorf("an exchange is given that has been released: who keeps one keeps a Clone")
			return errors.New("released")
		}
		if id, _ := route.RouteOf(ctx); id != routeID && ctx.Value(fedKey{}) == nil {
			r.strange.Store(true)
		}
		r.mu.Lock()
		r.seen = append(r.seen, ex)
		r.mu.Unlock()
		return next.Process(ctx, ex)
	}))
	over.Store(true)
	r.mu.Lock()
	r.running = false
	r.mu.Unlock()
	r.returned <- err
	return err
}

// feed makes the consumer give an exchange, and does not wait for it.
func (r *rig) feed(ctx context.Context) (wait func()) {
	send := r.h.Feed
	if send == nil {
		ep, err := r.h.endpoint(r.component, r.h.Consumer)
		if err != nil {
			r.errorf("%w", err)
			return func() {}
		}
		if _, ok := ep.(route.Producer); !ok {
			return func() {} // it gives by itself
		}
		send = func(ctx context.Context, _ route.Component, body any) error {
			return r.engine.Send(ctx, r.h.Consumer, body)
		}
	}
	ctx = context.WithValue(ctx, fedKey{}, true)
	var fed sync.WaitGroup
	fed.Go(func() { _ = send(ctx, r.component, "fed") }) // the check sees what comes
	return fed.Wait
}

// fedKey marks the contexts of those who feed.
type fedKey struct{}

// do makes f what the route does.
func (r *rig) do(f route.ProcessorFunc) { r.handle.Store(&f) }

// within waits for a channel, but not for ever.
func within[T any](c <-chan T) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-c:
		return true
	case <-timer.C:
		return false
	}
}

// stacks are the goroutines of a moment by their numbers.
type stacks map[string]string

func goroutines() stacks {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	all := stacks{}
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if id, _, ok := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " "); ok {
			all[id] = stack
		}
	}
	return all
}

// leak waits until no goroutine is left that was not there before.
func (before stacks) leak() error {
	begun := time.Now()
	for {
		var left []string
		for id, stack := range goroutines() {
			if _, ok := before[id]; !ok {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return nil
		}
		if time.Since(begun) > patience {
			return fmt.Errorf("%d goroutines are left:\n%s", len(left), strings.Join(left, "\n\n"))
		}
		time.Sleep(time.Millisecond)
	}
}
