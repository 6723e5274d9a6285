package nats

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// Headers with what JetStream tells about a message.
var (
	Stream    = route.NewKey[string]("CamelNatsStream")
	Sequence  = route.NewKey[uint64]("CamelNatsSequence")  // in the stream
	Delivered = route.NewKey[uint64]("CamelNatsDelivered") // how often, this time included
)

// JetStreamConfig is everything an endpoint of JetStream can be told. Zero fields mean
// defaults.
type JetStreamConfig struct {
	// Subject is what is consumed and sent to. A consumer may have the wildcards * and >.
	Subject string `uri:".,required"`

	// Stream is the stream that has the subject; "" means the one that the server finds, or
	// with CreateStream, the subject with _ for what cannot be in a name.
	Stream string `uri:"stream"`

	// CreateStream makes the stream if there is none, with the server's defaults for all
	// that is not told here. One that is there stays as it is.
	CreateStream bool `uri:"createStream"`

	// StreamSubjects are the subjects of the stream that CreateStream makes; nil means
	// Subject only. With more than that one the stream has to have a name.
	StreamSubjects []string `uri:"streamSubjects"`

	// StreamMaxAge is how long the stream that CreateStream makes keeps a message; 0 means
	// without end.
	StreamMaxAge time.Duration `uri:"streamMaxAge"`

	// StreamDuplicateWindow is for how long the stream that CreateStream makes remembers
	// the UUIDs that Deduplicate tells it; 0 means 2m, or StreamMaxAge if that is less.
	StreamDuplicateWindow time.Duration `uri:"streamDuplicateWindow"`

	// Durable names the consumer group: all that consume under one name share its
	// messages, and its place in the stream outlives them. Without one each run of the
	// route begins where DeliverPolicy says.
	Durable string `uri:"durable"`

	// DeliverPolicy says where a new consumer begins; "" means all.
	DeliverPolicy DeliverPolicy `uri:"deliverPolicy"`

	// AckWait is how long a message may be without a sign of life before the server gives
	// it to another consumer; 0 means 30s. A message that is worked on gives one each third
	// of that time.
	AckWait time.Duration `uri:"ackWait"`

	// MaxDeliver is how often the server gives a message at most; 0 means without end. One
	// that has been given as often stays in the stream, and nobody gets it any more.
	MaxDeliver int `uri:"maxDeliver"`

	// MaxAckPending is how many messages the server has given to all consumers of the group
	// together and that are not acknowledged yet, at most; 0 means 1000. With 1 the messages
	// of the group are worked on in the order of the stream, whichever replica has them, and
	// also where one is given back. As long as one is missing, until AckWait, none comes.
	MaxAckPending int `uri:"maxAckPending"`

	// Prefetch is how many messages wait in memory for each of the ConcurrentConsumers; 0
	// means 200. All of them give signs of life.
	Prefetch int `uri:"prefetch"`

	// AckAsync does not wait until the server has seen an acknowledgement. It is faster,
	// and a message may come again whose acknowledgement was lost.
	AckAsync bool `uri:"ackAsync"`

	// Deduplicate tells the server the UUID of what is sent. Within the stream's time for
	// duplicates, two minutes by default, it drops others with the same UUID. See
	// StreamDuplicateWindow.
	Deduplicate bool `uri:"deduplicate"`

	// See [watermill.Taking].

	ConcurrentConsumers int           `uri:"concurrentConsumers"`
	MaxInFlight         int           `uri:"maxInFlight"`
	KeyHeader           string        `uri:"keyHeader"`
	MaximumRedeliveries int           `uri:"maximumRedeliveries"`
	RedeliveryDelay     time.Duration `uri:"redeliveryDelay"`
}

// URI returns the address of the endpoint that c describes.
func (c JetStreamConfig) URI() route.URI { return route.Encode("jetstream", c) }

// DeliverPolicy says where in a stream a consumer begins.
type DeliverPolicy string

// The policies.
const (
	DeliverAll  DeliverPolicy = "all"
	DeliverNew  DeliverPolicy = "new"
	DeliverLast DeliverPolicy = "last"
)

var policies = map[DeliverPolicy]jetstream.DeliverPolicy{
	"": jetstream.DeliverAllPolicy, DeliverAll: jetstream.DeliverAllPolicy,
	DeliverNew: jetstream.DeliverNewPolicy, DeliverLast: jetstream.DeliverLastPolicy,
}

// UnmarshalText implements [encoding.TextUnmarshaler].
func (p *DeliverPolicy) UnmarshalText(text []byte) error {
	if _, ok := policies[DeliverPolicy(text)]; !ok || len(text) == 0 {
		return fmt.Errorf("want %s, %s or %s, have %q", DeliverAll, DeliverNew, DeliverLast, text)
	}
	*p = DeliverPolicy(text)
	return nil
}

const (
	defaultAckWait  = 30 * time.Second
	leastAckWait    = 100 * time.Millisecond
	defaultPrefetch = 200
	maxPrefetch     = 10000
)

