package brokers

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	library "github.com/ThreeDotsLabs/watermill"
	adapter "github.com/ThreeDotsLabs/watermill-aws/sqs"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/mehari-go/mehari/components/awssqs"
	"github.com/mehari-go/mehari/route"
)

// amazonConfig is what a client needs to speak to a server that asks nobody who he is.
func amazonConfig() aws.Config {
	return aws.Config{
		Region: "us-east-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "key", SecretAccessKey: "s3cret"}, nil
		}),
	}
}

func queues(url string) awssqs.Options { return awssqs.Options{AWS: amazonConfig(), Endpoint: url} }

func sqsBridge(url, end string) bridge {
	return bridge{
		component: func() route.Component { return awssqs.New(queues(url)) },
		from: func(topic string) route.URI {
			return route.URI("b:" + topic + end + "?autoCreateQueue=true&redeliveryDelay=-1ms&waitTimeSeconds=1")
		},
		to: func(topic string) route.URI { return route.URI("b:" + topic + end + "?autoCreateQueue=true") },
	}
}

func TestSQS(t *testing.T) {
	url := newElasticMQ(t, false).url()
	for name, test := range map[string]func(*testing.T, string){
		"suite": sqsSuite, "round trip": sqsRoundTrip, "slow": sqsSlow, "gives back": sqsGivesBack, "order": sqsOrder, "nack": sqsNackVisibility, "restart": sqsRestart,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, url)
		})
	}
}

func sqsSuite(t *testing.T, url string) {
	for _, end := range []string{"", ".fifo"} {
		t.Run("queue"+end, func(t *testing.T) {
			tests.TestPubSub(t, tests.Features{
				Persistent: true, GuaranteedOrder: end != "", GuaranteedOrderWithSingleSubscriber: end != "", ForceShort: true,
				GenerateTopicFunc: func(c tests.TestContext) string { return "t" + strings.ReplaceAll(string(c.TestID), "/", "_") },
			}, sqsBridge(url, end).pubSub, nil)
		})
	}
}

func sqsRoundTrip(t *testing.T, url string) {
	roundTrip(t, awssqs.New(queues(url)), "b:orders?autoCreateQueue=true", "b:orders")
	roundTrip(t, awssqs.New(queues(url)), "b:o.fifo?autoCreateQueue=true", "b:o.fifo")
}

