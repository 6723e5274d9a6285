// Package watermill makes any Publisher and Subscriber of github.com/ThreeDotsLabs/watermill
// an endpoint:
//
//	components["orders"] = watermill.New(watermill.Broker{Publisher: ..., Subscriber: ...})
//	route.From("orders:incoming?concurrentConsumers=4").To("orders:checked")
//
// A message becomes an exchange: its payload the body, a []byte, its metadata the headers,
// its UUID the header CamelMessageUUID. When the route has succeeded, or its error handling
// has dealt with a failure, the message is acknowledged; when it has failed, it is given to
// the route again as often as maximumRedeliveries says, and then given back to the broker.
//
// Subscribers are read directly, without Watermill's router: as many messages as the
// endpoint allows are worked on at a time, in their order where that is promised, and when a
// route stops those in flight finish and are acknowledged before the subscription ends.
//
// The packages of single brokers, such as components/nats, stand on this one.
package watermill

import (
	"context"
	"errors"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/route"
)

// UUID is the header with the UUID of a message. A message that is sent gets the UUID that
// its exchange has in the header, or else a new one.
var UUID = route.NewKey[string]("CamelMessageUUID")

// A Broker tells how to open publishers and subscribers. One that is nil cannot be used.
type Broker struct {
	// Publisher opens what all producers of the component send through. It is opened when
	// it is first used, and closed when the last engine that has the component has stopped.
	// It has to be safe for use by many goroutines.
	Publisher func(ctx context.Context) (message.Publisher, error)

	// Subscriber opens what a consumer takes from, each time that it starts. The consumer
	// closes it. ctx is done when the consumer is to stop. One that has a method Err() error
	// tells with it why a subscription has ended by itself.
	Subscriber func(ctx context.Context) (message.Subscriber, error)
}

// Of is the broker of a publisher and a subscriber that exist already. The component does
// not close them: whoever has made them does, when the engine has stopped. Either may be nil.
func Of(p message.Publisher, s message.Subscriber) Broker {
	var b Broker
	if p != nil {
		b.Publisher = func(context.Context) (message.Publisher, error) { return keptPublisher{p}, nil }
	}
	if s != nil {
		b.Subscriber = func(context.Context) (message.Subscriber, error) { return keptSubscriber{s}, nil }
	}
	return b
}

type keptPublisher struct{ message.Publisher }

func (keptPublisher) Close() error { return nil }

type keptSubscriber struct{ message.Subscriber }

func (keptSubscriber) Close() error { return nil }

// New returns a component whose endpoints are the topics of a broker: see [Config].
func New(b Broker) *Component { return &Component{broker: b, publisher: NewPublisher(b.Publisher)} }

// A Component makes endpoints of the topics of one broker.
type Component struct {
	broker    Broker
	publisher *Publisher
}

var _ route.Lifecycle = (*Component)(nil)

// Endpoint implements [route.Component].
func (c *Component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := a.Decode(&cfg); err != nil {
		return nil, err
	}
	taking := Taking{
		ConcurrentConsumers: cfg.ConcurrentConsumers,
		MaxInFlight:         cfg.MaxInFlight,
		KeyHeader:           cfg.KeyHeader,
		MaximumRedeliveries: cfg.MaximumRedeliveries,
		RedeliveryDelay:     cfg.RedeliveryDelay,
	}
	w := Wire{Address: route.Redact(a.Scheme, cfg), Topic: cfg.Topic, Subscriber: c.broker.Subscriber, Taking: taking}
	if c.broker.Publisher != nil {
		w.Publisher = c.publisher
	}
	return w.Endpoint(a)
}

// EngineStarted implements [route.Lifecycle].
func (c *Component) EngineStarted() { c.publisher.EngineStarted() }

// EngineStopped implements [route.Lifecycle]: it closes the publisher if no other engine
// has the component.
func (c *Component) EngineStopped(ctx context.Context) error { return c.publisher.EngineStopped(ctx) }

// Close closes the publisher. It is for code that uses the component without an engine; the
// component can be used again.
func (c *Component) Close() error { return c.publisher.Close() }

// A Wire is how an endpoint of a broker moves messages. It is for those who write
// components on this one.
type Wire struct {
	// Address is the URI of the endpoint, without secrets.
	Address string

	// Topic is what is subscribed and published to.
	Topic string

	// Subscriber is that of [Broker]; nil where the endpoint cannot start a route.
	Subscriber func(ctx context.Context) (message.Subscriber, error)

	// Publisher is what producers send through; nil where the endpoint cannot be sent to.
	Publisher *Publisher

	// Arrived stores what the broker tells about a message in headers. nil stores nothing.
	Arrived func(ctx context.Context, m *message.Message, ex *route.Exchange)

	// Leaving adds what the broker wants to know to a message. nil adds nothing.
	Leaving func(ctx context.Context, ex *route.Exchange, m *message.Message) error

	Taking
}

// Endpoint returns the endpoint at a, of whose options Taking has the values, and an error
// that tells all that is wrong with those.
func (w Wire) Endpoint(a route.Address) (route.Endpoint, error) {
	if err := w.Taking.check(a); err != nil {
		return nil, err
	}
	switch {
	case w.Subscriber != nil && w.Publisher != nil:
		return struct {
			consumer
			route.Processor
		}{consumer{&w}, producer{&w}}, nil
	case w.Subscriber != nil:
		return consumer{&w}, nil
	case w.Publisher != nil:
		return producer{&w}, nil
	}
	return nil, errors.New("the component was given neither a publisher nor a subscriber")
}

func (w *Wire) errorf(format string, args ...any) error {
	return fmt.Errorf("topic %q: %w", w.Topic, fmt.Errorf(format, args...))
}
