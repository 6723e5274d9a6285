package route

import (
	"context"
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

// lifecycles are the components that want to know, each once.
func (e *Engine) lifecycles() (all []Lifecycle) {
	for _, c := range e.config.Components {
		l, ok := c.(Lifecycle)
		if ok && !(reflect.TypeOf(l).Comparable() && slices.ContainsFunc(all, func(o Lifecycle) bool {
			return reflect.TypeOf(o).Comparable() && o == l
		})) {
			all = append(all, l)
		}
	}
	return all
}

// open tells the components that the engine begins. The function that it returns tells
// them that it has stopped.
func (e *Engine) open() (stopped func()) {
	all := e.lifecycles()
	for _, l := range all {
		l.EngineStarted()
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		for _, l := range all {
			if err := l.EngineStopped(ctx); err != nil {
				e.logger.Warn("a component does not close as it should", "error", err)
			}
		}
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
