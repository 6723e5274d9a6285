//go:build unix

package brokers

import (
	"strings"
	"testing"

	"cloud.google.com/go/pubsub/v2/pstest"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/mehari-go/mehari/components/googlepubsub"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// pubSubServer runs Google's own fake of the service, and returns its address.
func pubSubServer(t testing.TB) string {
	t.Helper()
	s := pstest.NewServer()
	t.Cleanup(func() { _ = s.Close() })
	return s.Addr
}

func pubSubAt(address string) route.Component {
	return googlepubsub.New(googlepubsub.Options{Project: "shop", Emulator: address})
}

func pubSubBridge(address, group string) bridge {
	return bridge{
		component: func() route.Component { return pubSubAt(address) },
		from: func(topic string) route.URI {
			return route.URI("b:" + topic + "?createTopic=true&createSubscription=true&redeliveryDelay=-1ms&subscription=" + group + "-" + topic)
		},
		to: func(topic string) route.URI { return route.URI("b:" + topic + "?createTopic=true") },
	}
}

func TestGooglePubSubSuite(t *testing.T) {
	t.Parallel()
	address := pubSubServer(t)
	groups := func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
		p, s := pubSubBridge(address, group).pubSub(t)
		return p, declarer{s.(*taker)}
	}
	tests.TestPubSub(t, tests.Features{
		ConsumerGroups: true, Persistent: true, ForceShort: true,
		GenerateTopicFunc: func(c tests.TestContext) string { return "t" + strings.ReplaceAll(string(c.TestID), "/", "_") },
	}, func(t *testing.T) (message.Publisher, message.Subscriber) { return groups(t, "all") }, groups)
}

func TestGooglePubSubRoundTrip(t *testing.T) {
	address := pubSubServer(t)
	roundTrip(t, pubSubAt(address), "b:orders?createTopic=true&createSubscription=true", "b:orders?createTopic=true")
}

// The checks of consumers, which take as long as a goroutine of Google's library takes to end:
// ten seconds each.
func TestGooglePubSubConsumer(t *testing.T) {
	if testing.Short() {
		t.Skip("80 s: without -short")
	}
	address := pubSubServer(t)
	const u = "googlepubsub:orders?createTopic=true&createSubscription=true&redeliveryDelay=-1ms"
	routetest.TestComponent(t, routetest.Harness{
		New:      func() route.Component { return pubSubAt(address) },
		Consumer: u, Producer: u,
		Close: func(c route.Component) { _ = c.(interface{ Close() error }).Close() },
	})
}

// The consumers that are killed hold up to a hundred messages each, which come again after
// the ten seconds that are the least of an ackDeadline.
func TestGooglePubSubKilledConsumersLoseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute: without -short")
	}
	t.Parallel()
	address := pubSubServer(t)
	u := route.URI("ps:kill?createTopic=true&createSubscription=true")
	e := engine(t, route.Components{"ps": pubSubAt(address)}, route.From(u).ID("first"))
	eventually(t, func() error { return e.Ready() }) // there is a subscription
	if err := e.Stop(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	killConsumers(t, "googlepubsub", address, count(3000), func(i int) error { return e.Send(t.Context(), "ps:kill", i) })
}
