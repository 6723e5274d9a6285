package amqp

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Config is everything an endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Exchange is what is sent to, and what the queue is bound to; "default" means the
	// default exchange, whose routing keys are the names of the queues.
	Exchange string `uri:".,required"`

	// ExchangeType is the type of an exchange that is declared; "" means direct.
	ExchangeType ExchangeType `uri:"exchangeType"`

	// Queue is what a consumer takes from. Without one it has a queue of its own, which
	// lasts as long as its connection. For a producer it is the queue that
	// AutoDeclareProducer declares, and with the default exchange, the routing key.
	Queue string `uri:"queue"`

	// RoutingKey binds the queue to the exchange, and is what messages are sent with.
	RoutingKey string `uri:"routingKey"`

	// AutoDeclare declares the exchange, the queue and the binding when a consumer starts;
	// nil means true. With false the queue has to be there.
	AutoDeclare *bool `uri:"autoDeclare"`

	// AutoDeclareProducer does so before something is sent. Without Queue it declares the
	// exchange only.
	AutoDeclareProducer bool `uri:"autoDeclareProducer"`

	// Durable says whether what is declared survives a restart of the server; nil means true.
	Durable *bool `uri:"durable"`

	// AutoDelete deletes a queue that is declared when its last consumer has gone.
	AutoDelete bool `uri:"autoDelete"`

	// QueueType is the type of a queue that is declared; "" means the server's default,
	// which is classic.
	QueueType QueueType `uri:"queueType"`

	// Args are arguments for what is declared and for the consumer, each with what it is
	// for: "queue.x-max-length=1000", "binding.x-match=all". There are those for exchange,
	// queue, binding, consumer, dlq.exchange, dlq.queue and dlq.binding. Whole numbers, true
	// and false are what they look like.
	Args []string `uri:"args"`

	// DeadLetterExchange is where a queue that is declared sends what is rejected, expired or
	// too much. It is declared too, and so is DeadLetterQueue, bound with
	// DeadLetterRoutingKey, whose default is the name of DeadLetterQueue. With
	// DeadLetterQueue only, it is the default exchange.
	DeadLetterExchange     string       `uri:"deadLetterExchange"`
	DeadLetterExchangeType ExchangeType `uri:"deadLetterExchangeType"`
	DeadLetterQueue        string       `uri:"deadLetterQueue"`
	DeadLetterRoutingKey   string       `uri:"deadLetterRoutingKey"`

	// RejectAndDontRequeue rejects a message whose exchange has failed, so that the queue
	// sends it to its dead letter exchange, or without one, drops it. nil means true if the
	// endpoint names a dead letter exchange or queue, and else false: the message is put back.
	RejectAndDontRequeue *bool `uri:"rejectAndDontRequeue"`

	// Exclusive refuses other consumers of the queue.
	Exclusive bool `uri:"exclusive"`

	// PrefetchCount is how many messages the server gives in advance to each of the
	// ConcurrentConsumers; 0 means 250.
	PrefetchCount int `uri:"prefetchCount"`

	// Mandatory makes it an error when no queue gets what is sent; nil means true.
	Mandatory *bool `uri:"mandatory"`

	// ConfirmTimeout is how long it may take until the server has confirmed a message; 0 means
	// 5s.
	ConfirmTimeout time.Duration `uri:"confirmTimeout"`

	// Persistent makes messages that are in durable queues survive a restart; nil means true.
	Persistent *bool `uri:"persistent"`

	// Priority is that of messages without the header CamelRabbitmqPriority, for queues that
	// have the argument x-max-priority.
	Priority int `uri:"priority"`

	// Expiration is how long a message may wait in a queue; 0 means without end.
	Expiration time.Duration `uri:"expiration"`

	// See [watermill.Taking]. MaxInFlight messages of each of the ConcurrentConsumers are
	// worked on at a time.

	ConcurrentConsumers int           `uri:"concurrentConsumers"`
	MaxInFlight         int           `uri:"maxInFlight"`
	KeyHeader           string        `uri:"keyHeader"`
	MaximumRedeliveries int           `uri:"maximumRedeliveries"`
	RedeliveryDelay     time.Duration `uri:"redeliveryDelay"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("amqp", c) }

// ExchangeType says how an exchange finds the queues for a message.
type ExchangeType string

// The types of exchanges.
const (
	Direct  ExchangeType = "direct"  // those that are bound with its routing key
	Fanout  ExchangeType = "fanout"  // all that are bound
	Topic   ExchangeType = "topic"   // those that are bound with a pattern for its routing key
	Headers ExchangeType = "headers" // those that are bound with arguments like its headers
)

var exchangeTypes = []ExchangeType{Direct, Fanout, Topic, Headers}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *ExchangeType) UnmarshalText(text []byte) error {
	if !slices.Contains(exchangeTypes, ExchangeType(text)) {
		return fmt.Errorf("want one of %s, have %q", join(exchangeTypes), text)
	}
	*t = ExchangeType(text)
	return nil
}

// QueueType says how the server keeps a queue.
type QueueType string

// The types of queues.
const (
	Classic QueueType = "classic" // on one server
	Quorum  QueueType = "quorum"  // on most servers of a cluster
)

var queueTypes = []QueueType{Classic, Quorum}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (t *QueueType) UnmarshalText(text []byte) error {
	if !slices.Contains(queueTypes, QueueType(text)) {
		return fmt.Errorf("want one of %s, have %q", join(queueTypes), text)
	}
	*t = QueueType(text)
	return nil
}

func join[T ~string](names []T) string {
	var b strings.Builder
	for i, name := range names {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(string(name))
	}
	return b.String()
}
