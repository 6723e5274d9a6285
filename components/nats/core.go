package nats

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/nats-io/nats.go"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// Headers with what NATS tells about a message.
var (
	Subject = route.NewKey[string]("CamelNatsSubject")
	ReplyTo = route.NewKey[string]("CamelNatsReplyTo") // where the sender waits for an answer
)

// Config is everything an endpoint of core NATS can be told. Zero fields mean defaults.
type Config struct {
	// Subject is what is subscribed and sent to. A subscription may have the wildcards *
	// and >.
	Subject string `uri:".,required"`

	// QueueName is the queue group of a subscription, of whose members one gets each
	// message. With several ConcurrentConsumers and without a name the route has a group of
	// its own.
	QueueName string `uri:"queueName"`

	// PendingLimit is how many messages may wait in memory; 0 means 65536. Those beyond are
	// lost, which the log tells.
	PendingLimit int `uri:"pendingLimit"`

	// See [watermill.Taking]. There is no giving back: a message whose last attempt fails
	// is lost.

	ConcurrentConsumers int           `uri:"concurrentConsumers"`
	MaxInFlight         int           `uri:"maxInFlight"`
	KeyHeader           string        `uri:"keyHeader"`
	MaximumRedeliveries int           `uri:"maximumRedeliveries"`
	RedeliveryDelay     time.Duration `uri:"redeliveryDelay"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("nats", c) }

const defaultPending = 65536

// New returns the component for core NATS.
func New(o Options) route.Component {
	return &component{options: o, endpoint: coreEndpoint, Publisher: watermill.NewPublisher(func(ctx context.Context) (message.Publisher, error) {
		conn, err := o.connect(ctx)
		if err != nil {
			return nil, err
		}
		return &sender{conn, func(_ *message.Message, msg *client.Msg) error { return conn.PublishMsg(msg) }}, nil
	})}
}

func coreEndpoint(c *component, a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := a.Decode(&cfg); err != nil {
		return nil, err
	}
	if err := checkSubject(cfg.Subject); err != nil {
		return nil, err
	}
	if a.Options.Has("pendingLimit") && cfg.PendingLimit < 1 {
		return nil, fmt.Errorf(`option "pendingLimit": want at least 1, have %d`, cfg.PendingLimit)
	}
	w := watermill.Wire{
		Address: route.Redact(a.Scheme, cfg), Topic: cfg.Subject,
		Subscriber: func(ctx context.Context) (message.Subscriber, error) {
			conn, err := c.options.connect(ctx)
			if err != nil {
				return nil, err
			}
			if cfg.QueueName == "" && cfg.ConcurrentConsumers > 1 {
				return &coreSubscriber{conn: conn, config: cfg, group: "mehari-" + rand.Text()}, nil
			}
			return &coreSubscriber{conn: conn, config: cfg, group: cfg.QueueName}, nil
		},
		Arrived: arrived,
		Taking: watermill.Taking{
			ConcurrentConsumers: cfg.ConcurrentConsumers, MaxInFlight: cfg.MaxInFlight, KeyHeader: cfg.KeyHeader,
			MaximumRedeliveries: cfg.MaximumRedeliveries, RedeliveryDelay: cfg.RedeliveryDelay,
		},
	}
	if !isWild(cfg.Subject) {
		w.Publisher = c.Publisher
	}
	return w.Endpoint(a)
}

// coreSubscriber subscribes over a connection of its own.
type coreSubscriber struct {
	conn   *client.Conn
	config Config
	group  string
	all    sync.WaitGroup
}

// Subscribe implements [message.Subscriber]. When it returns, the server knows of the
// subscription. There are no acknowledgements, and so the next message is given at once.
func (s *coreSubscriber) Subscribe(ctx context.Context, subject string) (<-chan *message.Message, error) {
	sub, err := s.conn.QueueSubscribeSync(subject, s.group)
	if err != nil {
		return nil, err
	}
	limit := s.config.PendingLimit
	if limit == 0 {
		limit = defaultPending
	}
	if err := sub.SetPendingLimits(limit, -1); err != nil {
		return nil, err
	}
	if err := flush(ctx, s.conn); err != nil {
		return nil, err
	}
	out := make(chan *message.Message)
	s.all.Go(func() {
		defer close(out)
		for {
			msg, err := sub.NextMsgWithContext(ctx)
			if errors.Is(err, client.ErrSlowConsumer) {
				continue // it has lost some and goes on; the client's error handler tells
			}
			if err != nil {
				_ = sub.Unsubscribe() // the connection may be gone
				return
			}
			m := decode(msg.Header, msg.Data)
			m.SetContext(context.WithValue(context.Background(), originKey{}, origin{subject: msg.Subject, reply: msg.Reply}))
			select {
			case out <- m:
			case <-ctx.Done():
			}
		}
	})
	return out, nil
}

// flush waits until the server has seen what was sent.
func flush(ctx context.Context, conn *client.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return conn.FlushWithContext(ctx)
}

// Close implements [message.Subscriber].
func (s *coreSubscriber) Close() error {
	s.conn.Close()
	s.all.Wait()
	return nil
}

// An origin in the context of a message is where it comes from.
type origin struct {
	subject, reply string
	stream         string
	sequence       uint64
	delivered      uint64
}

type originKey struct{}

func arrived(_ context.Context, m *message.Message, ex *route.Exchange) {
	o, _ := m.Context().Value(originKey{}).(origin)
	Subject.Set(ex, o.subject)
	if o.reply != "" {
		ReplyTo.Set(ex, o.reply)
	}
	if o.stream != "" {
		Stream.Set(ex, o.stream)
		Sequence.Set(ex, o.sequence)
		Delivered.Set(ex, o.delivered)
	}
}
