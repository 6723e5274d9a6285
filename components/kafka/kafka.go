// Package kafka consumes from and sends to Apache Kafka:
//
//	components["kafka"] = kafka.New(kafka.Options{Brokers: []string{"one:9092", "two:9092"}})
//
//	route.From("kafka:orders?groupId=billing&concurrentConsumers=8").To("kafka:invoices?keyHeader=customer")
//
// It stands on components/watermill, where it is told what happens to a message; it speaks
// to the client of Kafka directly, and the messages have the form of Watermill's own adapter.
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// Options say how to connect and how to send. Each route that consumes has a client, and all
// that send share one.
type Options struct {
	// Brokers are host:port of some of the brokers, from which the others are learnt; nil
	// means 127.0.0.1:9092.
	Brokers []string

	// ClientID is shown in the logs and metrics of the brokers; "" means mehari.
	ClientID string

	// TLS is for connections over TLS; nil means without.
	TLS *tls.Config

	// Mechanism is how to authenticate; "" means not at all.
	Mechanism Mechanism

	// Username and Password are who to authenticate as.
	Username, Password string

	// ConnectTimeout is how long it may take to connect to a broker; 0 means 10s.
	ConnectTimeout time.Duration

	// Acks is who must have what is sent before it counts as sent; "" means all replicas
	// that are in sync.
	Acks Acks

	// DisableIdempotence lets the client's own repeats arrive twice and out of order, which
	// the brokers prevent otherwise if Acks are all. Brokers before 3.0 need a right for that.
	DisableIdempotence bool

	// Compression is how what is sent is compressed; "" means not at all.
	Compression Compression

	// Linger is how long a record may wait for others that are sent with it; 0 means not
	// at all: those that are sent at the same time still share a request.
	Linger time.Duration

	// MaxMessageBytes is how large a record that is sent may be, key and headers included,
	// before compression; 0 means 1000012, which is what brokers take by default.
	MaxMessageBytes int

	// DeliveryTimeout is how long it may take to send, repeats included; 0 means 2m.
	DeliveryTimeout time.Duration

	// Client are more options of the client. They have the last word.
	Client []kgo.Opt
}

// A Mechanism is how to authenticate by SASL.
type Mechanism string

// The mechanisms. Plain sends the password: use it with TLS.
const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
)

// Acks is who must have a record before it counts as sent.
type Acks string

// Who must have it.
const (
	AcksAll    Acks = "all"    // every replica that is in sync
	AcksLeader Acks = "leader" // the leader of the partition only: a record is lost with it
	AcksNone   Acks = "none"   // nobody: what is lost is not noticed
)

var acks = map[Acks]kgo.Acks{"": kgo.AllISRAcks(), AcksAll: kgo.AllISRAcks(), AcksLeader: kgo.LeaderAck(), AcksNone: kgo.NoAck()}

// Compression is how batches of records are compressed.
type Compression string

// The ways.
const (
	CompressionNone   Compression = "none"
	CompressionGzip   Compression = "gzip"
	CompressionSnappy Compression = "snappy"
	CompressionLZ4    Compression = "lz4"
	CompressionZstd   Compression = "zstd"
)

var codecs = map[Compression]kgo.CompressionCodec{
	"": kgo.NoCompression(), CompressionNone: kgo.NoCompression(), CompressionGzip: kgo.GzipCompression(),
	CompressionSnappy: kgo.SnappyCompression(), CompressionLZ4: kgo.Lz4Compression(), CompressionZstd: kgo.ZstdCompression(),
}

const (
	defaultBroker          = "127.0.0.1:9092"
	defaultConnectTimeout  = 10 * time.Second
	defaultMaxMessageBytes = 1000012
	leastMaxMessageBytes   = 1024
	maxMaxMessageBytes     = 100 << 20
	defaultDeliveryTimeout = 2 * time.Minute
	leastDeliveryTimeout   = time.Second // the client's least
)

