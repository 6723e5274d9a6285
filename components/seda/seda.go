// Package seda hands exchanges from one route to another through a bounded queue in
// memory: "seda:name". The name is short for staged event-driven architecture.
//
// What is sent is a copy; the sender goes on at once, unless the exchange is a request,
// whose outcome it waits for. What is sent while nobody consumes waits in the queue.
// An exchange that pauses leaves its worker to the next message. When an engine stops, the
// queues are emptied first. Names belong to a component: routes of two engines meet if
// both were given the same one.
package seda

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/mehari-go/mehari/internal/shared"
	"github.com/mehari-go/mehari/route"
)

// New returns the component.
func New() route.Component { return &component{} }

type component struct {
	queues shared.Map[queue]
	kept   keeper
}

// Endpoint implements [route.Component].
func (c *component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := a.Decode(&cfg); err != nil {
		return nil, err
	}
	if err := cfg.check(a); err != nil {
		return nil, err
	}
	e := &endpoint{config: cfg, scheme: a.Scheme, logger: env.Logger, timeout: defaultTimeout, kept: &c.kept}
	e.queue = c.queues.Get(cfg.Name, func() *queue { return &queue{name: cfg.Name} })
	if cfg.Timeout != nil {
		e.timeout = *cfg.Timeout
	}
	if err := e.queue.join(cfg); err != nil {
		return nil, err
	}
	if cfg.PurgeWhenStopping {
		return e, nil
	}
	return draining{e}, nil
}

type endpoint struct {
	config  Config
	scheme  string
	queue   *queue
	logger  *slog.Logger
	timeout time.Duration // of waiting for the outcome
	kept    *keeper
}

// A draining endpoint is stopped when its queue is empty, when an engine stops. One that
// is to be purged stops as soon as any other.
type draining struct{ *endpoint }

var (
	_ route.Consumer  = (*endpoint)(nil)
	_ route.Exclusive = (*endpoint)(nil)
	_ route.Internal  = draining{}
	_ route.Producer  = draining{}
)

func (e *endpoint) String() string { return route.Redact(e.scheme, e.config) }

// Exclusive implements [route.Exclusive].
func (e *endpoint) Exclusive() any {
	if e.queue.several() {
		return nil
	}
	return e.queue
}

// Pending implements [route.Internal]. It counts those being worked on too.
func (d draining) Pending() int { return d.queue.pending() }

// Consume implements [route.Consumer].
//
// When ctx is cancelled without a cause of its own, as it is when a route stops, it
// finishes what is in flight and then what is in the queue by then, as long as exchanges
// in flight may take to finish. Where there is a cause, such as the loss of leadership,
// it takes nothing more, and what there is stays in the queue.
func (e *endpoint) Consume(ctx context.Context, next route.Processor) error {
	r := &reader{workers: max(1, e.config.ConcurrentConsumers)}
	r.active.Store(int32(r.workers))
	r.route, r.place = route.RouteOf(ctx)
	if err := e.queue.subscribe(r); err != nil {
		return err
	}
	e.kept.drop(e.queue)
	(&crew{reader: r, ctx: ctx, next: next, drains: !e.config.PurgeWhenStopping}).run()
	e.stop(ctx, r)
	return nil
}

// stop deals with what the reader has left in the queue.
func (e *endpoint) stop(ctx context.Context, r *reader) {
	if e.config.PurgeWhenStopping {
		if n := purge(r.lane); n > 0 {
			e.logger.LogAttrs(ctx, slog.LevelWarn, "messages purged", e.attrs(r, n)...)
		}
	}
	lost := e.queue.unsubscribe(r)
	if lost > 0 {
		e.logger.LogAttrs(ctx, slog.LevelError, "messages lost: the route stopped before it took them", e.attrs(r, lost)...)
	}
	if left := e.queue.use().main.len(); left > 0 && len(e.queue.list()) == 0 {
		attrs := e.attrs(r, left)
		if err := e.kept.keep(e.queue); err != nil {
			attrs = append(attrs, slog.Any("lostWithTheLastRoute", err))
		}
		e.logger.LogAttrs(ctx, slog.LevelWarn, "messages left in the queue, which nobody consumes now", attrs...)
	}
}

func (e *endpoint) attrs(r *reader, n int) []slog.Attr {
	return []slog.Attr{slog.String("endpoint", e.String()), slog.String("route", r.route), slog.Int("messages", n)}
}

// Process implements [route.Producer].
func (e *endpoint) Process(ctx context.Context, ex *route.Exchange) error {
	s := e.queue.use()
	if len(e.queue.list()) == 0 {
		if done, err := e.alone(ctx, ex); done {
			return err
		}
	}
	if s.multiple {
		return e.publish(ctx, s, ex)
	}
	if e.config.WaitForTaskToComplete == Always || e.config.WaitForTaskToComplete != Never && ex.ReplyExpected() {
		return e.request(ctx, s.main, ex)
	}
	it := item{ex: ex.Handover(false)}
	if s.main.put(it) {
		return nil
	}
	return e.offer(ctx, s.main, it)
}

// alone tells whether a message that nobody consumes now is done with.
func (e *endpoint) alone(ctx context.Context, ex *route.Exchange) (bool, error) {
	switch {
	case e.config.FailIfNoConsumers:
		return true, fmt.Errorf("%s has no consumer", e)
	case e.config.DiscardIfNoConsumers:
		e.discarded(ctx, ex, "message discarded: nobody consumes")
		return true, nil
	}
	err := e.kept.keep(e.queue)
	return err != nil, err
}

func (e *endpoint) discarded(ctx context.Context, ex *route.Exchange, why string) {
	e.logger.LogAttrs(ctx, slog.LevelDebug, why, slog.String("endpoint", e.String()), slog.String("exchange", ex.ID()))
}

// offer puts an item into a lane that is full.
func (e *endpoint) offer(ctx context.Context, l *lane, it item) error {
	err := e.room(ctx, l, it.ex, func() bool { return l.put(it) })
	if err != nil {
		it.ex.Release()
	}
	if err == errDiscarded {
		return nil
	}
	return err
}

var (
	errDiscarded = errors.New("discarded")
	errPurged    = errors.New("the message was thrown away when the consumer stopped")
)

// room calls put until there is room in l for it, as far as the options want that.
func (e *endpoint) room(ctx context.Context, l *lane, ex *route.Exchange, put func() bool) error {
	switch {
	case e.config.DiscardWhenFull:
		e.discarded(ctx, ex, "message discarded: the queue is full")
		return errDiscarded
	case !e.config.BlockWhenFull:
		return fmt.Errorf("%s is full: it has %d messages", e, l.size)
	}
	var timer *time.Timer
	if e.config.OfferTimeout > 0 {
		timer = time.NewTimer(e.config.OfferTimeout)
		defer timer.Stop()
	}
	for {
		switch l.await(ctx, timer) {
		case haveRoom:
			if put() {
				l.passOn()
				return nil
			}
		case tooLate:
			return fmt.Errorf("%s is full: there was no room for %v", e, e.config.OfferTimeout)
		case cancelled:
			return fmt.Errorf("%s is full: %w", e, context.Cause(ctx))
		}
	}
}