// check returns all that is wrong.
func (c JetStreamConfig) check(a route.Address) error {
	errs := []error{checkSubject(c.Subject)}
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	for name, value := range map[string]string{"stream": c.Stream, "durable": c.Durable} {
		refuse(strings.ContainsAny(value, ".*> /\\\t\r\n"), `option %q: want a name without . * > / \ and blanks, have %q`, name, value)
	}
	refuse(a.Options.Has("ackWait") && c.AckWait < leastAckWait, `option "ackWait": want at least %v, have %v`, leastAckWait, c.AckWait)
	refuse(c.MaxDeliver < 0, `option "maxDeliver": want 0 (without end) or more, have %d`, c.MaxDeliver)
	refuse(c.MaxAckPending < 0, `option "maxAckPending": want 1 or more, or 0 for 1000, have %d`, c.MaxAckPending)
	refuse(a.Options.Has("prefetch") && (c.Prefetch < 1 || c.Prefetch > maxPrefetch), `option "prefetch": want 1 to %d, have %d`, maxPrefetch, c.Prefetch)
	return errors.Join(append(errs, c.checkStream())...)
}

// checkStream returns what is wrong with the stream that is to be made.
func (c JetStreamConfig) checkStream() error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	if !c.CreateStream {
		refuse(c.StreamSubjects != nil || c.StreamMaxAge != 0 || c.StreamDuplicateWindow != 0,
			`options "streamSubjects", "streamMaxAge" and "streamDuplicateWindow" have a meaning with createStream=true only`)
		return errors.Join(errs...)
	}
	for _, subject := range c.StreamSubjects {
		if err := checkSubject(subject); err != nil {
			errs = append(errs, fmt.Errorf(`option "streamSubjects": %w`, err))
		}
	}
	refuse(c.StreamSubjects != nil && c.Stream == "", `option "streamSubjects": want a name for the stream too, by the option "stream"`)
	refuse(c.StreamMaxAge < 0, `option "streamMaxAge": want 0 (without end) or more, have %v`, c.StreamMaxAge)
	refuse(c.StreamDuplicateWindow < 0, `option "streamDuplicateWindow": want 0 (2m) or more, have %v`, c.StreamDuplicateWindow)
	refuse(c.StreamMaxAge > 0 && c.StreamDuplicateWindow > c.StreamMaxAge,
		`option "streamDuplicateWindow": want at most streamMaxAge, which is %v, have %v`, c.StreamMaxAge, c.StreamDuplicateWindow)
	return errors.Join(errs...)
}

// NewJetStream returns the component for JetStream.
func NewJetStream(o Options) route.Component {
	return &component{options: o, endpoint: streamEndpoint, Publisher: watermill.NewPublisher(func(ctx context.Context) (message.Publisher, error) {
		conn, err := o.connect(ctx)
		if err != nil {
			return nil, err
		}
		js, err := jetstream.New(conn)
		if err != nil {
			conn.Close()
			return nil, err
		}
		return &sender{conn, func(m *message.Message, msg *client.Msg) error { return publish(js, m, msg) }}, nil
	})}
}

type sendingKey struct{}

// publish sends a message and waits until a stream has it.
func publish(js jetstream.JetStream, m *message.Message, msg *client.Msg) error {
	ctx := m.Context()
	cfg, _ := ctx.Value(sendingKey{}).(*JetStreamConfig)
	if cfg != nil && cfg.Deduplicate {
		msg.Header[jetstream.MsgIDHeader] = []string{m.UUID}
	}
	_, err := js.PublishMsg(ctx, msg)
	if errors.Is(err, jetstream.ErrNoStreamResponse) && cfg != nil && cfg.CreateStream {
		if _, err = cfg.stream(ctx, js); err == nil {
			_, err = js.PublishMsg(ctx, msg)
		}
	}
	return err
}

func streamEndpoint(c *component, a route.Address) (route.Endpoint, error) {
	var cfg JetStreamConfig
	if err := a.Decode(&cfg); err != nil {
		return nil, err
	}
	if err := cfg.check(a); err != nil {
		return nil, err
	}
	w := watermill.Wire{
		Address: route.Redact(a.Scheme, cfg), Topic: cfg.Subject,
		Subscriber: func(ctx context.Context) (message.Subscriber, error) { return newPuller(ctx, c.options, cfg) },
		Arrived:    arrived,
		Leaving: func(ctx context.Context, _ *route.Exchange, m *message.Message) error {
			m.SetContext(context.WithValue(ctx, sendingKey{}, &cfg))
			return nil
		},
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

// stream returns the stream of the subject.
func (c *JetStreamConfig) stream(ctx context.Context, js jetstream.JetStream) (jetstream.Stream, error) {
	name := c.Stream
	if name == "" {
		found, err := js.StreamNameBySubject(ctx, c.Subject)
		switch {
		case err == nil:
			name = found
		case !c.CreateStream || !errors.Is(err, jetstream.ErrStreamNotFound):
			return nil, fmt.Errorf("stream of subject %q: %w", c.Subject, err)
		default:
			name = strings.NewReplacer(".", "_", "*", "_", ">", "_", "/", "_", "\\", "_").Replace(c.Subject)
		}
	}
	stream, err := js.Stream(ctx, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) && c.CreateStream {
		wanted := jetstream.StreamConfig{Name: name, Subjects: c.StreamSubjects, MaxAge: c.StreamMaxAge, Duplicates: c.StreamDuplicateWindow}
		if wanted.Subjects == nil {
			wanted.Subjects = []string{c.Subject}
		}
		stream, err = js.CreateStream(ctx, wanted)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // someone else was faster
			stream, err = js.Stream(ctx, name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("stream %q: %w", name, err)
	}
	return stream, nil
}
