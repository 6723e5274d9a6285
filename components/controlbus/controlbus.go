// Package controlbus starts and stops routes by messages:
// "controlbus:route?routeId=orders&action=suspend".
package controlbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/mehari-go/mehari/internal/sleep"
	"github.com/mehari-go/mehari/route"
)

// Config is everything a controlbus endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Command is what is told something; there is "route".
	Command string `uri:".,required"`

	// RouteID is the id of the route; "current" means the one that the message is in.
	RouteID string `uri:"routeId,required"`

	// Action is what happens: start, stop, suspend, resume and restart are the methods of
	// [route.Engine]; status sets the body to the state of the route, such as "started".
	Action string `uri:"action,required"`

	// Async goes on with the message at once, and does what was asked for beside it. That
	// is how a route can stop itself.
	Async bool `uri:"async"`

	// RestartDelay is how long to wait between stop and start of a restart; nil means 1s.
	RestartDelay *time.Duration `uri:"restartDelay"`

	// LoggingLevel is how important it is that something was done, or could not be done by
	// an Async one: TRACE, DEBUG, INFO, WARN, ERROR or OFF; "" means INFO.
	LoggingLevel string `uri:"loggingLevel"`
}

// URI returns the address of the command that c describes.
func (c Config) URI() route.URI { return route.Encode("controlbus", c) }

// The actions.
const (
	start   = "start"
	stop    = "stop"
	suspend = "suspend"
	resume  = "resume"
	restart = "restart"
	status  = "status"
)

const (
	current = "current"
	off     = slog.Level(127)
)

var (
	actions = []string{start, stop, suspend, resume, restart, status}
	levels  = map[string]slog.Level{
		"": slog.LevelInfo, "TRACE": slog.LevelDebug - 4, "DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo,
		"WARN": slog.LevelWarn, "ERROR": slog.LevelError, "OFF": off,
	}
)

func (c Config) check() error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(c.Command != "route", `want controlbus:route, have %q`, "controlbus:"+c.Command)
	refuse(!slices.Contains(actions, c.Action), `option "action": want one of %s, have %q`, strings.Join(actions, ", "), c.Action)
	refuse(c.Action == status && c.Async, `option "async" has no meaning with action=status`)
	refuse(c.RestartDelay != nil && c.Action != restart, `option "restartDelay" has a meaning with action=restart only`)
	refuse(c.RestartDelay != nil && *c.RestartDelay < 0, `option "restartDelay": want 0 or more, have %v`, c.RestartDelay)
	_, ok := levels[strings.ToUpper(c.LoggingLevel)]
	refuse(!ok, `option "loggingLevel": want TRACE, DEBUG, INFO, WARN, ERROR or OFF, have %q`, c.LoggingLevel)
	return errors.Join(errs...)
}

// New returns the component. Its endpoints are for the routes of the engine in which they
// stand.
func New() route.Component { return component{} }

type component struct{}

// Endpoint implements [route.Component].
func (component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	var c Config
	if err := a.Decode(&c); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	e := endpoint{config: c, scheme: a.Scheme, logger: env.Logger, level: levels[strings.ToUpper(c.LoggingLevel)], pause: time.Second}
	if c.RestartDelay != nil {
		e.pause = *c.RestartDelay
	}
	return e, nil
}

type endpoint struct {
	config Config
	scheme string
	logger *slog.Logger
	level  slog.Level
	pause  time.Duration
}

var _ route.Producer = endpoint{}

func (e endpoint) String() string { return route.Redact(e.scheme, e.config) }

// Process implements [route.Producer].
func (e endpoint) Process(ctx context.Context, ex *route.Exchange) error {
	engine, ok := route.EngineFrom(ctx)
	if !ok {
		return fmt.Errorf("%s: there is no engine here", e)
	}
	id := e.config.RouteID
	if id == current {
		if id = ex.RouteID(); id == "" {
			return fmt.Errorf("%s: the message is in no route", e)
		}
	}
	s, ok := engine.Status().Route(id)
	switch {
	case !ok:
		return fmt.Errorf("%s: there is no route %q", e, id)
	case e.config.Action == status:
		ex.Body = string(s.State)
		return nil
	case e.config.Async:
		return engine.Go(func(ctx context.Context) {
			// Not under ctx: a stop takes the drain time, also when the engine stops.
			e.tell(ctx, id, e.act(context.WithoutCancel(ctx), ctx, engine, id))
		})
	case e.waits() && (id == ex.RouteID() || id == ex.FromRouteID()):
		return fmt.Errorf("%s: route %q would wait for this message, which waits for it: use async=true", e, id)
	}
	err := e.act(ctx, ctx, engine, id)
	if err == nil {
		e.tell(ctx, id, nil)
	}
	return err
}

// waits tells whether the action waits for exchanges in flight.
func (e endpoint) waits() bool {
	return slices.Contains([]string{stop, suspend, restart}, e.config.Action)
}

// act does what was asked for. When hurry is done a restart pauses no longer.
func (e endpoint) act(ctx, hurry context.Context, engine *route.Engine, id string) error {
	switch e.config.Action {
	case start:
		return engine.Start(id)
	case stop:
		return engine.Stop(ctx, id)
	case suspend:
		return engine.Suspend(ctx, id)
	case resume:
		return engine.Resume(id)
	}
	err := engine.Stop(ctx, id)
	sleep.For(hurry, e.pause)
	return errors.Join(err, engine.Start(id))
}

// tell logs what was done.
func (e endpoint) tell(ctx context.Context, id string, err error) {
	if e.level == off {
		return
	}
	attrs := []slog.Attr{slog.String("route", id), slog.String("action", e.config.Action)}
	if err != nil {
		e.logger.LogAttrs(ctx, e.level, "controlbus: it could not be done", append(attrs, slog.Any("error", err))...)
		return
	}
	e.logger.LogAttrs(ctx, e.level, "controlbus: done", attrs...)
}
