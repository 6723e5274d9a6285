// Package redis consumes from and sends to the streams of Redis:
//
//	components["redis"] = redis.New(redis.Options{Addresses: []string{"one:6379"}})
//
//	route.From("redis:orders?consumerGroup=billing&concurrentConsumers=4").To("redis:billed?maxLength=100000")
//
// With a consumer group each message is kept until one of the group has acknowledged it.
// Without one, each consumer gets all that is sent while it runs, and what fails for good
// fails for that consumer only.
//
// It stands on components/watermill, where it is told what happens to a message. It speaks
// to the client of Redis directly, and the messages have the form of Watermill's own
// adapter. Redis 6.2 or newer is wanted.
package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// Options say how to connect. Each route that consumes has a client of its own, and all
// that send share one.
type Options struct {
	// Addresses are host:port of the server, or of nodes of a cluster if there are several
	// or Cluster is set, or of sentinels with Master; none means 127.0.0.1:6379.
	Addresses []string

	// Cluster tells that a single address is that of a cluster.
	Cluster bool

	// Master is the name under which sentinels know the server.
	Master string

	// Database is a number; a cluster has only 0.
	Database int

	// Username and Password authenticate; a server without users wants the Password only.
	Username, Password string

	// SentinelUsername and SentinelPassword are for the sentinels.
	SentinelUsername, SentinelPassword string

	// TLS is for connections over TLS.
	TLS *tls.Config

	// Name is shown in the server's list of clients; "" means mehari.
	Name string

	// ConnectTimeout is how long it may take to connect to a server; 0 means 5s.
	ConnectTimeout time.Duration

	// Client changes the options of the client. It has the last word, and is called each
	// time that a client is made.
	Client func(*client.UniversalOptions)
}

// check returns all that is wrong.
func (o Options) check() error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("redis.Options."+format, args...))
		}
	}
	for _, a := range o.Addresses {
		host, port, err := net.SplitHostPort(a)
		refuse(err != nil || host == "" || port == "", "Addresses: want host:port, have %q", a)
	}
	refuse(o.Cluster && o.Master != "", "Cluster: a Master is not in a cluster")
	refuse(o.Database < 0, "Database: want 0 or more, have %d", o.Database)
	refuse(o.Database > 0 && o.Master == "" && (o.Cluster || len(o.Addresses) > 1), "Database: a cluster has only 0, have %d", o.Database)
	refuse(o.Username != "" && o.Password == "", "Username without Password")
	refuse(o.Master == "" && (o.SentinelUsername != "" || o.SentinelPassword != ""), "SentinelPassword: there are sentinels with a Master only")
	refuse(o.ConnectTimeout < 0, "ConnectTimeout: want a duration that is not negative, have %v", o.ConnectTimeout)
	return errors.Join(errs...)
}

// connect makes a client, which connects when it is used.
func (o Options) connect(change func(*client.UniversalOptions)) client.UniversalClient {
	u := client.UniversalOptions{
		Addrs:         slices.Clone(o.Addresses), // a client of a cluster appends to it
		IsClusterMode: o.Cluster, MasterName: o.Master, DB: o.Database,
		Username: o.Username, Password: o.Password, SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
		TLSConfig: o.TLS, ClientName: cmp.Or(o.Name, "mehari"), DialTimeout: o.ConnectTimeout,
		DialerRetries:            1, // of what is done again anyway
		ContextTimeoutEnabled:    true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	change(&u)
	if o.Client != nil {
		o.Client(&u)
	}
	return client.NewUniversalClient(&u)
}

// triesOnce is for a consumer, which does again what has failed by itself.
func triesOnce(u *client.UniversalOptions) { u.MaxRetries = -1 }

// New returns the component for the streams of a server or cluster.
func New(o Options) route.Component {
	return &component{options: o, Publisher: watermill.NewPublisher(func(context.Context) (message.Publisher, error) {
		return sender{o.connect(func(*client.UniversalOptions) {})}, nil
	})}
}

// A component makes endpoints of streams.
type component struct {
	*watermill.Publisher // shared, and closed with the last engine
	options              Options
}

var _ route.Lifecycle = (*component)(nil)

// Endpoint implements [route.Component].
func (c *component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	ep, err := c.endpoint(env, a)
	return ep, errors.Join(c.options.check(), err)
}

func (c *component) endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := a.Decode(&cfg); err != nil {
		return nil, err
	}
	if err := cfg.check(a); err != nil {
		return nil, err
	}
	return watermill.Wire{
		Address: route.Redact(a.Scheme, cfg), Topic: cfg.Stream,
		Subscriber: func(context.Context) (message.Subscriber, error) {
			return newSubscriber(c.options.connect(triesOnce), cfg.withDefaults(), env.Logger), nil
		},
		Publisher: c.Publisher,
		Arrived:   arrived,
		Leaving: func(ctx context.Context, _ *route.Exchange, m *message.Message) error {
			m.SetContext(context.WithValue(ctx, sendingKey{}, &cfg))
			return nil
		},
		Taking: watermill.Taking{
			ConcurrentConsumers: cfg.ConcurrentConsumers, MaxInFlight: cfg.MaxInFlight, KeyHeader: cfg.KeyHeader,
			MaximumRedeliveries: cfg.MaximumRedeliveries, RedeliveryDelay: cfg.RedeliveryDelay,
		},
	}.Endpoint(a)
}

type sendingKey struct{}

// A sender is a publisher with a client of its own.
type sender struct{ client client.UniversalClient }

// Publish implements [message.Publisher]. It returns when the server has the messages.
func (s sender) Publish(stream string, ms ...*message.Message) error {
	for _, m := range ms {
		args := &client.XAddArgs{Stream: stream, Values: encode(m)}
		if cfg, ok := m.Context().Value(sendingKey{}).(*Config); ok && cfg.MaxLength > 0 {
			args.MaxLen, args.Approx = cfg.MaxLength, true
		}
		if err := s.client.XAdd(m.Context(), args).Err(); err != nil {
			return err
		}
	}
	return nil
}

// Close implements [message.Publisher].
func (s sender) Close() error { return s.client.Close() }
