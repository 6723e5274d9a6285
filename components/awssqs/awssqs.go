// Package awssqs consumes from and sends to queues of Amazon SQS:
//
//	aws, err := config.LoadDefaultConfig(ctx) // github.com/aws/aws-sdk-go-v2/config
//	components["awssqs"] = awssqs.New(awssqs.Options{AWS: aws})
//
//	route.From("awssqs:orders?concurrentConsumers=4").To("awssqs:checked.fifo?keyHeader=customer")
//
// A message is deleted when its exchange has succeeded. While it is worked on it stays
// invisible to others, and when it is given back it is visible at once. The package stands on
// components/watermill, where it is told what happens to a message; it speaks to the SDK of
// Amazon directly, and messages have the form of Watermill's own adapter.
package awssqs

import (
	"context"
	"errors"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/internal/amazon"
	"github.com/mehari-go/mehari/route"
)

// Options say how to reach the service. Each route that consumes has connections of its own,
// and all that send share some.
type Options struct {
	// AWS is the configuration of the SDK: region, credentials, a role to assume, the HTTP
	// client, retries. Region and credentials are required.
	AWS aws.Config

	// Endpoint is the URL of another server than that of the region, such as one for tests.
	Endpoint string

	// Client are more options of the client. They have the last word.
	Client []func(*sqs.Options)
}

func (o Options) service() amazon.Service {
	return amazon.Service{Config: o.AWS, Endpoint: o.Endpoint}
}

// open returns a client, and what closes its connections.
func (o Options) open() (*sqs.Client, func()) {
	cfg, closeIdle := o.service().Open()
	return sqs.NewFromConfig(cfg, o.Client...), closeIdle
}

// New returns the component.
func New(o Options) route.Component {
	return &component{options: o, Publisher: watermill.NewPublisher(func(context.Context) (message.Publisher, error) {
		client, closeIdle := o.open()
		return &sender{client: client, closeIdle: closeIdle}, nil
	})}
}

// A component makes endpoints of queues.
type component struct {
	*watermill.Publisher // shared, and closed with the last engine
	options              Options
}

var _ route.Lifecycle = (*component)(nil)

// Endpoint implements [route.Component].
func (c *component) Endpoint(_ route.Env, a route.Address) (route.Endpoint, error) {
	ep, err := c.endpoint(a)
	return ep, errors.Join(c.options.service().Check("awssqs.Options"), err)
}

func (c *component) endpoint(a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := a.Decode(&cfg); err != nil {
		return nil, err
	}
	q, err := parseQueue(cfg.Queue, c.options.AWS.Region)
	if err := errors.Join(err, cfg.check(a, q)); err != nil {
		return nil, err
	}
	return watermill.Wire{
		Address: route.Redact(a.Scheme, cfg), Topic: cfg.Queue,
		Subscriber: func(ctx context.Context) (message.Subscriber, error) { return newTaker(ctx, c.options, cfg, q) },
		Publisher:  c.Publisher,
		Arrived:    arrived,
		Leaving: func(ctx context.Context, ex *route.Exchange, m *message.Message) error {
			to, err := cfg.sending(ctx, ex, q, m.UUID)
			m.SetContext(context.WithValue(ctx, sendingKey{}, to))
			return err
		},
		Taking: watermill.Taking{
			ConcurrentConsumers: cfg.ConcurrentConsumers, MaxInFlight: cfg.MaxInFlight, KeyHeader: cfg.KeyHeader,
			MaximumRedeliveries: cfg.MaximumRedeliveries, RedeliveryDelay: cfg.RedeliveryDelay,
		},
	}.Endpoint(a)
}
