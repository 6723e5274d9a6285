package kafka

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mehari-go/mehari/route"
)

// Headers with what Kafka tells about a message.
var (
	Topic     = route.NewKey[string]("CamelKafkaTopic")
	Partition = route.NewKey[int32]("CamelKafkaPartition")
	Offset    = route.NewKey[int64]("CamelKafkaOffset")
	Timestamp = route.NewKey[time.Time]("CamelKafkaTimestamp")
)

// Key is the header with the key of a message, both ways. One without a key has no header.
// What is sent goes to the partition that belongs to its key, and without one to any.
var Key = route.NewKey[string]("CamelKafkaKey")

// PartitionKey is the header with the number of the partition that a message is to be sent
// to, whatever its key is.
var PartitionKey = route.NewKey[int32]("CamelKafkaPartitionKey")

// uuidHeader is that of Watermill's adapter, so that both understand each other.
const uuidHeader = "_watermill_message_uuid"

// anyPartition leaves the choice to the partitioner.
const anyPartition = -1

// sending is what the publisher is told about a message besides what is in it.
type sending struct {
	config    *Config
	key       []byte
	partition int32
}

type sendingKey struct{}

// leaving tells the publisher where a message goes.
func (c *Config) leaving(ctx context.Context, ex *route.Exchange, m *message.Message) error {
	if _, ok := m.Metadata[uuidHeader]; ok {
		return fmt.Errorf("header %q: the UUID of a message travels under that name: want the header CamelMessageUUID", uuidHeader)
	}
	to := &sending{config: c, partition: anyPartition}
	for _, name := range []string{c.KeyHeader, Key.Name()} {
		if name == "" {
			continue
		}
		if v := ex.Header(name); v != nil {
			key, err := route.As[string](ctx, ex, v)
			if err != nil {
				return fmt.Errorf("key: header %q: %w", name, err)
			}
			to.key = []byte(key)
			break
		}
	}
	if v := ex.Header(PartitionKey.Name()); v != nil {
		n, err := route.As[int32](ctx, ex, v)
		if err == nil && n < 0 {
			err = errors.New("want a number from 0")
		}
		if err != nil {
			return fmt.Errorf("partition: header %q is %v: %w", PartitionKey.Name(), v, err)
		}
		to.partition = n
	}
	m.SetContext(context.WithValue(ctx, sendingKey{}, to))
	return nil
}

// encode returns a message as a record.
func encode(topic string, m *message.Message) *kgo.Record {
	r := &kgo.Record{Topic: topic, Value: m.Payload, Partition: anyPartition, Headers: make([]kgo.RecordHeader, 0, len(m.Metadata)+1)}
	if to, _ := m.Context().Value(sendingKey{}).(*sending); to != nil {
		r.Key, r.Partition = to.key, to.partition
	}
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: uuidHeader, Value: []byte(m.UUID)})
	for name, value := range m.Metadata {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: name, Value: []byte(value)})
	}
	return r
}

type recordKey struct{}

// decode returns a record as a message. Of headers with the same name the last counts.
func decode(r *kgo.Record) *message.Message {
	m := message.NewMessageWithContext(context.WithValue(context.Background(), recordKey{}, r), "", r.Value)
	for _, h := range r.Headers {
		if h.Key == uuidHeader {
			m.UUID = string(h.Value)
			continue
		}
		m.Metadata[h.Key] = string(h.Value)
	}
	return m
}

// arrived stores what Kafka tells about a message.
func arrived(_ context.Context, m *message.Message, ex *route.Exchange) {
	r, _ := m.Context().Value(recordKey{}).(*kgo.Record)
	if r == nil {
		return
	}
	Topic.Set(ex, r.Topic)
	Partition.Set(ex, r.Partition)
	Offset.Set(ex, r.Offset)
	Timestamp.Set(ex, r.Timestamp)
	if r.Key != nil {
		Key.Set(ex, string(r.Key))
	}
}

// valueOf returns what the header called name has, or the key if it is that which is asked for.
func valueOf(r *kgo.Record, name string) []byte {
	if strings.EqualFold(name, Key.Name()) {
		return r.Key
	}
	var value []byte
	for _, h := range r.Headers {
		if strings.EqualFold(h.Key, name) {
			value = h.Value
		}
	}
	return value
}

// A partitioner is that of Kafka's own clients, unless a record says where it goes.
type partitioner struct{ kgo.Partitioner }

func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	return topicPartitioner{p.Partitioner.ForTopic(topic)}
}

type topicPartitioner struct{ kgo.TopicPartitioner }

// RequiresConsistency implements [kgo.TopicPartitioner].
func (p topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition != anyPartition || p.TopicPartitioner.RequiresConsistency(r)
}

// Partition implements [kgo.TopicPartitioner].
func (p topicPartitioner) Partition(r *kgo.Record, n int) int {
	if r.Partition != anyPartition {
		return int(r.Partition)
	}
	return p.TopicPartitioner.Partition(r, n)
}

// OnNewBatch implements [kgo.TopicPartitionerOnNewBatch].
func (p topicPartitioner) OnNewBatch() {
	if p, ok := p.TopicPartitioner.(kgo.TopicPartitionerOnNewBatch); ok {
		p.OnNewBatch()
	}
}
