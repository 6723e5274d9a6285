package route

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// A Lifecycle is a component that keeps something open between messages, such as the
// connection that its producers share. The engines that have it tell it when they begin
// and when they have stopped, so that it can close what it holds when the last one has:
// not when a route stops, which may be one of several that use it.
type Lifecycle interface {
	Component

	// EngineStarted tells that an engine begins to run. It does no I/O: what is not used
	// is not opened.
	EngineStarted()

	// EngineStopped tells that an engine has stopped: its last exchange is done with. ctx
	// ends when it should return. An error is logged.
	EngineStopped(ctx context.Context) error
}

// closeTime is how long a component may take to close what it holds.
const closeTime = 10 * time.Second

// lifecycles are the components that want to know, each once, by the first of their
// schemes.
func (e *Engine) lifecycles() (all []lifecycle) {
	for _, scheme := range slices.Sorted(maps.Keys(e.config.Components)) {
		l, ok := e.config.Components[scheme].(Lifecycle)
		if ok && !(reflect.TypeOf(l).Comparable() && slices.ContainsFunc(all, func(o lifecycle) bool {
			return reflect.TypeOf(o.Lifecycle).Comparable() && o.Lifecycle == l
		})) {
			all = append(all, lifecycle{l, scheme})
		}
	}
	return all
}

type lifecycle struct {
	Lifecycle
	scheme string
}

// open tells the components that the engine begins. The function that it returns tells
// those that were told that it has stopped.
func (e *Engine) open() (closeAll func(), err error) {
	var opened []lifecycle
	for _, l := range e.lifecycles() {
		if err = e.begin(l); err != nil {
			break
		}
		opened = append(opened, l)
	}
	return func() {
		ctx, cancel := context.WithTimeout(e.closing.ctx, closeTime)
		defer cancel()
		for _, l := range opened {
			if err := e.close(ctx, l); err != nil {
				e.logger.Warn("a component does not close as it should", "component", l.scheme, "error", err)
			}
		}
	}, err
}

// begin tells one that the engine begins.
func (e *Engine) begin(l lifecycle) (err error) {
	e.busyWith.Store(new(fmt.Sprintf("the component %q (%T) has not started", l.scheme, l.Lifecycle)))
	defer e.busyWith.Store(nil)
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("route: the component %q (%T) does not start: %w", l.scheme, l.Lifecycle, newPanicError(p))
		}
	}()
	l.EngineStarted()
	return nil
}

// close tells one that the engine has stopped. One that does not return when ctx is done,
// and [Config.Abandon] later, is left behind.
func (e *Engine) close(ctx context.Context, l lifecycle) error {
	e.busyWith.Store(new(fmt.Sprintf("the component %q (%T) has not closed", l.scheme, l.Lifecycle)))
	defer e.busyWith.Store(nil)
	closed := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				closed <- newPanicError(p)
			}
		}()
		closed <- l.EngineStopped(ctx)
	}()
	late := make(chan struct{})
	defer later(ctx, e.config.Abandon, func() { close(late) })()
	select {
	case err := <-closed:
		return err
	case <-late:
		return errors.New("it has not returned: going on without it")
	}
}

// ReportSubscribed tells the engine's status whether a route gets what is sent from now
// on: its consumer has connected and subscribed. A consumer calls it with the context that
// it was given.
func ReportSubscribed(ctx context.Context, subscribed bool) {
	if in := originOf(ctx).in; in != nil {
		in.run.mu.Lock()
		in.run.subscribed = &subscribed
		in.run.mu.Unlock()
	}
}
