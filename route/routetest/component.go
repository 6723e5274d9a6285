package routetest

import (
	"context"
	"errors"
	"testing"

	"github.com/mehari-go/mehari/route"
)

// A Harness tells [TestComponent] how to handle a component.
type Harness struct {
	// New makes the component anew.
	New func() route.Component

	// Close ends what a component that New has made still runs. Nil means nothing.
	Close func(c route.Component)

	// Configs are valid values of the component's Config struct. Each option has a
	// value other than its default in one of them at least. A component whose URIs are
	// not the text of a struct has none.
	Configs []Config

	// Consumer is the address of an endpoint that starts a route; "" if there is none.
	Consumer route.URI

	// Feed makes the Consumer of a component that New has made give an exchange. It may
	// return before or after the route is through. Nil means that the consumer gives
	// some by itself, or, if it is a producer too, that what it is sent comes out of it.
	Feed func(ctx context.Context, c route.Component, body any) error

	// Producer is the address of an endpoint that can be sent to; "" if there is none.
	// If the component has a Consumer too, that is started first.
	Producer route.URI

	// Others are components that the addresses name too.
	Others route.Components
}

// A Config is the struct with `uri` tags that a component's addresses are the text of.
type Config interface{ URI() route.URI }

// TestComponent checks that a component keeps to what [route.Component], [route.Consumer]
// and [route.Producer] promise:
//
//   - an option that is unknown, malformed or given twice is refused, with its name, and
//     the nearest known one
//   - the URI of a Config decodes to the same Config, and makes an endpoint
//   - String is a URI and shows neither secret options nor the password of an authority
//   - making endpoints opens nothing and starts nothing
//   - Consume returns when its context is done, not before the exchange in flight, and
//     calls nothing afterwards; it can be called again then
//   - it goes on after an exchange that failed, passes the context on, and releases
//     what it has made
//   - Process can be called by many at once, returns when its context is done, and
//     keeps no exchange, nor releases one
//   - no goroutine is left
//
// It counts goroutines and so does not run in parallel with other tests. It is at its
// best with the race detector.
func TestComponent(t *testing.T, h Harness) {
	for _, c := range checks {
		t.Run(c.name, func(t *testing.T) {
			err := c.run(&h)
			if skip, ok := errors.AsType[skipped](err); ok {
				t.Skip(skip)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// A check is one thing that every component has to do right.
type check struct {
	name  string
	check func(h *Harness) error
}

// run runs the check and looks for what it has left behind.
func (c check) run(h *Harness) error {
	before := goroutines()
	own, made := *h, []route.Component(nil)
	own.New = func() route.Component {
		made = append(made, h.New())
		return made[len(made)-1]
	}
	err := c.check(&own)
	if h.Close != nil {
		for _, m := range made {
			h.Close(m)
		}
	}
	return errors.Join(err, before.leak())
}

var checks = []check{
	{"refuses unknown options", unknownOptions},
	{"refuses malformed options", malformedOptions},
	{"encodes and decodes", roundTrip},
	{"hides secrets", secrets},
	{"makes endpoints without I/O", noIO},
	{"stops before it starts", stopsAtOnce},
	{"stops when told", stops},
	{"waits for what is in flight", waitsForFlight},
	{"survives errors", survivesErrors},
	{"starts again", startsAgain},
	{"passes its context on", passesContext},
	{"releases its exchanges", releases},
	{"can be sent to by many", sentByMany},
	{"leaves exchanges to their owner", leavesExchanges},
	{"gives up when told", givesUp},
}

// skipped is the error of a check that has nothing to check.
type skipped string

func (s skipped) Error() string { return string(s) }

const (
	noConfigs  = skipped("the harness has no Configs")
	noConsumer = skipped("the harness has no Consumer")
	noProducer = skipped("the harness has no Producer")
)
