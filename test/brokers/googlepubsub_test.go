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

// Of Watermill's suite all that applies but TestSubscribeCtx: what the service has sent in the
// moment in which a consumer stops comes again after the ackDeadline, ten seconds at least, and
// that test waits for fifteen. Order is kept by key only.
func TestGooglePubSubSuite(t *testing.T) {
	address := pubSubServer(t)
	groups := func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
		p, s := pubSubBridge(address, group).pubSub(t)
		return p, declarer{s.(*taker)}
	}
	pair := func(t *testing.T) (message.Publisher, message.Subscriber) { return groups(t, "all") }
	context := func() tests.TestContext {
		return tests.TestContext{TestID: tests.NewTestID(), Features: tests.Features{
			ConsumerGroups: true, Persistent: true, ForceShort: true,
			GenerateTopicFunc: func(c tests.TestContext) string { return "t" + strings.ReplaceAll(string(c.TestID), "/", "_") },
		}}
	}
	for name, test := range map[string]func(*testing.T, tests.TestContext, tests.PubSubConstructor){
		"PublishSubscribe":                  tests.TestPublishSubscribe,
		"ConcurrentSubscribe":               tests.TestConcurrentSubscribe,
		"ConcurrentSubscribeMultipleTopics": tests.TestConcurrentSubscribeMultipleTopics,
		"ResendOnError":                     tests.TestResendOnError,
		"NoAck":                             tests.TestNoAck,
		"ContinueAfterSubscribeClose":       tests.TestContinueAfterSubscribeClose,
		"ConcurrentClose":                   tests.TestConcurrentClose,
		"ContinueAfterErrors":               tests.TestContinueAfterErrors,
		"PublisherClose":                    tests.TestPublisherClose,
		"Topic":                             tests.TestTopic,
		"MessageCtx":                        tests.TestMessageCtx,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, context(), pair)
		})
	}
	t.Run("ConsumerGroups", func(t *testing.T) {
		t.Parallel()
		tests.TestConsumerGroups(t, context(), groups)
	})
}

func TestGooglePubSubRoundTrip(t *testing.T) {
	address := pubSubServer(t)
	roundTrip(t, pubSubAt(address), "b:orders?createTopic=true&createSubscription=true", "b:orders?createTopic=true")
}

// makeSubscription makes the subscription of an endpoint, and returns an engine that can send.
func makeSubscription(t *testing.T, address string, u route.URI) *route.Engine {
	t.Helper()
	e := engine(t, route.Components{"googlepubsub": pubSubAt(address)}, route.From(u).ID("first"))
	eventually(t, e.Ready)
	if err := e.Stop(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	return e
}

// The checks of consumers, which take as long as a goroutine of Google's library takes to end:
// ten seconds each.
func TestGooglePubSubConsumer(t *testing.T) {
	if testing.Short() {
		t.Skip("80 s: without -short")
	}
	address := pubSubServer(t)
	const u = "googlepubsub:orders?createTopic=true&createSubscription=true&redeliveryDelay=-1ms"
	makeSubscription(t, address, u) // a goroutine of the fake lives as long as it does
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
	e := makeSubscription(t, address, "googlepubsub:kill?createTopic=true&createSubscription=true")
	killConsumers(t, "googlepubsub", address, count(3000), func(i int) error { return e.Send(t.Context(), "googlepubsub:kill", i) })
}
