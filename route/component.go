package route

import (
	"context"
	"fmt"
	"log/slog"
)

// A Component makes endpoints of one kind. It holds what its endpoints share: clients,
// connections, credentials.
type Component interface {
	// Endpoint makes the endpoint at addr. It checks all that can be checked without
	// I/O, and does no I/O. It may be called from many goroutines at once.
	Endpoint(env Env, addr Address) (Endpoint, error)
}

// ComponentFunc makes a [Component] of a function.
type ComponentFunc func(env Env, addr Address) (Endpoint, error)

// Endpoint calls f.
func (f ComponentFunc) Endpoint(env Env, addr Address) (Endpoint, error) { return f(env, addr) }

// An Endpoint is an address that routes can name. What it can do is told by its
// methods: one that can start a route is also a [Consumer], one that can be sent to
// is also a [Producer].
type Endpoint interface {
	// String returns the address without secrets.
	String() string
}

// A Consumer is an endpoint that starts a route.
type Consumer interface {
	Endpoint

	// Consume passes each message it takes to next until ctx is done. What next
	// returns is the acknowledgement: nil means that the message is done with, an
	// error that it is not.
	//
	// Consume returns when its last call of next has returned. If it returns while ctx
	// is not done, the engine calls it again after a while; one that has no more to
	// give returns [ErrDone]. It gives next the context that it was given: an exchange
	// in flight may finish after ctx is done. A consumer that needs a context of its
	// own for its exchanges derives it from [Work].
	Consume(ctx context.Context, next Processor) error
}

// A Producer is an endpoint that can be sent to.
type Producer interface {
	Endpoint
	Processor
}

// A SendOnly endpoint is a producer that one might take for a consumer too. It says what to
// start a route with instead, which the error tells who tries.
type SendOnly interface {
	Producer
	Instead() string
}

// cannotStart is the error of an endpoint that is no consumer.
func cannotStart(ep Endpoint) error {
	if s, ok := ep.(SendOnly); ok {
		return fmt.Errorf("%s cannot start a route: %s", ep, s.Instead())
	}
	return fmt.Errorf("%s cannot start a route", ep)
}

// An Internal consumer takes what other routes of the engine send to it. It starts
// before those and stops after them, when nothing is on its way to it any more.
type Internal interface {
	Consumer

	// Pending returns how many messages wait to be taken or are being worked on: one
	// counts from when it was sent until next has returned.
	Pending() int
}

// An Exclusive consumer can start one route at a time.
type Exclusive interface {
	Consumer

	// Exclusive returns what tells it apart: consumers that return the same comparable
	// value cannot run at the same time. Nil means that it is not exclusive. It is called
	// when all routes that are added together have been built.
	Exclusive() any
}

// Env is what a component may use of the engine while routes are built.
type Env struct {
	// Resolve returns the endpoint at a URI, for components that wrap another's.
	Resolve func(URI) (Endpoint, error)

	// Logger is the engine's.
	Logger *slog.Logger

	// Foreign tells that the URI is made at run time, and that some of it may come from a
	// message: what is dangerous in the hands of a stranger should be refused.
	Foreign bool
}

// Components maps the schemes of URIs to the components that serve them.
type Components map[string]Component