// check returns all that is wrong.
func (o Options) check() error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("kafka.Options."+format, args...))
		}
	}
	for i, broker := range o.Brokers {
		refuse(!isBroker(broker), "Brokers[%d]: want host:port", i) // it may have a password in it
	}
	switch o.Mechanism {
	case "":
		refuse(o.Username != "" || o.Password != "", "Mechanism: want %s, %s or %s, since there is a Username or a Password", Plain, ScramSHA256, ScramSHA512)
	case Plain, ScramSHA256, ScramSHA512:
		refuse(o.Username == "" || o.Password == "", "Mechanism: %s needs a Username and a Password", o.Mechanism)
	default:
		refuse(true, "Mechanism: want %s, %s or %s, have %q", Plain, ScramSHA256, ScramSHA512, o.Mechanism)
	}
	_, known := acks[o.Acks]
	refuse(!known, "Acks: want %s, %s or %s, have %q", AcksAll, AcksLeader, AcksNone, o.Acks)
	_, known = codecs[o.Compression]
	refuse(!known, "Compression: want %s, %s, %s, %s or %s, have %q", CompressionNone, CompressionGzip, CompressionSnappy, CompressionLZ4, CompressionZstd, o.Compression)
	refuse(o.ConnectTimeout < 0, "ConnectTimeout: want a duration that is not negative, have %v", o.ConnectTimeout)
	refuse(o.Linger < 0 || o.Linger > time.Minute, "Linger: want 0 to 1m, have %v", o.Linger)
	refuse(o.MaxMessageBytes != 0 && (o.MaxMessageBytes < leastMaxMessageBytes || o.MaxMessageBytes > maxMaxMessageBytes),
		"MaxMessageBytes: want %d to %d, have %d", leastMaxMessageBytes, maxMaxMessageBytes, o.MaxMessageBytes)
	refuse(o.DeliveryTimeout != 0 && o.DeliveryTimeout < leastDeliveryTimeout, "DeliveryTimeout: want at least %v, have %v", leastDeliveryTimeout, o.DeliveryTimeout)
	return errors.Join(errs...)
}

func isBroker(text string) bool {
	host, port, err := net.SplitHostPort(text)
	n, bad := strconv.ParseUint(port, 10, 16)
	return err == nil && bad == nil && n > 0 && host != "" && !strings.ContainsAny(host, "/@, ")
}

// metadataMinAge is how often the client asks who leads what while something is wrong with
// it: it waits for 5s by default, as long as it takes brokers to choose.
const metadataMinAge = 500 * time.Millisecond

// connect makes a client and tells whether it reaches a broker that lets it in. The client
// connects again by itself once it has.
func (o Options) connect(ctx context.Context, more ...kgo.Opt) (*kgo.Client, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	client, err := o.client(more...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*o.connectTimeout())
	defer cancel()
	if err := client.Ping(ctx); err != nil {
		client.Close()
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: brokers hang up when the user, the password or the use of TLS is wrong", err)
		}
		return nil, fmt.Errorf("connect: %w", failed(ctx, err))
	}
	return client, nil
}

func (o Options) client(more ...kgo.Opt) (*kgo.Client, error) {
	brokers, id := o.Brokers, o.ClientID
	if len(brokers) == 0 {
		brokers = []string{defaultBroker}
	}
	if id == "" {
		id = "mehari"
	}
	opts := []kgo.Opt{kgo.SeedBrokers(brokers...), kgo.ClientID(id), kgo.DialTimeout(o.connectTimeout()), kgo.DisableClientMetrics(), kgo.MetadataMinAge(metadataMinAge)}
	if o.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(o.TLS))
	}
	if m := o.mechanism(); m != nil {
		opts = append(opts, kgo.SASL(m))
	}
	opts = append(opts, more...)
	return kgo.NewClient(append(opts, o.Client...)...)
}

func (o Options) connectTimeout() time.Duration {
	if o.ConnectTimeout == 0 {
		return defaultConnectTimeout
	}
	return o.ConnectTimeout
}

func (o Options) mechanism() sasl.Mechanism {
	switch o.Mechanism {
	case Plain:
		return plain.Auth{User: o.Username, Pass: o.Password}.AsMechanism()
	case ScramSHA256:
		return scram.Auth{User: o.Username, Pass: o.Password}.AsSha256Mechanism()
	case ScramSHA512:
		return scram.Auth{User: o.Username, Pass: o.Password}.AsSha512Mechanism()
	}
	return nil
}

// New returns the component.
func New(o Options) route.Component {
	return &component{options: o, Publisher: watermill.NewPublisher(func(ctx context.Context) (message.Publisher, error) {
		return newPublisher(ctx, o)
	})}
}

// A component makes endpoints of topics.
type component struct {
	*watermill.Publisher // shared, and closed with the last engine
	options              Options
}

var _ route.Lifecycle = (*component)(nil)