// What is worked on for longer than it is invisible does not come twice, and what waits
// behind it neither.
func sqsSlow(t *testing.T, url string) {
	var n atomic.Int64
	e := engine(t, route.Components{"sqs": awssqs.New(queues(url))},
		route.From("sqs:slow?autoCreateQueue=true&visibilityTimeout=3s&concurrentConsumers=2").Process(func(context.Context, *route.Exchange) error {
			n.Add(1)
			time.Sleep(2 * time.Second)
			return nil
		}))
	for i := range 6 {
		if err := e.Send(t.Context(), "sqs:slow", i); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(11 * time.Second)
	if n.Load() != 6 {
		t.Errorf("6 messages came %d times", n.Load())
	}
}

// What was taken in advance is given back at the stop of a route, not after its time.
func sqsGivesBack(t *testing.T, url string) {
	for _, name := range []string{"back", "back.fifo"} {
		var n atomic.Int64
		var mu sync.Mutex
		var order []string
		record := func(_ context.Context, ex *route.Exchange) error {
			mu.Lock()
			order = append(order, string(ex.Body.([]byte)))
			mu.Unlock()
			if n.Add(1) > 5 {
				time.Sleep(50 * time.Millisecond)
			}
			return nil
		}
		uri := route.URI("sqs:" + name + "?autoCreateQueue=true&visibilityTimeout=1h&concurrentConsumers=2&maxInFlight=2")
		e := engine(t, route.Components{"sqs": awssqs.New(queues(url))},
			route.From(uri).ID("first").Process(record),
			route.From(uri).ID("second").AutoStart(false).Process(record))
		var want []string
		for i := range 60 {
			want = append(want, fmt.Sprintf("%02d", i))
			if err := e.Send(t.Context(), route.URI("sqs:"+name), want[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Stop(t.Context(), "first"); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d before the stop", name, n.Load())
		if err := e.Start("second"); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error {
			if n.Load() != 60 {
				return fmt.Errorf("%s: %d of 60 came", name, n.Load())
			}
			return nil
		})
		if strings.HasSuffix(name, ".fifo") && !slices.Equal(order, want) {
			t.Errorf("the order is %q", order)
		}
	}
}

// A FIFO queue keeps the order of each group, while some of its messages fail, and works on
// several groups at a time.
func sqsOrder(t *testing.T, url string) {
	var mu sync.Mutex
	got := map[string][]string{}
	failed := map[string]bool{}
	e := engine(t, route.Components{"sqs": awssqs.New(queues(url))},
		route.From("sqs:o.fifo?autoCreateQueue=true&concurrentConsumers=2&maxInFlight=3&redeliveryDelay=-1ms&waitTimeSeconds=1").Process(func(_ context.Context, ex *route.Exchange) error {
			mu.Lock()
			defer mu.Unlock()
			body, group := string(ex.Body.([]byte)), ex.Header("CamelAwsSqsMessageGroupId").(string)
			if strings.HasSuffix(body, "3") && !failed[group+body] {
				failed[group+body] = true
				return fmt.Errorf("not yet")
			}
			got[group] = append(got[group], body)
			return nil
		}))
	want := map[string][]string{}
	for i := range 20 {
		for _, group := range []string{"a", "b", "c"} {
			want[group] = append(want[group], fmt.Sprint(i))
			if err := e.Send(t.Context(), "sqs:o.fifo?keyHeader=customer", fmt.Sprint(i), route.WithHeader("customer", group)); err != nil {
				t.Fatal(err)
			}
		}
	}
	eventually(t, func() error {
		mu.Lock()
		defer mu.Unlock()
		if !maps.EqualFunc(got, want, slices.Equal) {
			return fmt.Errorf("have %q", got)
		}
		return nil
	})
}

// A message that is given back stays away as long as it should, and others go on.
func sqsNackVisibility(t *testing.T, url string) {
	type visit struct {
		body  string
		count int
		at    time.Time
	}
	visits := make(chan visit, 100)
	e := engine(t, route.Components{"sqs": awssqs.New(queues(url))},
		route.From("sqs:n?autoCreateQueue=true&nackVisibilityTimeout=2s&redeliveryDelay=-1ms&waitTimeSeconds=1").Process(func(_ context.Context, ex *route.Exchange) error {
			count, _ := awssqs.ReceiveCount.Get(ex)
			visits <- visit{string(ex.Body.([]byte)), count, time.Now()}
			if string(ex.Body.([]byte)) == "bad" && count == 1 {
				return fmt.Errorf("not yet")
			}
			return nil
		}))
	for _, body := range []string{"bad", "good"} {
		if err := e.Send(t.Context(), "sqs:n", body); err != nil {
			t.Fatal(err)
		}
	}
	var first time.Time
	for i, want := range []visit{{"bad", 1, time.Time{}}, {"good", 1, time.Time{}}, {"bad", 2, time.Time{}}} {
		v := <-visits
		if v.body != want.body || v.count != want.count {
			t.Fatalf("visit %d is %v, want %v", i, v, want)
		}
		if i == 0 {
			first = v.at
		}
		if i == 2 && v.at.Sub(first) < 1500*time.Millisecond {
			t.Errorf("it comes again after %v", v.at.Sub(first))
		}
	}
}

// A restart of the server in mid-flow loses nothing.
func sqsRestart(t *testing.T, _ string) {
	s := newElasticMQ(t, true)
	var seen [60]atomic.Bool
	e := engine(t, route.Components{"sqs": awssqs.New(queues(s.url()))},
		route.From("sqs:r?autoCreateQueue=true&visibilityTimeout=3s&waitTimeSeconds=1").Process(func(_ context.Context, ex *route.Exchange) error {
			var n int
			if _, err := fmt.Sscan(string(ex.Body.([]byte)), &n); err != nil {
				return err
			}
			seen[n].Store(true)
			return nil
		}))
	for n := range seen {
		if n == len(seen)/2 {
			time.Sleep(time.Second) // the server writes to its files a little later
			s.stop()
			s.start(t)
		}
		eventually(t, func() error { return e.Send(t.Context(), "sqs:r", n) })
	}
	eventually(t, func() error {
		for n := range seen {
			if !seen[n].Load() {
				return fmt.Errorf("%d did not come", n)
			}
		}
		return nil
	})
}

func TestSQSThroughput(t *testing.T) {
	url := newElasticMQ(t, false).url()
	counts := []int{1, 8}
	if testing.Short() {
		counts = []int{8}
	}
	for _, consumers := range counts {
		t.Run(fmt.Sprint(consumers), func(t *testing.T) {
			c := contest{bridge: sqsBridge(url, ""), consumers: consumers, subscribers: consumers}
			c.from = func(topic string) route.URI {
				return route.URI(fmt.Sprintf("b:%s?autoCreateQueue=true&concurrentConsumers=%d", topic, consumers))
			}
			c.bare = func(t *testing.T) (message.Publisher, message.Subscriber) {
				p, err := adapter.NewPublisher(adapter.PublisherConfig{AWSConfig: amazonConfig(), OptFns: []func(*sqs.Options){func(o *sqs.Options) { o.BaseEndpoint = &url }}}, library.NopLogger{})
				if err != nil {
					t.Fatal(err)
				}
				s, err := adapter.NewSubscriber(adapter.SubscriberConfig{AWSConfig: amazonConfig(), OptFns: []func(*sqs.Options){func(o *sqs.Options) { o.BaseEndpoint = &url }}}, library.NopLogger{})
				if err != nil {
					t.Fatal(err)
				}
				return textual{p}, s
			}
			c.run(t, 200, 3)
		})
	}
}

// textual sends texts: the adapter refuses other bodies.
type textual struct{ message.Publisher }

func (p textual) Publish(topic string, ms ...*message.Message) error {
	for _, m := range ms {
		m.Payload = bytes.Repeat([]byte("x"), payload)
	}
	return p.Publisher.Publish(topic, ms...)
}
