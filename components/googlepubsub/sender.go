package googlepubsub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"unicode/utf8"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/ThreeDotsLabs/watermill/message"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/mehari-go/mehari/route"
)

// maxSize is that of a request with one message: see "Pub/Sub quotas and limits".
const maxSize = 10_000_000

// maxKey is how many bytes an ordering key may have.
const maxKey = 1024

// orderingKey returns the ordering key of an exchange that is sent; one without the header
// has none, and so no order.
func (c *Config) orderingKey(ctx context.Context, ex *route.Exchange) (string, error) {
	if c.KeyHeader == "" {
		return "", nil
	}
	value := ex.Header(c.KeyHeader)
	if value == nil {
		return "", nil
	}
	key, err := route.As[string](ctx, ex, value)
	if err != nil {
		return "", fmt.Errorf("header %q, the ordering key: %w", c.KeyHeader, err)
	}
	if len(key) > maxKey || !utf8.ValidString(key) {
		sum := sha256.Sum256([]byte(key)) // equal keys stay equal
		return hex.EncodeToString(sum[:]), nil
	}
	return key, nil
}

type sendingKey struct{}

// sending in the context of a message is where it goes.
type sending struct {
	config *Config
	topic  string
	key    string
}

// sender is a publisher on a connection of its own.
type sender struct{ client *pubsub.Client }

// Publish implements [message.Publisher]. Each message is a request of its own, so that the
// exchange learns of its end and of no other's.
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
	attributes, err := encode(m)
	if err != nil {
		return err
	}
	in := &pubsubpb.PublishRequest{
		Topic:    to.topic,
		Messages: []*pubsubpb.PubsubMessage{{Data: m.Payload, Attributes: attributes, OrderingKey: to.key}},
	}
	if size := proto.Size(in); size > maxSize {
		return fmt.Errorf("the message has %d bytes with its headers, want at most %d", size, maxSize)
	}
	_, err = s.client.TopicAdminClient.Publish(m.Context(), in)
	if status.Code(err) == codes.NotFound && to.config.CreateTopic {
		if err = createTopic(m.Context(), s.client, to.topic); err == nil {
			_, err = s.client.TopicAdminClient.Publish(m.Context(), in)
		}
	}
	return err
}

// createTopic makes a topic, unless somebody else was faster.
func createTopic(ctx context.Context, client *pubsub.Client, name string) error {
	_, err := client.TopicAdminClient.CreateTopic(ctx, &pubsubpb.Topic{Name: name})
	if status.Code(err) == codes.AlreadyExists {
		return nil
	}
	return err
}

// Close implements [message.Publisher].
func (s *sender) Close() error { return s.client.Close() }
