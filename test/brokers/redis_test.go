package brokers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	library "github.com/ThreeDotsLabs/watermill"
	adapter "github.com/ThreeDotsLabs/watermill-redisstream/pkg/redisstream"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
	redisclient "github.com/redis/go-redis/v9"

	"github.com/mehari-go/mehari/components/redis"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// redisServer runs a server, which keeps everything in a folder, until stop is called or
// the test ends.
func redisServer(t testing.TB, dir, address string, options ...string) (stop func()) {
	t.Helper()
	return startRedis(t, address, append([]string{
		"--dir", dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--loglevel", "warning",
	}, options...)...)
}

func startRedis(t testing.TB, address string, args ...string) (stop func()) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, args...)
	if !slices.Contains(args, "--port") {
		c.Args = append(c.Args, "--port", port)
	}
	c.Args = append(c.Args, "--bind", host)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	t.Cleanup(stop)
	eventually(t, func() error {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err
	})
	return stop
}

// newRedis runs a server and returns a client of it.
func newRedis(t testing.TB, options ...string) (address string, c *redisclient.Client) {
	t.Helper()
	address = fmt.Sprint("127.0.0.1:", anyPort(t))
	redisServer(t, t.TempDir(), address, options...)
	c = redisclient.NewClient(&redisclient.Options{Addr: address})
	t.Cleanup(func() { _ = c.Close() })
	return address, c
}

func redisAt(address string) route.Component {
	return redis.New(redis.Options{Addresses: []string{address}})
}

func redisStream(address, group string) bridge {
	return bridge{
		component: func() route.Component { return redisAt(address) },
		from: func(topic string) route.URI {
			return route.URI("b:" + topic + "?redeliveryDelay=-1ms&maxIdle=5s&claimInterval=20ms&blockTime=20ms&consumerGroup=" + group)
		},
		to: func(topic string) route.URI { return route.URI("b:" + topic) },
	}
}

func TestRedisSuite(t *testing.T) {
	address, _ := newRedis(t)
	tests.TestPubSub(t, tests.Features{
		ConsumerGroups: true, Persistent: true, GuaranteedOrder: true, GuaranteedOrderWithSingleSubscriber: true,
	}, redisStream(address, "all").pubSub, func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
		return redisStream(address, group).pubSub(t)
	})
}

func TestRedisRoundTrip(t *testing.T) {
	address, _ := newRedis(t)
	roundTrip(t, redisAt(address), "b:orders?consumerGroup=g", "b:orders")
	roundTrip(t, redisAt(address), "b:everyone", "b:everyone")
}

