//go:build linux

package brokers

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	library "github.com/ThreeDotsLabs/watermill"
	adapter "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mehari-go/mehari/components/kafka"
	"github.com/mehari-go/mehari/route"
)

// kafkaTopics has topics with so many partitions. Watermill's suite has members join that take
// messages and do not finish them until all have joined: there is no point in waiting for those.
func kafkaTopics(k *kafkaBroker, group string, partitions int) bridge {
	return bridge{
		component: func() route.Component { return kafka.New(k.options()) },
		from: func(topic string) route.URI {
			return route.URI(fmt.Sprintf("b:%s?createTopic=true&partitions=%d&autoOffsetReset=earliest&redeliveryDelay=-1ms&sessionTimeout=2s&rebalanceTimeout=1s&concurrentConsumers=%[2]d&groupId=%[3]s-%[1]s",
				topic, partitions, group))
		},
		to: func(topic string) route.URI {
			return route.URI(fmt.Sprintf("b:%s?createTopic=true&partitions=%d", topic, partitions))
		},
	}
}

func TestKafkaSuite(t *testing.T) {
	k := kafkaServer(t)
	for _, partitions := range []int{1, 4} {
		t.Run(fmt.Sprint(partitions), func(t *testing.T) {
			if testing.Short() && partitions == 1 {
				t.Skip("in -short mode with several partitions only")
			}
			group := func(name string) bridge { return kafkaTopics(k, fmt.Sprint(name, "-", partitions), partitions) }
			tests.TestPubSub(t, tests.Features{
				ConsumerGroups: true, Persistent: true, GuaranteedOrder: partitions == 1,
			}, group("all").pubSub, func(t *testing.T, name string) (message.Publisher, message.Subscriber) {
				return group(name).pubSub(t)
			})
		})
	}
}

func TestKafkaRoundTrip(t *testing.T) {
	k := kafkaServer(t)
	roundTrip(t, kafka.New(k.options()), "b:trip?createTopic=true&groupId=g", "b:trip")
	roundTrip(t, kafka.New(k.options()), "b:everyone?createTopic=true&partitions=3", "b:everyone")
}

// oldest has Sarama begin with the first message.
func oldest() *sarama.Config {
	c := adapter.DefaultSaramaSubscriberConfig()
	c.Version = sarama.V3_6_0_0
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	return c
}

// Watermill's adapter understands what is sent, and the other way round.
func TestKafkaAdapterUnderstands(t *testing.T) {
	k := kafkaServer(t)
	kafkaTopic(t, k, "ours", 1)
	kafkaTopic(t, k, "theirs", 1)
	s, err := adapter.NewSubscriber(adapter.SubscriberConfig{Brokers: k.options().Brokers, ConsumerGroup: "adapter", OverwriteSaramaConfig: oldest(), Unmarshaler: adapter.DefaultMarshaler{}}, library.NopLogger{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, err := s.Subscribe(t.Context(), "theirs")
	if err != nil {
		t.Fatal(err)
	}
	byKey := adapter.NewWithPartitioningMarshaler(func(string, *message.Message) (string, error) { return "key", nil })
	p, err := adapter.NewPublisher(adapter.PublisherConfig{Brokers: k.options().Brokers, Marshaler: byKey}, library.NopLogger{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	engine(t, route.Components{"kafka": kafka.New(k.options())}, route.From("kafka:ours?groupId=ours&autoOffsetReset=earliest").To("kafka:theirs"))
	sent := message.NewMessage("order-7", []byte("\x00\xff"))
	for name, value := range freeForm {
		sent.Metadata[name] = value.(string)
	}
	sent.Metadata["long"] = strings.Repeat("x", 70000)
	if err := p.Publish("ours", sent); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-in:
		if key, _ := adapter.MessageKeyFromCtx(got.Context()); string(key) != "key" {
			t.Errorf("the key is %q", key)
		}
		got.Ack()
		if !got.Equals(sent) {
			t.Errorf("have %+v", got)
		}
	case <-time.After(time.Minute):
		t.Fatal("no message comes")
	}
}

// kafkaTopic makes a topic.
func kafkaTopic(t testing.TB, k *kafkaBroker, name string, partitions int32) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(k.options().Brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := kadm.NewClient(c).CreateTopic(t.Context(), partitions, 1, nil, name); err != nil {
		t.Fatal(err)
	}
}

var warm sync.Once

// kafkaWarm gives the broker something to do: it is several times as fast then.
func kafkaWarm(t *testing.T, k *kafkaBroker) {
	t.Helper()
	warm.Do(func() {
		kafkaTopic(t, k, "warm", 8)
		e := engine(t, route.Components{"kafka": kafka.New(k.options())}, route.From("kafka:unused").AutoStart(false))
		inParallel(8, 10000, func(int) error { return e.Send(t.Context(), "kafka:warm", make([]byte, payload)) }, t)
	})
}

func TestKafkaThroughput(t *testing.T) {
	for _, consumers := range []int{1, 8} {
		t.Run(fmt.Sprint(consumers), func(t *testing.T) {
			k := kafkaServer(t)
			c := contest{bridge: kafkaTopics(k, "bench", consumers), consumers: consumers, subscribers: 1}
			c.prepare = func(t *testing.T, topic string) {
				kafkaWarm(t, k)
				kafkaTopic(t, k, topic, int32(consumers))
			}
			c.bare = func(t *testing.T) (message.Publisher, message.Subscriber) {
				p, err := adapter.NewPublisher(adapter.PublisherConfig{Brokers: k.options().Brokers}, library.NopLogger{})
				if err != nil {
					t.Fatal(err)
				}
				s, err := adapter.NewSubscriber(adapter.SubscriberConfig{Brokers: k.options().Brokers, ConsumerGroup: "bare", OverwriteSaramaConfig: oldest()}, library.NopLogger{})
				if err != nil {
					t.Fatal(err)
				}
				return p, s
			}
			c.run(t, 3000, 3)
		})
	}
}
