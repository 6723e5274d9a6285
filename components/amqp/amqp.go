// Package amqp consumes from and sends to RabbitMQ, in AMQP 0-9-1:
//
//	components["amqp"] = amqp.New(amqp.Options{URL: "amqp://one:5672/shop"})
//
//	route.From("amqp:orders?queue=billing&routingKey=order.new").To("amqp:default?queue=audit")
//
// It stands on components/watermill, where it is told what happens to a message. It speaks to
// the client of RabbitMQ directly; the messages have the form of Watermill's own adapter.
package amqp

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/rabbitmq/amqp091-go"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// Options say how to connect. Each route that consumes has a connection, and all that send
// share one.
type Options struct {
	// URL names the servers, with commas between them, each of which is tried until one
	// answers; "" means amqp://127.0.0.1:5672, or with TLS, amqps://127.0.0.1:5671. A URL may
	// have a user and a password, and a virtual host as its path. What has a meaning in a
	// URL is escaped in them: a comma is %2C.
	URL string

	// Name is shown in the server's list of connections; "" means mehari.
	Name string

	// Username and Password come before those of the URL. Without any they are guest, whom a
	// server takes from its own machine only.
	Username, Password string

	// External authenticates with the certificate of TLS, which the server has to allow (SASL
	// EXTERNAL).
	External bool

	// VirtualHost comes before that of the URL. Without any it is /.
	VirtualHost string

	// TLS is for URLs that begin with amqps://. Its certificates are shown to the server.
	TLS *tls.Config

	// Heartbeat is how often both sides show that they are alive; 0 means 10s. A connection
	// without a sign for three times as long is given up.
	Heartbeat time.Duration

	// ConnectTimeout is how long it may take to connect to one server; 0 means 10s.
	ConnectTimeout time.Duration

	// Channels is how many messages all that send have on their way at a time; 0 means 64.
	// The others wait.
	Channels int
}

const (
	defaultHeartbeat      = 10 * time.Second
	defaultConnectTimeout = 10 * time.Second
	defaultChannels       = 64
	maxChannels           = 2000 // a server allows 2047 by default
)

// check returns all that is wrong. The URL may have a password and is not shown.
func (o Options) check() error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("amqp.Options"+format, args...))
		}
	}
	var wrong, plain bool
	for _, u := range o.servers() {
		parsed, err := client.ParseURI(u)
		wrong = wrong || err != nil
		plain = plain || err == nil && parsed.Scheme != "amqps"
	}
	refuse(wrong, ".URL: want URLs like amqp://host:5672/vhost, with commas between them")
	refuse(plain && o.TLS != nil, ": TLS, but a URL that does not begin with amqps://")
	refuse(o.External && (o.TLS == nil || o.Username != ""), ": External needs TLS, and no Username")
	refuse(o.Password != "" && o.Username == "", ": Password without Username")
	refuse(o.Heartbeat != 0 && o.Heartbeat < time.Second, ".Heartbeat: want at least 1s, have %v", o.Heartbeat)
	refuse(o.ConnectTimeout < 0, ".ConnectTimeout: want a duration that is not negative, have %v", o.ConnectTimeout)
	refuse(o.Channels < 0 || o.Channels > maxChannels, ".Channels: want 1 to %d, or 0 for %d, have %d", maxChannels, defaultChannels, o.Channels)
	return errors.Join(errs...)
}

func (o Options) servers() []string {
	if strings.TrimSpace(o.URL) == "" {
		if o.TLS != nil {
			return []string{"amqps://127.0.0.1:5671"}
		}
		return []string{"amqp://127.0.0.1:5672"}
	}
	servers := strings.Split(o.URL, ",")
	for i := range servers {
		servers[i] = strings.TrimSpace(servers[i])
	}
	return servers
}

// New returns the component.
func New(o Options) route.Component {
	return &component{options: o, Publisher: watermill.NewPublisher(func(context.Context) (message.Publisher, error) {
		return newPublisher(o), nil
	})}
}

// A component makes endpoints of exchanges and queues.
type component struct {
	*watermill.Publisher // shared, and closed with the last engine
	options              Options
}

var _ route.Lifecycle = (*component)(nil)

// Endpoint implements [route.Component].
func (c *component) Endpoint(_ route.Env, a route.Address) (route.Endpoint, error) {
	ep, err := c.endpoint(a)
	return ep, errors.Join(c.options.check(), err)
}

func (c *component) endpoint(a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := a.Decode(&cfg); err != nil {
		return nil, err
	}
	plan, err := cfg.plan(a)
	if err != nil {
		return nil, err
	}
	w := watermill.Wire{
		Address: route.Redact(a.Scheme, cfg), Topic: cmp.Or(cfg.Queue, cfg.Exchange),
		Publisher: c.Publisher,
		Arrived:   arrived,
		Leaving:   (&target{plan: plan}).leaving,
		Taking: watermill.Taking{
			ConcurrentConsumers: cfg.ConcurrentConsumers, MaxInFlight: cfg.MaxInFlight, KeyHeader: cfg.KeyHeader,
			MaximumRedeliveries: cfg.MaximumRedeliveries, RedeliveryDelay: cfg.RedeliveryDelay,
		},
	}
	if plan.consumable() {
		w.Subscriber = func(ctx context.Context) (message.Subscriber, error) { return newSubscriber(ctx, c.options, plan) }
	}
	return w.Endpoint(a)
}
