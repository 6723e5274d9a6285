package watermill

import (
	"errors"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Config is everything an endpoint of a component that [New] made can be told. Zero fields
// mean defaults.
type Config struct {
	// Topic is what is subscribed and published to.
	Topic string `uri:".,required"`

	// For those who consume; see [Taking].

	ConcurrentConsumers int           `uri:"concurrentConsumers"`
	MaxInFlight         int           `uri:"maxInFlight"`
	KeyHeader           string        `uri:"keyHeader"`
	MaximumRedeliveries int           `uri:"maximumRedeliveries"`
	RedeliveryDelay     time.Duration `uri:"redeliveryDelay"`
}

// URI returns the address of the endpoint that c describes, under a scheme: that under which
// the component is registered.
func (c Config) URI(scheme string) route.URI { return route.Encode(scheme, c) }

// Taking is how a consumer takes messages: what the Config of each broker says about it.
type Taking struct {
	// ConcurrentConsumers is how many subscriptions there are; 0 means 1. Most subscribers
	// give a subscription one message at a time.
	ConcurrentConsumers int

	// MaxInFlight is how many messages of one subscription are worked on at a time; 0 means
	// 1. A subscriber of Watermill that gives one only before that is acknowledged leaves
	// it at one.
	MaxInFlight int

	// KeyHeader names a header. Messages of one subscription with the same value in it are
	// worked on one after the other, in their order.
	KeyHeader string

	// MaximumRedeliveries is how often a message whose exchange has failed is given to the
	// route again before it is given back to the broker.
	MaximumRedeliveries int

	// RedeliveryDelay is how long to wait before each redelivery, and before a message is
	// given back, since many brokers send it again at once; 0 means 1s, and a negative one
	// none.
	RedeliveryDelay time.Duration
}

const (
	maxConsumers   = 10000
	maxRedelivered = 1 << 20
)

func (t Taking) check(a route.Address) error {
	var errs []error
	within := func(name string, v, least, most int) {
		if a.Options.Has(name) && (v < least || v > most) {
			errs = append(errs, fmt.Errorf("option %q: want %d to %d, have %d", name, least, most, v))
		}
	}
	within("concurrentConsumers", t.ConcurrentConsumers, 1, maxConsumers)
	within("maxInFlight", t.MaxInFlight, 1, maxConsumers)
	within("maximumRedeliveries", t.MaximumRedeliveries, 0, maxRedelivered)
	return errors.Join(errs...)
}
