// Package awssns sends to topics of Amazon SNS:
//
//	aws, err := config.LoadDefaultConfig(ctx) // github.com/aws/aws-sdk-go-v2/config
//	components["awssns"] = awssns.New(awssns.Options{AWS: aws})
//
//	route.From("awssqs:orders").To("awssns:arn:aws:sns:eu-west-1:123456789012:shipped")
//
// SNS cannot be consumed from: subscribe a queue to the topic, with raw message delivery, and
// consume from that with components/awssqs. The package stands on components/watermill and
// speaks to the SDK of Amazon directly.
package awssns

import (
	"context"
	"errors"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/internal/amazon"
	"github.com/mehari-go/mehari/route"
)

// Options say how to reach the service.
type Options struct {
	// AWS is the configuration of the SDK: region, credentials, a role to assume, the HTTP
	// client, retries. Region and credentials are required.
	AWS aws.Config

	// Endpoint is the URL of another server than that of the region, such as one for tests.
	Endpoint string

	// Client are more options of the client. They have the last word.
	Client []func(*sns.Options)
}

func (o Options) service() amazon.Service {
	return amazon.Service{Config: o.AWS, Endpoint: o.Endpoint}
}

// New returns the component.
func New(o Options) route.Component {
	return &component{options: o, Publisher: watermill.NewPublisher(func(context.Context) (message.Publisher, error) {
		cfg, closeIdle := o.service().Open()
		return &sender{client: sns.NewFromConfig(cfg, o.Client...), closeIdle: closeIdle}, nil
	})}
}

// A component makes endpoints of topics.
type component struct {
	*watermill.Publisher // shared, and closed with the last engine
	options              Options
}

var _ route.Lifecycle = (*component)(nil)

// Endpoint implements [route.Component].
func (c *component) Endpoint(_ route.Env, a route.Address) (route.Endpoint, error) {
	ep, err := c.endpoint(a)
	return ep, errors.Join(c.options.service().Check("awssns.Options"), err)
}

func (c *component) endpoint(a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := a.Decode(&cfg); err != nil {
		return nil, err
	}
	if err := cfg.check(c.options.AWS.Region); err != nil {
		return nil, err
	}
	ep, err := watermill.Wire{
		Address: route.Redact(a.Scheme, cfg), Topic: cfg.Topic, Publisher: c.Publisher,
		Leaving: func(ctx context.Context, ex *route.Exchange, m *message.Message) error {
			to, err := cfg.sending(ctx, ex, m.UUID)
			m.SetContext(context.WithValue(ctx, sendingKey{}, to))
			return err
		},
	}.Endpoint(a)
	if err != nil {
		return nil, err
	}
	return producer{ep.(route.Producer)}, nil // it has no subscriber
}

type producer struct{ route.Producer }

var _ route.SendOnly = producer{}

// Instead implements [route.SendOnly].
func (producer) Instead() string {
	return "subscribe a queue to the topic, with raw message delivery, and consume from that with awssqs"
}
