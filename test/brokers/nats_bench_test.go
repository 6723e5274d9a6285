package brokers

import (
	"fmt"
	"testing"

	library "github.com/ThreeDotsLabs/watermill"
	adapter "github.com/ThreeDotsLabs/watermill-nats/v2/pkg/nats"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"

	"github.com/mehari-go/mehari/route"
)

func TestJetStreamThroughput(t *testing.T) {
	for _, consumers := range []int{1, 8} {
		t.Run(fmt.Sprint(consumers), func(t *testing.T) {
			_, url := natsServer(t, server.Options{})
			c := contest{bridge: jetStream(url, "bench"), consumers: consumers, subscribers: 1}
			c.from = func(topic string) route.URI {
				return route.URI(fmt.Sprintf("b:%s?durable=bench&concurrentConsumers=%d", topic, consumers))
			}
			c.bare = func(t *testing.T) (message.Publisher, message.Subscriber) {
				js := adapter.JetStreamConfig{AutoProvision: true, DurablePrefix: "bench", SubscribeOptions: []client.SubOpt{client.DeliverAll(), client.AckExplicit()}}
				p, err := adapter.NewPublisher(adapter.PublisherConfig{URL: url, JetStream: js}, library.NopLogger{})
				if err != nil {
					t.Fatal(err)
				}
				s, err := adapter.NewSubscriber(adapter.SubscriberConfig{URL: url, JetStream: js, SubscribersCount: consumers, QueueGroupPrefix: "bench"}, library.NopLogger{})
				if err != nil {
					t.Fatal(err)
				}
				return p, s
			}
			c.run(t, 3000, 3)
		})
	}
}
