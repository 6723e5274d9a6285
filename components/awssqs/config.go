package awssqs

import (
	"errors"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/internal/amazon"
	"github.com/mehari-go/mehari/route"
)

// Config is everything an endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Queue is the name of a queue, its URL or its ARN. A name that ends with .fifo is that
	// of a FIFO queue.
	Queue string `uri:".,required"`

	// AutoCreateQueue makes the queue if there is none, with VisibilityTimeout and the
	// defaults of SQS. It needs a name.
	AutoCreateQueue bool `uri:"autoCreateQueue"`

	// WaitTimeSeconds is how long SQS waits for a message before it answers that there is
	// none, 1 to 20; 0 means 20.
	WaitTimeSeconds int `uri:"waitTimeSeconds"`

	// MaxMessagesPerPoll is how many messages each of the ConcurrentConsumers takes at once,
	// 1 to 10; 0 means 10. They wait in memory, invisible to others.
	MaxMessagesPerPoll int `uri:"maxMessagesPerPoll"`

	// VisibilityTimeout is how long a message may be without a sign of life before SQS gives
	// it to another consumer, in whole seconds, 3s to 12h; 0 means 30s. A message that is
	// worked on, or waits in memory, gives signs in time. SQS ends it after 12 hours all the
	// same.
	VisibilityTimeout time.Duration `uri:"visibilityTimeout"`

	// NackVisibilityTimeout is how long a message that is given back after a failure stays
	// invisible, in whole seconds, up to 12h; 0 means none, and it comes again at once.
	NackVisibilityTimeout time.Duration `uri:"nackVisibilityTimeout"`

	// SNSEnvelope unwraps messages of a topic of SNS that is subscribed without raw message
	// delivery. What is no such envelope stays as it is.
	SNSEnvelope bool `uri:"snsEnvelope"`

	// DelaySeconds is how long SQS keeps what is sent before it gives it to anybody, up to
	// 900; 0 means what the queue says. FIFO queues know no delay of single messages.
	DelaySeconds int `uri:"delaySeconds"`

	// MessageDeduplicationIDStrategy says by what SQS knows that two messages for a FIFO queue
	// are the same, of which it drops the second for five minutes; "" means nothing: no two
	// are.
	MessageDeduplicationIDStrategy DeduplicationStrategy `uri:"messageDeduplicationIdStrategy"`

	// See [watermill.Taking]. What is sent to a FIFO queue belongs to the group that the
	// header KeyHeader names; without a KeyHeader all belongs to one group.

	ConcurrentConsumers int           `uri:"concurrentConsumers"`
	MaxInFlight         int           `uri:"maxInFlight"`
	KeyHeader           string        `uri:"keyHeader"`
	MaximumRedeliveries int           `uri:"maximumRedeliveries"`
	RedeliveryDelay     time.Duration `uri:"redeliveryDelay"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("awssqs", c) }

// DeduplicationStrategy says by what SQS knows that two messages are the same.
type DeduplicationStrategy string

// The strategies.
const (
	// UseExchangeID tells SQS the ID of the exchange: what the error handling sends again is
	// the same, and so is what a route sends to one queue twice.
	UseExchangeID DeduplicationStrategy = "useExchangeId"

	// UseMessageUUID tells SQS the UUID of the message, which an exchange keeps from where
	// it came from: what comes again after a crash, and is sent again, is the same. All the
	// parts of what is split are too, unless they get UUIDs of their own.
	UseMessageUUID DeduplicationStrategy = "useMessageUuid"

	// UseContentBasedDeduplication leaves it to SQS, which looks at the body. The queue has
	// to be one that does.
	UseContentBasedDeduplication DeduplicationStrategy = "useContentBasedDeduplication"
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *DeduplicationStrategy) UnmarshalText(text []byte) error {
	return (*amazon.DeduplicationStrategy)(s).UnmarshalText(text)
}

const (
	defaultWait       = 20
	defaultPoll       = 10
	defaultVisibility = 30 * time.Second
	leastVisibility   = 3 * time.Second
	mostVisibility    = 12 * time.Hour
)

// check returns all that is wrong.
func (c Config) check(a route.Address, q queue) error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	within := func(name string, v, least, most int) {
		refuse(a.Options.Has(name) && (v < least || v > most), "option %q: want %d to %d, have %d", name, least, most, v)
	}
	within("waitTimeSeconds", c.WaitTimeSeconds, 1, 20)
	within("maxMessagesPerPoll", c.MaxMessagesPerPoll, 1, 10)
	within("delaySeconds", c.DelaySeconds, 0, 900)
	seconds := func(name string, v, least time.Duration) {
		refuse(a.Options.Has(name) && (v < least || v > mostVisibility || v%time.Second != 0),
			"option %q: want whole seconds, %v to %v, have %v", name, least, mostVisibility, v)
	}
	seconds("visibilityTimeout", c.VisibilityTimeout, leastVisibility)
	seconds("nackVisibilityTimeout", c.NackVisibilityTimeout, 0)
	refuse(c.AutoCreateQueue && q.url != "", `option "autoCreateQueue": want the name of a queue, have the URL %q`, q.url)
	refuse(c.AutoCreateQueue && q.owner != "", `option "autoCreateQueue": want the name of a queue, have an ARN`)
	refuse(q.fifo() && c.DelaySeconds != 0, `option "delaySeconds": a FIFO queue delays all messages or none`)
	refuse(!q.fifo() && c.MessageDeduplicationIDStrategy != "", `option "messageDeduplicationIdStrategy": only a FIFO queue drops repeats, and %q is none`, q.name)
	return errors.Join(errs...)
}
