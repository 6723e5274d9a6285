package awssns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/mehari-go/mehari/internal/amazon"
	"github.com/mehari-go/mehari/internal/attribute"
	"github.com/mehari-go/mehari/route"
)

// maxSize is that of messages: see Amazon SNS API Reference, Publish.
const maxSize amazon.MaxSize = 256 << 10

type sendingKey struct{}

// sending in the context of a message is where it goes.
type sending struct {
	config *Config
	amazon.Place
}

// sending tells where an exchange goes, as a message with a UUID.
func (c *Config) sending(ctx context.Context, ex *route.Exchange, id string) (s sending, err error) {
	s.config = c
	if strings.HasSuffix(c.Topic, amazon.FIFO) {
		s.Place, err = amazon.DeduplicationStrategy(c.MessageDeduplicationIDStrategy).PlaceOf(ex.ID, id, c.KeyHeader, func() (string, error) {
			key := ex.Header(c.KeyHeader)
			if key == nil {
				return "", nil
			}
			return route.As[string](ctx, ex, key)
		})
	}
	return s, err
}

// sender is a publisher.
type sender struct {
	client    *sns.Client
	closeIdle func()
	arns      amazon.Found // of topics
}

// Publish implements [message.Publisher].
func (s *sender) Publish(_ string, ms ...*message.Message) error {
	for _, m := range ms {
		to := m.Context().Value(sendingKey{}).(sending) // see component.endpoint
		if err := s.send(m, to); err != nil {
			return fmt.Errorf("topic %q: %w", to.config.Topic, err)
		}
	}
	return nil
}

func (s *sender) send(m *message.Message, to sending) error {
	packed := attribute.Pack(m.UUID, m.Metadata, m.Payload)
	if to.config.MessageStructure == "json" {
		packed.Text = string(m.Payload)
		var texts map[string]string
		if err := json.Unmarshal(m.Payload, &texts); err != nil || texts["default"] == "" {
			return errors.New(`body: with messageStructure=json, want a JSON object of texts, one of them "default"`)
		}
	}
	if err := maxSize.Check(packed.Size()); err != nil {
		return err
	}
	ctx := m.Context()
	arn, err := s.arn(ctx, to.config)
	if err != nil {
		return err
	}
	in := &sns.PublishInput{
		TopicArn: aws.String(arn), Message: aws.String(packed.Text),
		Subject: text(to.config.Subject), MessageStructure: text(to.config.MessageStructure),
		MessageGroupId: text(to.Group), MessageDeduplicationId: text(to.Unique),
		MessageAttributes: make(map[string]types.MessageAttributeValue, len(packed.Attributes)),
	}
	for name, value := range packed.Attributes {
		in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	_, err = s.client.Publish(ctx, in)
	return err
}

// text returns nil for a text that is empty, which SNS refuses.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// arn returns the ARN of a topic. It makes the topic if it has to.
func (s *sender) arn(ctx context.Context, c *Config) (string, error) {
	if c.isARN() {
		return c.Topic, nil
	}
	return s.arns.Of(c.Topic, func() (string, error) { return s.create(ctx, c) })
}

func (s *sender) create(ctx context.Context, c *Config) (string, error) {
	in := &sns.CreateTopicInput{Name: aws.String(c.Topic)} // answers with the one that there is
	if strings.HasSuffix(c.Topic, amazon.FIFO) {
		in.Attributes = map[string]string{"FifoTopic": "true"}
		if c.MessageDeduplicationIDStrategy == UseContentBasedDeduplication {
			in.Attributes["ContentBasedDeduplication"] = "true"
		}
	}
	made, err := s.client.CreateTopic(ctx, in)
	if err != nil {
		return "", err
	}
	return aws.ToString(made.TopicArn), nil
}

// Close implements [message.Publisher].
func (s *sender) Close() error {
	s.closeIdle()
	return nil
}
