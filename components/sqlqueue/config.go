package sqlqueue

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// Config is everything an endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Topic is what is consumed and sent to.
	Topic string `uri:".,required"`

	// For those who consume.

	// Group names the consumer group. Each group of a topic gets every message that is sent from
	// when it was first consumed for, and those who consume for one group share its messages. The
	// group without a name is one too, and has what is sent while a topic has no group at all.
	Group string `uri:"group"`

	// Ordered gives the messages of the group one after the other, to one consumer at a time,
	// wherever the others are: the next one when the one before has succeeded. All who consume for
	// a group have to agree on it.
	Ordered bool `uri:"ordered"`

	// BatchSize is how many messages are taken from the table at a time; 0 means 10. Those that
	// are not worked on yet wait in memory, and nobody else gets them.
	BatchSize int `uri:"batchSize"`

	// PollInterval is how long to wait at most before the table is looked at again when it had
	// no message; 0 means 500ms. A message that the same component sends is seen at once.
	PollInterval time.Duration `uri:"pollInterval"`

	// AckWait is how long a message that was taken may be without a sign of life before it is
	// given to another consumer; 0 means 30s. One that is worked on, or waits in memory, gives
	// signs.
	AckWait time.Duration `uri:"ackWait"`

	// MaxDeliver is how often a message is given at most; 0 means without end. One that has been
	// given as often goes to the topic DeadLetter.
	MaxDeliver int `uri:"maxDeliver"`

	// DeadLetter is the topic, without a group, for what was given MaxDeliver times; "" means the
	// topic's name with .dead behind.
	DeadLetter string `uri:"deadLetter"`

	// Retain is how long messages that were acknowledged stay in the table; 0 means not at all.
	Retain time.Duration `uri:"retain"`

	// For those who send.

	// Delay is how long a message has to wait before it is given to a consumer. The header
	// CamelSqlQueueDelay has the last word.
	Delay time.Duration `uri:"delay"`

	// See [watermill.Taking].

	ConcurrentConsumers int           `uri:"concurrentConsumers"`
	MaxInFlight         int           `uri:"maxInFlight"`
	KeyHeader           string        `uri:"keyHeader"`
	MaximumRedeliveries int           `uri:"maximumRedeliveries"`
	RedeliveryDelay     time.Duration `uri:"redeliveryDelay"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("sqlqueue", c) }

const (
	maxName         = 255 // bytes, of a topic and of a group
	maxBatch        = 10000
	defaultBatch    = 10
	defaultInterval = 500 * time.Millisecond
	defaultAckWait  = 30 * time.Second
	leastAckWait    = time.Second
	longest         = 100 * 365 * 24 * time.Hour
)

func (c Config) batchSize() int              { return cmp.Or(c.BatchSize, defaultBatch) }
func (c Config) pollInterval() time.Duration { return cmp.Or(c.PollInterval, defaultInterval) }
func (c Config) ackWait() time.Duration      { return cmp.Or(c.AckWait, defaultAckWait) }
func (c Config) deadLetter() string          { return cmp.Or(c.DeadLetter, c.Topic+".dead") }

func (c Config) taking() watermill.Taking {
	return watermill.Taking{
		ConcurrentConsumers: c.ConcurrentConsumers, MaxInFlight: c.MaxInFlight, KeyHeader: c.KeyHeader,
		MaximumRedeliveries: c.MaximumRedeliveries, RedeliveryDelay: c.RedeliveryDelay,
	}
}

// check returns all that is wrong.
func (c Config) check(a route.Address) error {
	errs := []error{checkName("path", c.Topic), checkName(`option "group"`, c.Group), checkName(`option "deadLetter"`, c.DeadLetter)}
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	span := func(name string, d, least time.Duration) {
		refuse(a.Options.Has(name) && (d < least || d > longest), "option %q: want %v to %v, have %v", name, least, longest, d)
	}
	refuse(a.Options.Has("batchSize") && (c.BatchSize < 1 || c.BatchSize > maxBatch), `option "batchSize": want 1 to %d, have %d`, maxBatch, c.BatchSize)
	span("pollInterval", c.PollInterval, time.Millisecond)
	span("ackWait", c.AckWait, leastAckWait)
	span("retain", c.Retain, 0)
	span("delay", c.Delay, 0)
	refuse(c.MaxDeliver < 0, `option "maxDeliver": want 0 (without end) or more, have %d`, c.MaxDeliver)
	refuse(c.DeadLetter != "" && c.MaxDeliver == 0, `option "deadLetter" without "maxDeliver": nothing would go there`)
	refuse(c.DeadLetter == c.Topic, `option "deadLetter": want another topic, have %q`, c.DeadLetter)
	refuse(c.MaxDeliver > 0 && c.DeadLetter == "" && len(c.deadLetter()) > maxName, `option "deadLetter": want one, %q is too long`, c.deadLetter())
	refuse(c.Ordered && (c.ConcurrentConsumers > 1 || c.MaxInFlight > 1),
		`option "ordered": one message is worked on at a time: want neither "concurrentConsumers" nor "maxInFlight"`)
	return errors.Join(errs...)
}

func checkName(what, name string) error {
	if len(name) > maxName || !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return fmt.Errorf("%s: want a name with at most %d bytes of UTF-8, have %q", what, maxName, name)
	}
	return nil
}
