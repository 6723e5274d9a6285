package redis

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Config is everything an endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Stream is the key of the stream that is consumed and sent to.
	Stream string `uri:".,required"`

	// ConsumerGroup names the group: all that consume under one name share the messages of
	// the stream, and its place in the stream outlives them. Without one each consumer gets
	// all messages, as long as it runs.
	ConsumerGroup string `uri:"consumerGroup"`

	// Start says where a new group begins, or a consumer without one; "" means begin for a
	// group, and new without one.
	Start Start `uri:"start"`

	// MaxIdle is how long a message of a group may be without a sign of life before another
	// consumer takes it over; 0 means 10s. A message that a consumer has taken gives one
	// each third of that time.
	MaxIdle time.Duration `uri:"maxIdle"`

	// ClaimInterval is how often a consumer of a group looks for messages to take over, and
	// so how long those wait that are given back; 0 means 1s. It looks between two reads,
	// and so not more often than each BlockTime.
	ClaimInterval time.Duration `uri:"claimInterval"`

	// Prefetch is how many messages wait in memory beside those that are worked on; 0 means
	// 100. Others of the group do not get them.
	Prefetch int `uri:"prefetch"`

	// BlockTime is how long the server waits for messages before it is asked again, and
	// how long the stop of a route may wait; 0 means 200ms.
	BlockTime time.Duration `uri:"blockTime"`

	// MaxLength trims the stream when something is sent: at least so many messages stay,
	// and those before go even if nobody has consumed them; 0 means without end.
	MaxLength int64 `uri:"maxLength"`

	// See [watermill.Taking].

	ConcurrentConsumers int           `uri:"concurrentConsumers"`
	MaxInFlight         int           `uri:"maxInFlight"`
	KeyHeader           string        `uri:"keyHeader"`
	MaximumRedeliveries int           `uri:"maximumRedeliveries"`
	RedeliveryDelay     time.Duration `uri:"redeliveryDelay"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("redis", c) }

// Start says where in a stream consuming begins.
type Start string

// The places.
const (
	StartBegin Start = "begin" // with the oldest message that there is
	StartNew   Start = "new"   // with what is sent from then on
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *Start) UnmarshalText(text []byte) error {
	*s = Start(text)
	if *s != StartBegin && *s != StartNew {
		return fmt.Errorf("want %s or %s, have %q", StartBegin, StartNew, text)
	}
	return nil
}

const (
	leastTime    = 10 * time.Millisecond
	mostBlock    = 5 * time.Second
	leastMaxIdle = 100 * time.Millisecond
	maxPrefetch  = 10000
)

// check returns all that is wrong.
func (c Config) check(a route.Address) error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(a.Options.Has("maxIdle") && c.MaxIdle < leastMaxIdle, `option "maxIdle": want at least %v, have %v`, leastMaxIdle, c.MaxIdle)
	refuse(a.Options.Has("claimInterval") && c.ClaimInterval < leastTime, `option "claimInterval": want at least %v, have %v`, leastTime, c.ClaimInterval)
	refuse(a.Options.Has("blockTime") && (c.BlockTime < leastTime || c.BlockTime > mostBlock),
		`option "blockTime": want %v to %v, have %v`, leastTime, mostBlock, c.BlockTime)
	refuse(a.Options.Has("prefetch") && (c.Prefetch < 1 || c.Prefetch > maxPrefetch), `option "prefetch": want 1 to %d, have %d`, maxPrefetch, c.Prefetch)
	refuse(a.Options.Has("maxLength") && c.MaxLength < 1, `option "maxLength": want at least 1, have %d`, c.MaxLength)
	if c.ConsumerGroup == "" {
		for _, name := range []string{"maxIdle", "claimInterval"} {
			refuse(a.Options.Has(name), "option %q: it has a meaning with a consumerGroup only", name)
		}
	}
	return errors.Join(errs...)
}

func (c Config) withDefaults() Config {
	c.MaxIdle = cmp.Or(c.MaxIdle, 10*time.Second)
	c.ClaimInterval = cmp.Or(c.ClaimInterval, time.Second)
	c.Prefetch = cmp.Or(c.Prefetch, 100)
	c.BlockTime = cmp.Or(c.BlockTime, 200*time.Millisecond)
	if c.Start == "" {
		c.Start = StartNew
		if c.ConsumerGroup != "" {
			c.Start = StartBegin
		}
	}
	return c
}
