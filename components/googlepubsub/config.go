package googlepubsub

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Config is everything an endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Topic is the topic that is sent to, or project:topic for that of another project. Who
	// consumes takes from the subscription of that name, unless Subscription names one.
	Topic string `uri:".,required"`

	// Subscription is the subscription that is taken from, or project:subscription.
	Subscription string `uri:"subscription"`

	// CreateTopic makes the topic if there is none.
	CreateTopic bool `uri:"createTopic"`

	// CreateSubscription makes the subscription to the topic if there is none.
	CreateSubscription bool `uri:"createSubscription"`

	// MessageOrderingEnabled makes the subscription one that keeps the order of messages
	// with the same ordering key.
	MessageOrderingEnabled bool `uri:"messageOrderingEnabled"`

	// AckDeadline is that of a subscription that is made: how long a message may be without
	// a sign of life before it is given to another consumer, in whole seconds, 10s to 10m; 0
	// means 10s. One that is worked on, or waits in memory, gives signs in time.
	AckDeadline time.Duration `uri:"ackDeadline"`

	// MaxAckExtensionPeriod is for how long in all a message gives signs of life, at least
	// 10s; 0 means 1h. After that it is given to another consumer.
	MaxAckExtensionPeriod time.Duration `uri:"maxAckExtensionPeriod"`

	// MaxOutstandingMessages is how many messages each of the ConcurrentConsumers takes at
	// most that are not acknowledged yet; 0 means 100. They wait in memory.
	MaxOutstandingMessages int `uri:"maxOutstandingMessages"`

	// MaxOutstandingBytes is how many bytes these have at most; 0 means 100 MiB. One message
	// is taken, however large it is.
	MaxOutstandingBytes int `uri:"maxOutstandingBytes"`

	// See [watermill.Taking]. What is sent has the value of the header KeyHeader as its
	// ordering key.

	ConcurrentConsumers int           `uri:"concurrentConsumers"`
	MaxInFlight         int           `uri:"maxInFlight"`
	KeyHeader           string        `uri:"keyHeader"`
	MaximumRedeliveries int           `uri:"maximumRedeliveries"`
	RedeliveryDelay     time.Duration `uri:"redeliveryDelay"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("googlepubsub", c) }

const (
	defaultExtension = time.Hour
	defaultMessages  = 100
	defaultBytes     = 100 << 20
	leastDeadline    = 10 * time.Second
	mostDeadline     = 10 * time.Minute
)

// check returns all that is wrong.
func (c Config) check(a route.Address) error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(a.Options.Has("ackDeadline") && (c.AckDeadline < leastDeadline || c.AckDeadline > mostDeadline || c.AckDeadline%time.Second != 0),
		`option "ackDeadline": want whole seconds, %v to %v, have %v`, leastDeadline, mostDeadline, c.AckDeadline)
	refuse(a.Options.Has("maxAckExtensionPeriod") && c.MaxAckExtensionPeriod < leastDeadline,
		`option "maxAckExtensionPeriod": want at least %v, have %v`, leastDeadline, c.MaxAckExtensionPeriod)
	for name, v := range map[string]int{"maxOutstandingMessages": c.MaxOutstandingMessages, "maxOutstandingBytes": c.MaxOutstandingBytes} {
		refuse(a.Options.Has(name) && v < 1, "option %q: want at least 1, have %d", name, v)
	}
	for name, given := range map[string]bool{"messageOrderingEnabled": c.MessageOrderingEnabled, "ackDeadline": c.AckDeadline != 0} {
		refuse(given && !c.CreateSubscription, "option %q is for a subscription that is made: want createSubscription=true too", name)
	}
	return errors.Join(errs...)
}

// names are those of the service.
type names struct{ topic, subscription string }

// names returns the names of topic and subscription.
func (c Config) names(project string) (n names, err error) {
	topicProject, topic, err := name("path", c.Topic, project)
	subscriptionProject, subscription := topicProject, topic
	if c.Subscription != "" {
		var err2 error
		subscriptionProject, subscription, err2 = name(`option "subscription"`, c.Subscription, project)
		err = errors.Join(err, err2)
	}
	return names{"projects/" + topicProject + "/topics/" + topic, "projects/" + subscriptionProject + "/subscriptions/" + subscription}, err
}

// The names of resources: see "Guidelines to name a topic, subscription, schema, or snapshot"
// in the documentation of Pub/Sub. Projects may be those of a domain.
var (
	resource  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._~+%-]{2,254}$`)
	projectID = regexp.MustCompile(`^([a-z0-9.-]+:)?[A-Za-z0-9][A-Za-z0-9-]*$`)
)

func isProject(s string) bool { return projectID.MatchString(s) }

func name(place, text, project string) (ofProject, id string, err error) {
	id = text
	if i := strings.LastIndex(text, ":"); i >= 0 {
		project, id = text[:i], text[i+1:]
	}
	switch {
	case project == "":
		err = fmt.Errorf("%s: of which project is %q? Want project:%s, or googlepubsub.Options.Project", place, id, id)
	case !isProject(project):
		err = fmt.Errorf("%s: want the id of a project before the colon, have %q", place, project)
	case !resource.MatchString(id) || strings.HasPrefix(id, "goog"):
		err = fmt.Errorf("%s: want 3 to 255 letters, digits and any of -._~+%%, a letter first and not goog, have %q", place, id)
	}
	return project, id, err
}