// Watermill's adapter understands what is sent, and the other way round.
func TestRedisAdapterUnderstands(t *testing.T) {
	address, c := newRedis(t)
	s, err := adapter.NewSubscriber(adapter.SubscriberConfig{Client: redisclient.NewClient(&redisclient.Options{Addr: address}), ConsumerGroup: "g"}, library.NopLogger{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in, err := s.Subscribe(t.Context(), "theirs")
	if err != nil {
		t.Fatal(err)
	}
	p, err := adapter.NewPublisher(adapter.PublisherConfig{Client: c}, library.NopLogger{})
	if err != nil {
		t.Fatal(err)
	}
	engine(t, route.Components{"redis": redisAt(address)}, route.From("redis:ours?consumerGroup=g").To("redis:theirs"))
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
		got.Ack()
		if !got.Equals(sent) {
			t.Errorf("have %+v", got)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no message comes")
	}
}

func TestRedisThroughput(t *testing.T) {
	for _, consumers := range []int{1, 8} {
		t.Run(fmt.Sprint(consumers), func(t *testing.T) {
			address := fmt.Sprint("127.0.0.1:", anyPort(t))
			redisServer(t, t.TempDir(), address, "--appendonly", "no")
			c := contest{bridge: redisStream(address, "bench"), consumers: consumers, subscribers: consumers}
			c.from = func(topic string) route.URI {
				return route.URI(fmt.Sprintf("b:%s?consumerGroup=bench&concurrentConsumers=%d", topic, consumers))
			}
			c.bare = func(t *testing.T) (message.Publisher, message.Subscriber) {
				connect := func() redisclient.UniversalClient { return redisclient.NewClient(&redisclient.Options{Addr: address}) }
				p, err := adapter.NewPublisher(adapter.PublisherConfig{Client: connect()}, library.NopLogger{})
				if err != nil {
					t.Fatal(err)
				}
				s, err := adapter.NewSubscriber(adapter.SubscriberConfig{Client: connect(), ConsumerGroup: "bench", DisableIndefiniteInitialBlock: true}, library.NopLogger{})
				if err != nil {
					t.Fatal(err)
				}
				return p, s
			}
			c.run(t, 3000, 3)
		})
	}
}

func TestRedisConformance(t *testing.T) {
	address, _ := newRedis(t)
	for name, consumer := range map[string]route.URI{
		"group":    "b:group?consumerGroup=g&redeliveryDelay=1ms&blockTime=10ms&claimInterval=10ms",
		"everyone": "b:everyone?redeliveryDelay=1ms&blockTime=10ms&start=begin",
	} {
		t.Run(name, func(t *testing.T) {
			stream, _, _ := strings.Cut(string(consumer), "?")
			routetest.TestComponent(t, routetest.Harness{
				New:      func() route.Component { return redisAt(address) },
				Close:    func(c route.Component) { _ = c.(interface{ Close() error }).Close() },
				Consumer: consumer, Producer: route.URI(stream),
			})
		})
	}
}

// Without a group all consumers get all messages, each once, however many work on them, and
// what fails comes again.
func TestRedisEveryone(t *testing.T) {
	address, c := newRedis(t)
	var counts [2]atomic.Int64
	var failed atomic.Bool
	to := func(n *atomic.Int64) func(context.Context, *route.Exchange) error {
		return func(_ context.Context, ex *route.Exchange) error {
			if string(ex.Body.([]byte)) == "7" && failed.CompareAndSwap(false, true) {
				return errors.New("not yet")
			}
			n.Add(1)
			return nil
		}
	}
	if err := c.XAdd(t.Context(), &redisclient.XAddArgs{Stream: "s", Values: []string{"old", "1"}}).Err(); err != nil {
		t.Fatal(err)
	}
	e := engine(t, route.Components{"redis": redisAt(address)},
		route.From("redis:s?blockTime=10ms&concurrentConsumers=3&redeliveryDelay=-1ms").Process(to(&counts[0])),
		route.From("redis:s?blockTime=10ms&start=begin&prefetch=2&redeliveryDelay=-1ms").Process(to(&counts[1])))
	for i := range 50 {
		if err := e.Send(t.Context(), "redis:s", i); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func() error {
		if counts[0].Load() != 50 || counts[1].Load() != 51 {
			return fmt.Errorf("%d and %d came, want 50 and 51", counts[0].Load(), counts[1].Load())
		}
		return nil
	})
}

// A route that says that it is subscribed gets all that is sent from then on, and nothing
// from before if it is to begin there.
func TestRedisIsSubscribed(t *testing.T) {
	address, c := newRedis(t)
	for i := range 8 {
		stream := fmt.Sprint("s", i)
		add := func() {
			t.Helper()
			if err := c.XAdd(t.Context(), &redisclient.XAddArgs{Stream: stream, Values: []string{"id", "7"}}).Err(); err != nil {
				t.Fatal(err)
			}
		}
		if i%2 == 0 {
			add()
		}
		var n atomic.Int64
		count := func(_ context.Context, ex *route.Exchange) error {
			if body := string(ex.Body.([]byte)); body != `{"id":"7"}` || ex.Header("id") != "7" {
				return fmt.Errorf("have %s", body)
			}
			n.Add(1)
			return nil
		}
		engine(t, route.Components{"redis": redisAt(address)},
			route.From(route.URI("redis:"+stream)).Process(count), route.From(route.URI("redis:"+stream+"?consumerGroup=g&start=new&blockTime=20ms")).Process(count))
		for range 50 {
			add()
		}
		eventually(t, func() error {
			if n.Load() != 100 {
				return fmt.Errorf("%d of 100 messages came", n.Load())
			}
			return nil
		})
	}
}

// Messages with one key are worked on in their order, others at the same time.
func TestRedisOrderOfKeys(t *testing.T) {
	address, _ := newRedis(t)
	const keys, each = 5, 40
	var last [keys]atomic.Int64
	var busy, most, n atomic.Int64
	e := engine(t, route.Components{"redis": redisAt(address)},
		route.From("redis:s?consumerGroup=g&maxInFlight=8&keyHeader=key").Process(func(_ context.Context, ex *route.Exchange) error {
			most.Store(max(most.Load(), busy.Add(1)))
			defer busy.Add(-1)
			time.Sleep(time.Millisecond)
			var key int
			var i int64
			if _, err := fmt.Sscan(fmt.Sprint(ex.Header("key"), " ", string(ex.Body.([]byte))), &key, &i); err != nil {
				return err
			}
			if before := last[key].Swap(i); before != i-1 {
				t.Errorf("key %d: %d after %d", key, i, before)
			}
			n.Add(1)
			return nil
		}))
	for i := range each {
		for key := range keys {
			if err := e.Send(t.Context(), "redis:s", i+1, route.WithHeader("key", key)); err != nil {
				t.Fatal(err)
			}
		}
	}
	eventually(t, func() error {
		if n.Load() != keys*each {
			return fmt.Errorf("%d came", n.Load())
		}
		return nil
	})
	if most.Load() < 2 {
		t.Error("never two at a time")
	}
}

func TestRedisMaxLength(t *testing.T) {
	address, c := newRedis(t, "--stream-node-max-entries", "10")
	e := engine(t, route.Components{"redis": redisAt(address)}, route.From("redis:unused").AutoStart(false))
	for i := range 100 {
		if err := e.Send(t.Context(), "redis:s?maxLength=30", i); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := c.XLen(t.Context(), "s").Result(); err != nil || n < 30 || n > 50 {
		t.Errorf("%d messages stay, %v", n, err)
	}
}
