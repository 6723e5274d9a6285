package brokers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"

	"github.com/mehari-go/mehari/components/nats"
	"github.com/mehari-go/mehari/route"
)

// natsServer runs a server on a port, 0 for any, and returns its URL.
func natsServer(t testing.TB, o server.Options) (*server.Server, string) {
	t.Helper()
	o.Host, o.JetStream, o.NoSigs, o.NoLog = "127.0.0.1", true, true, true
	if o.Port == 0 {
		o.Port = -1
	}
	if o.StoreDir == "" {
		o.StoreDir = t.TempDir()
	}
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS does not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s, s.ClientURL()
}

func jetStream(url, group string) bridge {
	return bridge{
		component: func() route.Component { return nats.NewJetStream(nats.Options{URL: url}) },
		from: func(topic string) route.URI {
			return route.URI("b:" + topic + "?createStream=true&redeliveryDelay=-1ms&ackWait=5s&durable=" + group)
		},
		to: func(topic string) route.URI { return route.URI("b:" + topic + "?createStream=true") },
	}
}

func TestJetStreamSuite(t *testing.T) {
	_, url := natsServer(t, server.Options{})
	tests.TestPubSub(t, tests.Features{
		ConsumerGroups: true, Persistent: true, GuaranteedOrder: true, GuaranteedOrderWithSingleSubscriber: true,
	}, jetStream(url, "all").pubSub, func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
		return jetStream(url, group).pubSub(t)
	})
}

func TestJetStreamRoundTrip(t *testing.T) {
	_, url := natsServer(t, server.Options{})
	roundTrip(t, nats.NewJetStream(nats.Options{URL: url}), "b:orders.new?createStream=true", "b:orders.new")
}

func TestNATSRoundTrip(t *testing.T) {
	_, url := natsServer(t, server.Options{})
	roundTrip(t, nats.New(nats.Options{URL: url}), "b:orders.*", "b:orders.new")
}

