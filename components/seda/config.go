package seda

import (
	"errors"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Config is everything a seda endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Name is what senders and consumers have in common.
	Name string `uri:".,required"`

	// Size is how many messages the queue holds; 0 means 1000. Endpoints of one name
	// that give a size must give the same.
	Size int `uri:"size"`

	// For those who consume.

	// ConcurrentConsumers is how many messages are worked on at a time; 0 means 1. Those
	// that pause, as in a Delay step that does not block, do not count: others are taken
	// meanwhile, so that messages can overtake each other. When they go on they count
	// again, and nothing is taken while too many are at work. No more pause than Size at a
	// time; where as many do, further ones count.
	ConcurrentConsumers int `uri:"concurrentConsumers"`

	// MultipleConsumers lets several routes consume, each of which gets every message
	// that is sent while it is started. Nobody waits for an outcome then. Endpoints of
	// one name that give it must give the same; nil means what the others give, or
	// false.
	MultipleConsumers *bool `uri:"multipleConsumers"`

	// PurgeWhenStopping throws away what is in the queue when the route stops, and
	// says how many messages that were. By default the route works on them first.
	PurgeWhenStopping bool `uri:"purgeWhenStopping"`

	// For those who send.

	// WaitForTaskToComplete tells when to wait for the outcome; "" means IfReplyExpected.
	WaitForTaskToComplete Waiting `uri:"waitForTaskToComplete"`

	// Timeout is how long to wait for the outcome; nil means 30s, 0 without end.
	// A message that has not been taken by then is not taken any more.
	Timeout *time.Duration `uri:"timeout"`

	// BlockWhenFull waits for room in a full queue. By default it is an error that
	// there is none.
	BlockWhenFull bool `uri:"blockWhenFull"`

	// OfferTimeout is how long BlockWhenFull waits before it is an error; 0 means
	// without end.
	OfferTimeout time.Duration `uri:"offerTimeout"`

	// DiscardWhenFull throws away what finds no room.
	DiscardWhenFull bool `uri:"discardWhenFull"`

	// DiscardIfNoConsumers throws away what is sent while nobody consumes. By default
	// it waits in the queue.
	DiscardIfNoConsumers bool `uri:"discardIfNoConsumers"`

	// FailIfNoConsumers makes it an error to send while nobody consumes.
	FailIfNoConsumers bool `uri:"failIfNoConsumers"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("seda", c) }

// Waiting tells when a sender waits for what becomes of its message.
type Waiting string

// The kinds of waiting.
const (
	Never           Waiting = "Never"
	IfReplyExpected Waiting = "IfReplyExpected" // where the exchange is a request
	Always          Waiting = "Always"
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (w *Waiting) UnmarshalText(text []byte) error {
	switch v := Waiting(text); v {
	case Never, IfReplyExpected, Always:
		*w = v
		return nil
	}
	return fmt.Errorf("want %s, %s or %s, have %q", Never, IfReplyExpected, Always, text)
}

const (
	defaultSize    = 1000
	maxSize        = 1 << 20
	maxConsumers   = 10000
	defaultTimeout = 30 * time.Second
)

func (c Config) check(a route.Address) error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(a.Options.Has("size") && (c.Size < 1 || c.Size > maxSize),
		`option "size": want 1 to %d, have %d`, maxSize, c.Size)
	refuse(a.Options.Has("concurrentConsumers") && (c.ConcurrentConsumers < 1 || c.ConcurrentConsumers > maxConsumers),
		`option "concurrentConsumers": want 1 to %d, have %d`, maxConsumers, c.ConcurrentConsumers)
	refuse(c.Timeout != nil && *c.Timeout < 0, `option "timeout": want 0 (none) or more, have %v`, c.Timeout)
	refuse(c.OfferTimeout < 0, `option "offerTimeout": want 0 (none) or more, have %v`, c.OfferTimeout)
	refuse(c.OfferTimeout > 0 && !c.BlockWhenFull, `option "offerTimeout" has a meaning with blockWhenFull=true only`)
	refuse(c.BlockWhenFull && c.DiscardWhenFull, `options "blockWhenFull" and "discardWhenFull" exclude each other`)
	refuse(c.DiscardIfNoConsumers && c.FailIfNoConsumers, `options "discardIfNoConsumers" and "failIfNoConsumers" exclude each other`)
	refuse(c.Timeout != nil && c.WaitForTaskToComplete == Never, `option "timeout" has no meaning with waitForTaskToComplete=Never`)
	refuse(c.MultipleConsumers != nil && *c.MultipleConsumers && (c.WaitForTaskToComplete == Always || c.Timeout != nil),
		`with multipleConsumers=true nobody can wait for the outcome: leave "waitForTaskToComplete" and "timeout" out`)
	return errors.Join(errs...)
}
