package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// Config is everything an endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Topic is what is consumed and sent to.
	Topic string `uri:".,required"`

	// GroupID is the consumer group: its members share the partitions of the topic, and
	// its place in them outlives them. Without one a route gets all partitions from where
	// AutoOffsetReset says, each time that it starts, and commits nothing.
	GroupID string `uri:"groupId"`

	// AutoOffsetReset says where to begin in a partition in which the group has no place, or
	// one that is gone; "" means latest. A group that begins at the latest commits so at once, and reads
	// partitions that are added to the topic later from their beginning.
	AutoOffsetReset OffsetReset `uri:"autoOffsetReset"`

	// CommitInterval is how often the group's place is stored; 0 means 1s. What was done
	// since comes again after a crash.
	CommitInterval time.Duration `uri:"commitInterval"`

	// SessionTimeout is how long the group waits for a sign of life of a member; 0 means
	// 45s. The brokers refuse what is below 6s or above 30m unless they are told otherwise.
	SessionTimeout time.Duration `uri:"sessionTimeout"`

	// RebalanceTimeout is how long the group waits for its members when partitions change
	// hands; 0 means 1m. Half of it is what messages that are worked on have to finish in,
	// so as not to come again to the next member.
	RebalanceTimeout time.Duration `uri:"rebalanceTimeout"`

	// Prefetch is how many messages of one partition are taken in advance; 0 means 500.
	// There are twice as many for a moment.
	Prefetch int `uri:"prefetch"`

	// FetchMaxBytes is how many bytes one answer of a broker may have; 0 means 52428800,
	// 50 MiB. A record that is larger comes all the same.
	FetchMaxBytes int `uri:"fetchMaxBytes"`

	// MaxPartitionFetchBytes is how many of them may be of one partition; 0 means 1048576,
	// 1 MiB.
	MaxPartitionFetchBytes int `uri:"maxPartitionFetchBytes"`

	// MetadataMaxAge is how long it may take until partitions that are added to the topic
	// are noticed; 0 means 5m.
	MetadataMaxAge time.Duration `uri:"metadataMaxAge"`

	// CreateTopic makes the topic if there is none. Without it a topic that is not there is
	// an error, also where the brokers are set up to make topics that are asked for.
	CreateTopic bool `uri:"createTopic"`

	// Partitions is how many partitions a topic that is made has; 0 means the brokers'
	// default.
	Partitions int `uri:"partitions"`

	// Replication is how many brokers have each of them; 0 means the brokers' default.
	Replication int `uri:"replication"`

	// KeyHeader names a header. What is sent has its value as key, and so goes to the
	// partition of that key. A consumer works on the messages of one partition with
	// different values at the same time; CamelKafkaKey stands for the key there.
	KeyHeader string `uri:"keyHeader"`

	// ConcurrentConsumers is how many messages are worked on at a time, each of another
	// partition, or of another key where there is a KeyHeader; 0 means 1.
	// Together they are one member of the group.
	ConcurrentConsumers int `uri:"concurrentConsumers"`

	// See [watermill.Taking]. A message that is given back comes again, before the others
	// of its partition, or of its key.

	MaximumRedeliveries int           `uri:"maximumRedeliveries"`
	RedeliveryDelay     time.Duration `uri:"redeliveryDelay"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("kafka", c) }

// OffsetReset says where to begin in a partition.
type OffsetReset string

// The places.
const (
	Earliest OffsetReset = "earliest" // with what the brokers still have
	Latest   OffsetReset = "latest"   // with what is sent from then on
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *OffsetReset) UnmarshalText(text []byte) error {
	switch v := OffsetReset(text); v {
	case Earliest, Latest:
		*r = v
		return nil
	}
	return fmt.Errorf("want %s or %s, have %q", Earliest, Latest, text)
}

const (
	defaultCommitInterval   = time.Second
	leastCommitInterval     = 100 * time.Millisecond // the client's least
	defaultSessionTimeout   = 45 * time.Second
	leastSessionTimeout     = time.Second
	defaultRebalanceTimeout = time.Minute
	defaultPrefetch         = 500
	maxPrefetch             = 1 << 20
	defaultFetchBytes       = 50 << 20
	defaultPartitionBytes   = 1 << 20
	leastFetchBytes         = 1024
	maxFetchBytes           = 100 << 20
	defaultMetadataMaxAge   = 5 * time.Minute
	leastMetadataMaxAge     = time.Second
	maxPartitions           = 100_000
	maxReplication          = 1000
	maxConsumers            = 10000
)

// topicName is what Kafka takes as the name of a topic.
var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// check returns all that is wrong.
func (c Config) check(a route.Address) error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	has := a.Options.Has
	refuse(!topicName.MatchString(c.Topic) || c.Topic == "." || c.Topic == "..",
		"path: want a topic of at most 249 letters, digits, dots, underscores and hyphens, have %q", c.Topic)
	for _, n := range []struct {
		name           string
		v, least, most int
	}{
		{"prefetch", c.Prefetch, 1, maxPrefetch},
		{"fetchMaxBytes", c.FetchMaxBytes, leastFetchBytes, maxFetchBytes},
		{"maxPartitionFetchBytes", c.MaxPartitionFetchBytes, leastFetchBytes, maxFetchBytes},
		{"partitions", c.Partitions, 1, maxPartitions},
		{"replication", c.Replication, 1, maxReplication},
		{"concurrentConsumers", c.ConcurrentConsumers, 1, maxConsumers},
	} {
		refuse(has(n.name) && (n.v < n.least || n.v > n.most), "option %q: want %d to %d, have %d", n.name, n.least, n.most, n.v)
	}
	for _, d := range []struct {
		name     string
		v, least time.Duration
	}{
		{"commitInterval", c.CommitInterval, leastCommitInterval},
		{"sessionTimeout", c.SessionTimeout, leastSessionTimeout},
		{"rebalanceTimeout", c.RebalanceTimeout, leastSessionTimeout},
		{"metadataMaxAge", c.MetadataMaxAge, leastMetadataMaxAge},
	} {
		refuse(has(d.name) && d.v < d.least, "option %q: want at least %v, have %v", d.name, d.least, d.v)
		refuse(d.name != "metadataMaxAge" && has(d.name) && c.GroupID == "", "option %q: is for members of a group: want %q too", d.name, "groupId")
	}
	for _, name := range []string{"partitions", "replication"} {
		refuse(has(name) && !c.CreateTopic, "option %q: is for a topic that is made: want createTopic=true too", name)
	}
	total, part := cmp.Or(c.FetchMaxBytes, defaultFetchBytes), cmp.Or(c.MaxPartitionFetchBytes, defaultPartitionBytes)
	refuse(has("maxPartitionFetchBytes") && part > total, `option "maxPartitionFetchBytes": want at most fetchMaxBytes, %d, have %d`, total, part)
	return errors.Join(errs...)
}

// Endpoint implements [route.Component].
func (c *component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := a.Decode(&cfg); err != nil {
		return nil, errors.Join(c.options.check(), err)
	}
	if err := errors.Join(c.options.check(), cfg.check(a)); err != nil {
		return nil, err
	}
	w := watermill.Wire{
		Address: route.Redact(a.Scheme, cfg), Topic: cfg.Topic,
		Subscriber: func(ctx context.Context) (message.Subscriber, error) {
			return newSubscriber(ctx, c.options, cfg, env.Logger)
		},
		Publisher: c.Publisher,
		Arrived:   arrived,
		Leaving:   cfg.leaving,
		Taking: watermill.Taking{ // the subscriber looks after the order by key
			ConcurrentConsumers: cfg.ConcurrentConsumers, MaximumRedeliveries: cfg.MaximumRedeliveries, RedeliveryDelay: cfg.RedeliveryDelay,
		},
	}
	return w.Endpoint(a)
}