// A route that says that it is subscribed gets all that is sent from then on, by others too.
func TestNATSIsSubscribed(t *testing.T) {
	_, url := natsServer(t, server.Options{})
	conn, err := client.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range 20 {
		var n atomic.Int64
		engine(t, route.Components{"nats": nats.New(nats.Options{URL: url})},
			route.From(route.URI(fmt.Sprintf("nats:s%d?concurrentConsumers=2", i))).Process(func(context.Context, *route.Exchange) error {
				n.Add(1)
				return nil
			}))
		for range 100 {
			if err := conn.Publish(fmt.Sprint("s", i), nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.Flush(); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error {
			if n.Load() != 100 {
				return fmt.Errorf("%d of 100 messages came", n.Load())
			}
			return nil
		})
	}
}

// The queue group that a route has of its own has a name that no other process can have by
// chance: members of one group share the messages.
func TestNATSOwnGroupIsItsOwn(t *testing.T) {
	s, url := natsServer(t, server.Options{})
	engine(t, route.Components{"nats": nats.New(nats.Options{URL: url})}, route.From("nats:own?concurrentConsumers=2").Log("it came"))
	z, err := s.Subsz(&server.SubszOptions{Subscriptions: true, Test: "own"})
	if err != nil || len(z.Subs) != 2 || z.Subs[0].Queue != z.Subs[1].Queue {
		t.Fatalf("have %+v, %v, want two members of one group", z, err)
	}
	if random := regexp.MustCompile("^mehari-[A-Z2-7]{26}$"); !random.MatchString(z.Subs[0].Queue) {
		t.Errorf("the group is called %q, want a name by chance", z.Subs[0].Queue)
	}
}

func eventually(t testing.TB, check func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// What is worked on for longer than the server waits does not come twice, and headers of
// strangers do not steer the server.
func TestJetStreamSlowAndStrange(t *testing.T) {
	_, url := natsServer(t, server.Options{})
	var n atomic.Int64
	var headers atomic.Value
	e := engine(t, route.Components{"js": nats.NewJetStream(nats.Options{URL: url})},
		route.From("js:slow?createStream=true&ackWait=300ms&durable=d").Process(func(_ context.Context, ex *route.Exchange) error {
			n.Add(1)
			headers.Store(fmt.Sprintln(ex.Header("Nats-Rollup"), ex.Header("CamelNatsStream"), ex.Header("CamelNatsDelivered"), ex.Header("CamelNatsSubject")))
			time.Sleep(1200 * time.Millisecond)
			return nil
		}))
	if err := e.Send(t.Context(), "js:slow", "x", route.WithHeader("Nats-Rollup", "all"), route.WithHeader("Nats-Expected-Stream", "none")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2500 * time.Millisecond)
	if want := "<nil> slow 1 slow\n"; n.Load() != 1 || headers.Load() != want {
		t.Errorf("came %d times, with %v", n.Load(), headers.Load())
	}
}

func TestJetStreamDeduplicates(t *testing.T) {
	_, url := natsServer(t, server.Options{})
	var n atomic.Int64
	e := engine(t, route.Components{"js": nats.NewJetStream(nats.Options{URL: url})},
		route.From("js:d?createStream=true").Process(func(context.Context, *route.Exchange) error { n.Add(1); return nil }))
	for range 3 {
		if err := e.Send(t.Context(), "js:d?deduplicate=true", "x", route.WithHeader("CamelMessageUUID", "1")); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Send(t.Context(), "js:d", "last"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if n.Load() < 2 {
			return fmt.Errorf("%d came", n.Load())
		}
		return nil
	})
	if n.Load() != 2 {
		t.Errorf("%d came, want 2", n.Load())
	}
}

// The server goes away while messages flow, and comes back.
func TestJetStreamServerRestarts(t *testing.T) {
	dir := t.TempDir()
	s, url := natsServer(t, server.Options{StoreDir: dir})
	port := s.Addr().(interface{ String() string }).String()
	port = port[strings.LastIndexByte(port, ':')+1:]
	var seen [2000]atomic.Bool
	e := engine(t, route.Components{"js": nats.NewJetStream(nats.Options{URL: url, Client: []client.Option{client.ReconnectWait(50 * time.Millisecond)}})},
		route.From("js:r?createStream=true&durable=d&ackWait=2s").Process(func(_ context.Context, ex *route.Exchange) error {
			var n int
			if _, err := fmt.Sscan(string(ex.Body.([]byte)), &n); err != nil {
				return err
			}
			seen[n].Store(true)
			return nil
		}))
	for n := range seen {
		if n == len(seen)/2 {
			s.Shutdown()
			s.WaitForShutdown()
			o := server.Options{StoreDir: dir}
			if _, err := fmt.Sscan(port, &o.Port); err != nil {
				t.Fatal(err)
			}
			natsServer(t, o)
		}
		eventually(t, func() error { return e.Send(t.Context(), "js:r", n) })
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

// Who is refused is told so, without the password; the engine goes on.
func TestNATSRefused(t *testing.T) {
	s, _ := natsServer(t, server.Options{Username: "user", Password: "right"})
	for _, o := range []nats.Options{
		{URL: s.ClientURL(), Username: "user", Password: "wr0ng"},
		{URL: strings.Replace(s.ClientURL(), "nats://", "nats://user:wr0ng@", 1)},
	} {
		for name, c := range map[string]route.Component{"core": nats.New(o), "jetstream": nats.NewJetStream(o)} {
			b := bridge{component: func() route.Component { return c }}
			e, stop, err := b.start(route.From("b:x").ID("r"))
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, func() error {
				if s, _ := e.Status().Route("r"); s.LastFailure == nil {
					return errors.New("no failure")
				}
				return nil
			})
			st, _ := e.Status().Route("r")
			failure := fmt.Sprint(st.LastFailure.Err, e.Send(t.Context(), "b:x", 1))
			if !strings.Contains(failure, "uthorization") || strings.Contains(failure, "wr0ng") || st.Subscribed != nil && *st.Subscribed {
				t.Errorf("%s: have %s", name, failure)
			}
			stop()
		}
	}
}

// What was taken in advance is given back at the stop of a route, not after AckWait.
func TestJetStreamGivesBack(t *testing.T) {
	_, url := natsServer(t, server.Options{})
	var n atomic.Int64
	components := route.Components{"js": nats.NewJetStream(nats.Options{URL: url})}
	first := route.From("js:back?createStream=true&durable=d&ackWait=10m&concurrentConsumers=3").ID("first").Process(func(ctx context.Context, _ *route.Exchange) error {
		if n.Add(1) > 5 {
			time.Sleep(50 * time.Millisecond)
		}
		return nil
	})
	e := engine(t, components, first, route.From("js:back?createStream=true&durable=d&ackWait=10m").ID("second").AutoStart(false).
		Process(func(context.Context, *route.Exchange) error { n.Add(1); return nil }))
	for i := range 300 {
		if err := e.Send(t.Context(), "js:back", i); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Stop(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	if err := e.Start("second"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if n.Load() != 300 {
			return fmt.Errorf("%d of 300 came", n.Load())
		}
		return nil
	})
}

// Several messages of one subscription at a time, those of one key in their order.
func TestJetStreamInFlight(t *testing.T) {
	_, url := natsServer(t, server.Options{})
	const keys, each = 4, 50
	var mu sync.Mutex
	var wrong error
	last := map[string]int{}
	working, most, total := 0, 0, 0
	e := engine(t, route.Components{"js": nats.NewJetStream(nats.Options{URL: url})},
		route.From("js:keys?createStream=true&durable=d&maxInFlight=8&keyHeader=customer").ID("r").AutoStart(false).
			Process(func(_ context.Context, ex *route.Exchange) error {
				var n int
				_, err := fmt.Sscan(string(ex.Body.([]byte)), &n)
				key := fmt.Sprint(ex.Header("customer"))
				mu.Lock()
				if last[key] != n-1 {
					wrong = errors.Join(wrong, fmt.Errorf("key %s: %d after %d", key, n, last[key]))
				}
				last[key] = n
				total++
				working++
				most = max(most, working)
				mu.Unlock()
				time.Sleep(time.Millisecond)
				mu.Lock()
				working--
				mu.Unlock()
				return err
			}))
	for n := range each {
		for key := range keys {
			if err := e.Send(t.Context(), "js:keys?createStream=true", n+1, route.WithHeader("customer", fmt.Sprint("c", key))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.Start("r"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		mu.Lock()
		defer mu.Unlock()
		if total < keys*each {
			return fmt.Errorf("%d of %d came", total, keys*each)
		}
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	if wrong != nil || total != keys*each || most < 2 || most > keys {
		t.Errorf("%d came, at most %d at a time; %v", total, most, wrong)
	}
}
