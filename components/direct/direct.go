// Package direct calls one route from another, in the caller's goroutine: "direct:name".
//
// One route consumes from a name at a time; any number of routes send to it. The caller
// goes on with what the called route leaves in the exchange, or with its error. Names
// belong to a component: routes of two engines meet if both were given the same one.
package direct

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/mehari-go/mehari/internal/shared"
	"github.com/mehari-go/mehari/route"
)

// Config is everything a direct endpoint can be told. Zero fields mean defaults. All
// but the name are for those who send.
type Config struct {
	// Name is what caller and called have in common.
	Name string `uri:".,required"`

	// Block tells whether to wait for a consumer where there is none; nil means true.
	Block *bool `uri:"block"`

	// Timeout is how long to wait for a consumer; nil means 30s.
	Timeout *time.Duration `uri:"timeout"`

	// FailIfNoConsumers tells whether it is an error that there is no consumer, after
	// Timeout if Block is set; nil means true. Otherwise the exchange goes on as it is.
	FailIfNoConsumers *bool `uri:"failIfNoConsumers"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("direct", c) }

func (c Config) check() error {
	var errs []error
	if c.Timeout != nil && *c.Timeout <= 0 {
		errs = append(errs, fmt.Errorf(`option "timeout": want more than 0, or block=false, have %v`, *c.Timeout))
	}
	if c.Timeout != nil && c.Block != nil && !*c.Block {
		errs = append(errs, errors.New(`option "timeout" has no meaning with block=false`))
	}
	return errors.Join(errs...)
}

// New returns the component.
func New() route.Component { return &component{} }

type component struct {
	targets shared.Map[target]
}

// Endpoint implements [route.Component].
func (c *component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := a.Decode(&cfg); err != nil {
		return nil, err
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	e := &endpoint{
		config: cfg, scheme: a.Scheme, component: c, logger: env.Logger,
		wait: 30 * time.Second,
		fail: cfg.FailIfNoConsumers == nil || *cfg.FailIfNoConsumers,
	}
	e.target = c.targets.Get(cfg.Name, func() *target { return &target{up: make(chan struct{})} })
	switch {
	case cfg.Block != nil && !*cfg.Block:
		e.wait = 0
	case cfg.Timeout != nil:
		e.wait = *cfg.Timeout
	}
	return e, nil
}

type endpoint struct {
	config    Config
	scheme    string
	component *component
	target    *target
	logger    *slog.Logger
	wait      time.Duration // for a consumer
	fail      bool
}

var (
	_ route.Internal  = (*endpoint)(nil)
	_ route.Exclusive = (*endpoint)(nil)
	_ route.Producer  = (*endpoint)(nil)
)

func (e *endpoint) String() string { return route.Redact(e.scheme, e.config) }

// Pending implements [route.Internal]: nothing waits, as callers call.
func (e *endpoint) Pending() int { return 0 }

// Exclusive implements [route.Exclusive].
func (e *endpoint) Exclusive() any { return e.target }

// Consume implements [route.Consumer].
func (e *endpoint) Consume(ctx context.Context, next route.Processor) error {
	c := &callee{next: next, idle: make(chan struct{}, 1), gone: make(chan struct{})}
	c.route, c.place = route.RouteOf(ctx)
	if other := e.target.open(c); other != nil {
		return fmt.Errorf("%s has a consumer already, %s: this is %s, and there can be one", e, other, c)
	}
	<-ctx.Done()
	e.target.close(c)
	return nil
}

// Process implements [route.Producer].
func (e *endpoint) Process(ctx context.Context, ex *route.Exchange) error {
	if c := e.target.callee.Load(); c != nil {
		if calls := c.enter(); calls > 0 {
			return e.call(ctx, c, calls, ex)
		}
	}
	return e.await(ctx, ex)
}

func (e *endpoint) call(ctx context.Context, c *callee, calls int64, ex *route.Exchange) error {
	defer c.leave()
	if calls%checkEvery == 0 && tooDeep() {
		return fmt.Errorf("%s: calls are nested without end: %s is reached again and again from itself, %d times so far", e, c, calls)
	}
	return c.next.Process(ctx, ex)
}

// await is Process where there was no consumer.
func (e *endpoint) await(ctx context.Context, ex *route.Exchange) error {
	c, calls, err := e.target.await(ctx, e.wait)
	switch {
	case err != nil:
		return fmt.Errorf("%s has no consumer %s: %w", e, e.component.hint(e.config.Name), err)
	case c != nil:
		return e.call(ctx, c, calls, ex)
	case !e.fail:
		e.logger.LogAttrs(ctx, slog.LevelDebug, "nobody consumes: the exchange goes on as it is",
			slog.String("endpoint", e.String()), slog.String("exchange", ex.ID()))
		return nil
	case e.wait > 0:
		return fmt.Errorf("%s has no consumer, after %v %s", e, e.wait, e.component.hint(e.config.Name))
	default:
		return fmt.Errorf("%s has no consumer %s", e, e.component.hint(e.config.Name))
	}
}
