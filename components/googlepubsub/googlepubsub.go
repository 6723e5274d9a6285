// Package googlepubsub consumes from subscriptions of Google Cloud Pub/Sub and sends to its
// topics:
//
//	components["googlepubsub"] = googlepubsub.New(googlepubsub.Options{Project: "shop"})
//
//	route.From("googlepubsub:orders?subscription=billing&maxInFlight=8").To("googlepubsub:billed?keyHeader=customer")
//
// A message is acknowledged when its exchange has succeeded; until then it is kept from
// others, however long that takes within limits. The package stands on components/watermill,
// where it is told what happens to a message; it speaks to Google's client library directly,
// and messages have the form of Watermill's own adapter.
package googlepubsub

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"cloud.google.com/go/pubsub/v2"
	"github.com/ThreeDotsLabs/watermill/message"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// Options say how to connect. Each route that consumes has a connection, and all that send
// share one. Without credentials here they are looked for where Google's libraries do, the
// variable GOOGLE_APPLICATION_CREDENTIALS and the machine's service account among them.
type Options struct {
	// Project is the one of topics and subscriptions that do not name theirs.
	Project string

	// ServiceAccountKey is a file with the key of a service account.
	ServiceAccountKey string

	// Endpoint is another address of the service, host:port, such as that of a region.
	Endpoint string

	// Emulator is the address of an emulator, host:port, to which there is no TLS and no
	// authentication.
	Emulator string

	// Client are more options of the client. They have the last word.
	Client []option.ClientOption
}

// check returns all that is wrong.
func (o Options) check() error {
	var errs []error
	for name, address := range map[string]string{"Endpoint": o.Endpoint, "Emulator": o.Emulator} {
		if _, _, err := net.SplitHostPort(address); address != "" && (err != nil || strings.Contains(address, "/")) {
			errs = append(errs, fmt.Errorf("googlepubsub.Options.%s: want host:port, have %q", name, address))
		}
	}
	if o.Emulator != "" && (o.Endpoint != "" || o.ServiceAccountKey != "") {
		errs = append(errs, errors.New("googlepubsub.Options: with Emulator, want no Endpoint and no ServiceAccountKey"))
	}
	if o.Project != "" && !isProject(o.Project) {
		errs = append(errs, fmt.Errorf("googlepubsub.Options.Project: want the id of a project, have %q", o.Project))
	}
	return errors.Join(errs...)
}

// connect opens a connection. It does not wait until somebody answers.
func (o Options) connect(ctx context.Context, project string) (*pubsub.Client, error) {
	var options []option.ClientOption
	if o.ServiceAccountKey != "" {
		options = append(options, option.WithAuthCredentialsFile(option.ServiceAccount, o.ServiceAccountKey))
	}
	if o.Endpoint != "" {
		options = append(options, option.WithEndpoint(o.Endpoint))
	}
	if o.Emulator != "" {
		options = append(options, option.WithEndpoint("passthrough:///"+o.Emulator), option.WithoutAuthentication(),
			option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())), option.WithTelemetryDisabled())
	}
	// The client outlives the call that opens it.
	return pubsub.NewClient(context.WithoutCancel(ctx), project, append(options, o.Client...)...)
}

// New returns the component.
func New(o Options) route.Component {
	return &component{options: o, Publisher: watermill.NewPublisher(func(ctx context.Context) (message.Publisher, error) {
		client, err := o.connect(ctx, anyProject(o.Project))
		if err != nil {
			return nil, err
		}
		return &sender{client}, nil
	})}
}

// A component makes endpoints of topics and subscriptions.
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
	names, err := cfg.names(c.options.Project)
	if err := errors.Join(err, cfg.check(a)); err != nil {
		return nil, err
	}
	return watermill.Wire{
		Address: route.Redact(a.Scheme, cfg), Topic: cfg.Topic,
		Subscriber: func(ctx context.Context) (message.Subscriber, error) { return newTaker(ctx, c.options, cfg, names) },
		Publisher:  c.Publisher,
		Arrived:    arrived,
		Leaving: func(ctx context.Context, ex *route.Exchange, m *message.Message) error {
			key, err := cfg.orderingKey(ctx, ex)
			m.SetContext(context.WithValue(ctx, sendingKey{}, sending{config: &cfg, topic: names.topic, key: key}))
			return err
		},
		Taking: watermill.Taking{
			ConcurrentConsumers: cfg.ConcurrentConsumers, MaxInFlight: cfg.MaxInFlight, KeyHeader: cfg.KeyHeader,
			MaximumRedeliveries: cfg.MaximumRedeliveries, RedeliveryDelay: cfg.RedeliveryDelay,
		},
	}.Endpoint(a)
}

// anyProject is for a client of which every call names its project.
func anyProject(project string) string {
	if project == "" {
		return "-"
	}
	return project
}
