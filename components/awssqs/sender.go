package awssqs

import (
	"context"
	"fmt"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/mehari-go/mehari/internal/amazon"
	"github.com/mehari-go/mehari/internal/attribute"
	"github.com/mehari-go/mehari/route"
)

// maxSize is that of messages: see Amazon SQS Developer Guide, "Amazon SQS message quotas".
const maxSize amazon.MaxSize = 1 << 20

type sendingKey struct{}

// sending in the context of a message is where it goes.
type sending struct {
	config *Config
	queue  queue
	amazon.Place
}

// sending tells where an exchange goes, as a message with a UUID.
func (c *Config) sending(ctx context.Context, ex *route.Exchange, q queue, id string) (s sending, err error) {
	s = sending{config: c, queue: q}
	if q.fifo() {
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
	client    *sqs.Client
	closeIdle func()
	urls      amazon.Found // of queues
}

// Publish implements [message.Publisher].
func (s *sender) Publish(_ string, ms ...*message.Message) error {
	for _, m := range ms {
		if err := s.send(m); err != nil {
			return err
		}
	}
	return nil
}

func (s *sender) send(m *message.Message) error {
	ctx := m.Context()
	to := ctx.Value(sendingKey{}).(sending) // see component.endpoint
	packed := attribute.Pack(m.UUID, m.Metadata, m.Payload)
	if err := maxSize.Check(packed.Size()); err != nil {
		return fmt.Errorf("queue %q: %w", to.queue.name, err)
	}
	url, err := s.urls.Of(to.config.Queue, func() (string, error) { return to.queue.find(ctx, s.client, to.config) })
	if err != nil {
		return err
	}
	in := &sqs.SendMessageInput{
		QueueUrl: aws.String(url), MessageBody: aws.String(packed.Text), DelaySeconds: int32(to.config.DelaySeconds), //nolint:gosec // 900 at most
		MessageAttributes: make(map[string]types.MessageAttributeValue, len(packed.Attributes)),
	}
	for name, value := range packed.Attributes {
		in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String(value)}
	}
	if to.Group != "" {
		in.MessageGroupId = aws.String(to.Group)
	}
	if to.Unique != "" {
		in.MessageDeduplicationId = aws.String(to.Unique)
	}
	if _, err := s.client.SendMessage(ctx, in); err != nil {
		return fmt.Errorf("queue %q: %w", to.queue.name, err)
	}
	return nil
}

// Close implements [message.Publisher].
func (s *sender) Close() error {
	s.closeIdle()
	return nil
}
