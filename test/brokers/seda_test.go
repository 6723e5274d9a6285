package brokers

import (
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/mehari-go/mehari/components/seda"
	"github.com/mehari-go/mehari/route"
)

// Those parts of Watermill's suite that apply to queues within a process. A seda queue has
// one consumer and is gone with its component, and a message that fails comes again because
// the error handler of the route says so.
//
// What does not apply: TestContinueAfterSubscribeClose, TestConcurrentClose and
// TestNewSubscriberReceivesOldMessages (nothing is kept for those who come later),
// TestSubscribeCtx (a route that stops empties its queue first, and does not leave it to the
// next one), TestContinueAfterErrors (subscribes a second time while the first subscription
// goes on), TestConsumerGroups and TestReconnect (there are none, and no server).
func TestSedaSuite(t *testing.T) {
	features := tests.Features{ExactlyOnceDelivery: true, GuaranteedOrder: true, RequireSingleInstance: true}
	for name, test := range map[string]func(*testing.T, tests.TestContext, tests.PubSubConstructor){
		"PublishSubscribe":                  tests.TestPublishSubscribe,
		"ConcurrentSubscribe":               tests.TestConcurrentSubscribe,
		"ConcurrentSubscribeMultipleTopics": tests.TestConcurrentSubscribeMultipleTopics,
		"PublishSubscribeInOrder":           tests.TestPublishSubscribeInOrder,
		"ResendOnError":                     tests.TestResendOnError,
		"NoAck":                             tests.TestNoAck,
		"PublisherClose":                    tests.TestPublisherClose,
		"Topic":                             tests.TestTopic,
		"MessageCtx":                        tests.TestMessageCtx,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, tests.TestContext{TestID: tests.NewTestID(), Features: features}, inProcess)
		})
	}
}

// inProcess makes a pair with queues of its own.
func inProcess(t *testing.T) (message.Publisher, message.Subscriber) {
	t.Helper()
	component := seda.New()
	uri := func(topic string) route.URI { return route.URI("b:" + topic + "?size=20000") }
	return bridge{
		component: func() route.Component { return component },
		from:      uri, to: uri, silent: true,
		drain: time.Second, // whoever has sent waits for what is in the queue
		routes: route.Configuration{ErrorHandler: &route.ErrorHandler{
			Redelivery: route.Redelivery{Maximum: -1, Delay: time.Millisecond, NotWhileStopping: true},
		}},
	}.pubSub(t)
}
