package googlepubsub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cloud.google.com/go/pubsub/v2"
	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"github.com/ThreeDotsLabs/watermill/message"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/mehari-go/mehari/route"
)

// Headers with what Pub/Sub tells about a message.
var (
	MessageID       = route.NewKey[string]("CamelGooglePubsubMessageId")
	OrderingKey     = route.NewKey[string]("CamelGooglePubsubOrderingKey")
	PublishTime     = route.NewKey[time.Time]("CamelGooglePubsubPublishTime")
	DeliveryAttempt = route.NewKey[int]("CamelGooglePubsubDeliveryAttempt") // where the subscription has a dead letter policy
)

// A taker is a subscriber of a subscription, over a connection of its own.
type taker struct {
	client *pubsub.Client
	config Config
	names  names
	taking context.Context
	all    sync.WaitGroup

	streams *streams

	mu     sync.Mutex
	failed error // why a subscription has ended
}

// newTaker connects and looks for the subscription, or makes it. When ctx is done, nothing
// more is taken.
func newTaker(ctx context.Context, o Options, cfg Config, n names) (*taker, error) {
	t := &taker{config: cfg, names: n, taking: ctx, streams: &streams{open: map[*stream]struct{}{}}}
	o.Client = append([]option.ClientOption{option.WithGRPCDialOption(grpc.WithChainStreamInterceptor(t.streams.intercept))}, o.Client...)
	client, err := o.connect(ctx, anyProject(o.Project))
	if err != nil {
		return nil, err
	}
	t.client = client
	if err := t.find(ctx); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return t, nil
}

func (t *taker) find(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := t.client.SubscriptionAdminClient.GetSubscription(ctx, &pubsubpb.GetSubscriptionRequest{Subscription: t.names.subscription})
	switch {
	case err == nil, status.Code(err) == codes.PermissionDenied: // who may take need not be allowed to look
		return nil
	case status.Code(err) != codes.NotFound || !t.config.CreateSubscription:
		return fmt.Errorf("%s: %w", t.names.subscription, err)
	}
	if t.config.CreateTopic {
		if err := createTopic(ctx, t.client, t.names.topic); err != nil {
			return fmt.Errorf("%s: %w", t.names.topic, err)
		}
	}
	_, err = t.client.SubscriptionAdminClient.CreateSubscription(ctx, &pubsubpb.Subscription{
		Name: t.names.subscription, Topic: t.names.topic, EnableMessageOrdering: t.config.MessageOrderingEnabled,
		AckDeadlineSeconds: int32(cmp.Or(t.config.AckDeadline, leastDeadline) / time.Second), //nolint:gosec // 10m at most
	})
	if err != nil && status.Code(err) != codes.AlreadyExists {
		return fmt.Errorf("%s: %w", t.names.subscription, err)
	}
	return nil
}

// Subscribe implements [message.Subscriber]. Google's library takes messages, keeps them from
// others, and calls take for each, in order for one ordering key.
func (t *taker) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	s := t.client.Subscriber(t.names.subscription)
	s.ReceiveSettings = pubsub.ReceiveSettings{
		MaxExtension:           cmp.Or(t.config.MaxAckExtensionPeriod, defaultExtension),
		MaxOutstandingMessages: cmp.Or(t.config.MaxOutstandingMessages, defaultMessages),
		MaxOutstandingBytes:    cmp.Or(t.config.MaxOutstandingBytes, defaultBytes),
		NumGoroutines:          1,
	}
	out := make(chan *message.Message)
	taking, cancel := context.WithCancel(ctx)
	received := make(chan struct{})
	t.all.Go(func() {
		defer cancel()
		select {
		case <-t.taking.Done():
			t.streams.end()
		case <-ctx.Done():
		case <-received:
		}
	})
	t.all.Go(func() {
		defer close(out)
		defer close(received)
		err := s.Receive(taking, func(_ context.Context, received *pubsub.Message) { t.take(ctx, taking, received, out) })
		if err != nil && ctx.Err() == nil && t.taking.Err() == nil {
			t.mu.Lock()
			t.failed = fmt.Errorf("%s: %w", t.names.subscription, err)
			t.mu.Unlock()
		}
	})
	return out, nil
}

// ackTime is how long a confirmation that a message is acknowledged is awaited.
const ackTime = 30 * time.Second

// take gives a message and waits for what becomes of it. When taking is done, what was not
// given goes back at once.
func (t *taker) take(ctx, taking context.Context, received *pubsub.Message, out chan<- *message.Message) {
	uuid, headers := decode(received.Attributes)
	m := message.NewMessage(cmp.Or(uuid, received.ID), received.Data)
	m.Metadata = headers
	life, done := context.WithCancel(context.WithValue(ctx, originKey{}, received))
	defer done()
	m.SetContext(life)
	if taking.Err() != nil {
		received.Nack()
		return
	}
	select {
	case out <- m:
	case <-taking.Done():
		received.Nack()
		return
	}
	select {
	case <-m.Acked():
	case <-m.Nacked():
	case <-ctx.Done():
	}
	select {
	case <-m.Acked():
		// It tells something where the subscription delivers exactly once only.
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackTime)
		defer cancel()
		_, _ = received.AckWithResult().Get(within) // what is lost comes again
	default:
		received.Nack()
	}
}

type originKey struct{}

func arrived(_ context.Context, m *message.Message, ex *route.Exchange) {
	o, ok := m.Context().Value(originKey{}).(*pubsub.Message)
	if !ok {
		return
	}
	MessageID.Set(ex, o.ID)
	PublishTime.Set(ex, o.PublishTime)
	if o.OrderingKey != "" {
		OrderingKey.Set(ex, o.OrderingKey)
	}
	if o.DeliveryAttempt != nil {
		DeliveryAttempt.Set(ex, *o.DeliveryAttempt)
	}
}

// Close implements [message.Subscriber]. It returns why a subscription has ended by itself.
func (t *taker) Close() error {
	t.all.Wait()
	t.mu.Lock()
	defer t.mu.Unlock()
	return errors.Join(t.failed, t.client.Close())
}
