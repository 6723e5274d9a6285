//go:build linux

package brokers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	library "github.com/ThreeDotsLabs/watermill"
	adapter "github.com/ThreeDotsLabs/watermill-amqp/v3/pkg/amqp"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"
	client "github.com/rabbitmq/amqp091-go"

	"github.com/mehari-go/mehari/components/amqp"
	"github.com/mehari-go/mehari/route"
)

// amqpQueues has a queue for each topic.
func amqpQueues(url string) bridge {
	return bridge{
		component: func() route.Component { return amqp.New(amqp.Options{URL: url}) },
		from:      func(topic string) route.URI { return route.URI("b:default?redeliveryDelay=-1ms&queue=" + topic) },
		to: func(topic string) route.URI {
			return route.URI("b:default?autoDeclareProducer=true&confirmTimeout=1m&queue=" + topic)
		},
	}
}

func TestAMQPSuite(t *testing.T) {
	r := rabbitServer(t)
	tests.TestPubSub(t, tests.Features{Persistent: true, GuaranteedOrder: true, GuaranteedOrderWithSingleSubscriber: true},
		amqpQueues(r.url()).pubSub, nil)
}

// amqpGroups has an exchange for each topic, and a queue for each group.
func amqpGroups(url, group string) bridge {
	return bridge{
		component: func() route.Component { return amqp.New(amqp.Options{URL: url}) },
		from: func(topic string) route.URI {
			return route.URI("b:" + topic + "?exchangeType=fanout&redeliveryDelay=-1ms&queue=" + topic + "." + group)
		},
		to: func(topic string) route.URI {
			return route.URI("b:" + topic + "?exchangeType=fanout&autoDeclareProducer=true&mandatory=false&confirmTimeout=1m")
		},
	}
}

// A declarer is a subscriber whose queue can be there before anyone takes from it.
type declarer struct{ *taker }

// SubscribeInitialize implements [message.SubscribeInitializer].
func (d declarer) SubscribeInitialize(topic string) error {
	e, stop, err := d.start(route.From(d.from(topic)).Process(func(context.Context, *route.Exchange) error { return errNack }))
	if err != nil {
		return err
	}
	defer stop()
	return subscribed(e)
}

func TestAMQPGroupsSuite(t *testing.T) {
	r := rabbitServer(t)
	groups := func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
		p, s := amqpGroups(r.url(), group).pubSub(t)
		return p, declarer{s.(*taker)}
	}
	tests.TestPubSub(t, tests.Features{ConsumerGroups: true, Persistent: true, GuaranteedOrder: true, GuaranteedOrderWithSingleSubscriber: true},
		func(t *testing.T) (message.Publisher, message.Subscriber) { return groups(t, "all") }, groups)
}

func TestAMQPRoundTrip(t *testing.T) {
	r := rabbitServer(t)
	roundTrip(t, amqp.New(amqp.Options{URL: r.url()}), "b:round?queue=round.trip&routingKey=k", "b:round?routingKey=k")
}

func amqpOf(r *rabbit) route.Components {
	return route.Components{"amqp": amqp.New(amqp.Options{URL: r.url()})}
}

// Values of headers keep their types; properties are headers; what steers the server does not
// travel.
func TestAMQPHeaders(t *testing.T) {
	r := rabbitServer(t)
	got := make(chan map[string]any, 10)
	e := engine(t, amqpOf(r), route.From("amqp:heads?queue=heads&exchangeType=topic&routingKey=a.%2A").Process(func(_ context.Context, ex *route.Exchange) error {
		h := maps.Collect(ex.Headers())
		got <- h
		return nil
	}))
	next := func() map[string]any {
		t.Helper()
		select {
		case h := <-got:
			return h
		case <-time.After(20 * time.Second):
			t.Fatal("no message comes")
			return nil
		}
	}
	moment := time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC)
	send(t, e, "amqp:heads?routingKey=x.y", "x",
		route.WithHeader("int", 1<<40), route.WithHeader("bool", true), route.WithHeader("float", 1.5), route.WithHeader("bytes", []byte("ab")),
		route.WithHeader("list", []any{"a", 1}), route.WithHeader("map", map[string]any{"a": false}), route.WithHeader("big", uint64(1<<63)),
		route.WithHeader("time", moment), route.WithHeader("CC", []string{"a.cc"}), route.WithHeader("x-death", "x"),
		route.WithHeader("Content-Type", "application/json"), route.WithHeader("CamelRabbitmqPriority", "7"),
		route.WithHeader("CamelRabbitmqCorrelationId", "c"), route.WithHeader("CamelRabbitmqReplyTo", "answers"),
		route.WithHeader("CamelRabbitmqRoutingOverrideKey", "a.b"), route.WithHeader("CamelMessageUUID", "u"))
	want := map[string]any{
		"int": int64(1 << 40), "bool": true, "float": 1.5, "bytes": []byte("ab"), "list": []any{"a", int64(1)}, "map": map[string]any{"a": false},
		"big": "9223372036854775808", "time": "2026-11-22T01:02:03.000000004Z", "Content-Type": "application/json", "CamelRabbitmqPriority": 7,
		"CamelRabbitmqCorrelationId": "c", "CamelRabbitmqReplyTo": "answers", "CamelMessageUUID": "u", "CamelRabbitmqExchangeName": "heads",
		"CamelRabbitmqRoutingKey": "a.b", "CamelRabbitmqRedelivered": false,
	}
	if have := next(); !reflect.DeepEqual(have, want) {
		t.Errorf("have %v\nwant %v", have, want)
	}
	ch := r.channel(t)
	if err := ch.PublishWithContext(t.Context(), "heads", "a.stranger", false, false, client.Publishing{
		MessageId: "id", Headers: client.Table{
			"CamelFileName": 7, "camelX": "x", "": int32(1), "small": int8(1), "price": client.Decimal{Scale: 2, Value: 314}, "none": nil,
			"list": []any{int32(1), client.Table{"a": int16(2)}},
		},
	}); err != nil {
		t.Fatal(err)
	}
	want = map[string]any{
		"small": int64(1), "price": "3.14", "list": []any{int64(1), map[string]any{"a": int64(2)}}, "CamelMessageUUID": "id",
		"CamelRabbitmqExchangeName": "heads", "CamelRabbitmqRoutingKey": "a.stranger", "CamelRabbitmqRedelivered": false,
	}
	if have := next(); !reflect.DeepEqual(have, want) {
		t.Errorf("have %v\nwant %v", have, want)
	}
	for name, header := range map[string]any{strings.Repeat("n", 300): "x", "Content-Type": strings.Repeat("t", 300), "CamelRabbitmqPriority": 256, "huge": strings.Repeat("h", 200000)} {
		if err := e.Send(t.Context(), "amqp:heads?routingKey=a.b", "x", route.WithHeader(name, header)); err == nil || !strings.Contains(err.Error(), "header") {
			t.Errorf("%.30s: have %v", name, err)
		}
	}
	send(t, e, "amqp:heads?routingKey=a.b", "x", route.WithHeader("long", strings.Repeat("h", 100000)))
	if n := len(next()["long"].(string)); n != 100000 {
		t.Errorf("the header has %d bytes", n)
	}
}

// What no queue gets is an error, unless it may be; so is what the server refuses.
func TestAMQPSendFails(t *testing.T) {
	r := rabbitServer(t)
	e := engine(t, amqpOf(r), route.From("amqp:default?queue=sendfails"))
	err := e.Send(t.Context(), "amqp:default?queue=nobody", "x")
	if u, ok := errors.AsType[*amqp.UnroutableError](err); !ok || u.RoutingKey != "nobody" || u.Reason != "NO_ROUTE" {
		t.Errorf("have %v", err)
	}
	send(t, e, "amqp:default?queue=nobody&mandatory=false", "x")
	for u, want := range map[route.URI]string{
		"amqp:missing?routingKey=a": "no exchange 'missing'",
		"amqp:default":              "the default exchange wants a routing key",
		"amqp:default?queue=full&autoDeclareProducer=true&args=queue.x-max-length=0,queue.x-overflow=reject-publish": "the server has refused the message",
		"amqp:default?queue=sendfails&autoDeclareProducer=true&autoDelete=true":                                      `declare queue "sendfails": there is one that is different: Exception (406) Reason: "PRECONDITION_FAILED - inequivalent arg 'auto_delete'`,
		"amqp:amq.topic?autoDeclareProducer=true&queue=sendfails&exchangeType=topic&routingKey=a":                    "",
	} {
		for range 2 {
			err := e.Send(t.Context(), u, "x")
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s: have %v, want %q", u, err, want)
			}
		}
	}
	send(t, e, "amqp:default?queue=sendfails", "x")
}

func failure(t testing.TB, e *route.Engine, id, want string) {
	t.Helper()
	eventually(t, func() error {
		s, _ := e.Status().Route(id)
		if s.LastFailure == nil || !strings.Contains(s.LastFailure.Err.Error(), want) {
			return fmt.Errorf("%s: have %v, want %q", id, s.LastFailure, want)
		}
		if s.Subscribed != nil && *s.Subscribed {
			return fmt.Errorf("%s: it says it is subscribed", id)
		}
		return nil
	})
}

// What is not as the endpoint says is told; the route begins when it is.
func TestAMQPTopology(t *testing.T) {
	r := rabbitServer(t)
	ch := r.channel(t)
	if _, err := ch.QueueDeclare("top.there", true, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	b := bridge{component: func() route.Component { return amqp.New(amqp.Options{URL: r.url()}) }}
	var n atomic.Int64
	e, stop, err := b.start(
		route.From("b:default?queue=top.missing&autoDeclare=false").ID("missing").Process(func(context.Context, *route.Exchange) error { n.Add(1); return nil }),
		route.From("b:default?queue=top.there&durable=false").ID("different"),
		route.From("b:amq.direct?queue=top.q&queueType=quorum&exchangeType=topic&args=queue.x-max-length=10&routingKey=k").ID("quorum"),
		route.From("b:amq.fanout").ID("own"))
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	failure(t, e, "missing", "NOT_FOUND - no queue 'top.missing'")
	failure(t, e, "different", `declare queue "top.there": there is one that is different: Exception (406) Reason: "PRECONDITION_FAILED - inequivalent arg 'durable'`)
	send(t, e, "b:default?queue=top.missing&autoDeclareProducer=true", "x")
	eventually(t, func() error {
		if n.Load() != 1 {
			return errors.New("the message does not come")
		}
		return nil
	})
	eventually(t, func() error { return e.Send(t.Context(), "b:amq.direct?routingKey=k", "x") })
	eventually(t, func() error { return e.Send(t.Context(), "b:amq.fanout", "x") })
}

// A queue that is deleted ends its consumer, which says so and begins anew.
func TestAMQPQueueIsDeleted(t *testing.T) {
	r := rabbitServer(t)
	var failures atomic.Value
	e := engine(t, amqpOf(r), route.From("amqp:default?queue=deleted&concurrentConsumers=2").ID("r"))
	if _, err := r.channel(t).QueueDelete("deleted", false, false, false); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		s, _ := e.Status().Route("r")
		if s.LastFailure == nil {
			return errors.New("no failure")
		}
		failures.Store(s.LastFailure.Err.Error())
		return nil
	})
	if want := `topic "deleted": queue "deleted": the server has ended the consumer: the queue was deleted`; !strings.Contains(failures.Load().(string), want) {
		t.Errorf("have %s, want %q", failures.Load(), want)
	}
	eventually(t, func() error { return e.Send(t.Context(), "amqp:default?queue=deleted", "x") })
}

// What has failed is put back, or goes to the dead letters.
func TestAMQPFailures(t *testing.T) {
	r := rabbitServer(t)
	var again, once, dropped atomic.Int64
	dead := make(chan *route.Exchange, 10)
	e := engine(t, amqpOf(r),
		route.From("amqp:default?queue=fail.again&redeliveryDelay=1ms").Process(func(_ context.Context, ex *route.Exchange) error {
			if redelivered, _ := amqp.Redelivered.Get(ex); again.Add(1) < 3 || !redelivered {
				return errors.New("no")
			}
			return nil
		}),
		route.From("amqp:default?queue=fail.dead&deadLetterExchange=fail.x&deadLetterQueue=fail.letters&redeliveryDelay=1ms&maximumRedeliveries=2").
			Process(func(context.Context, *route.Exchange) error { once.Add(1); return errors.New("no") }),
		route.From("amqp:default?queue=fail.letters").Process(func(_ context.Context, ex *route.Exchange) error {
			dead <- ex.Clone()
			return nil
		}),
		route.From("amqp:default?queue=fail.drop&rejectAndDontRequeue=true&redeliveryDelay=1ms").
			Process(func(context.Context, *route.Exchange) error { dropped.Add(1); return errors.New("no") }))
	for _, queue := range []string{"again", "dead", "drop"} {
		send(t, e, route.URI("amqp:default?queue=fail."+queue), queue)
	}
	select {
	case ex := <-dead:
		deaths, _ := ex.Header("x-death").([]any)
		if len(deaths) != 1 || deaths[0].(map[string]any)["reason"] != "rejected" || string(ex.Body.([]byte)) != "dead" || once.Load() != 3 {
			t.Errorf("x-death is %v, the body %s, attempts %d", ex.Header("x-death"), ex.Body, once.Load())
		}
		ex.Release()
	case <-time.After(20 * time.Second):
		t.Fatal("no dead letter")
	}
	eventually(t, func() error {
		if again.Load() != 3 || dropped.Load() != 1 {
			return fmt.Errorf("put back %d times, dropped %d", again.Load(), dropped.Load())
		}
		return nil
	})
}

// The way to delay: a queue that nobody consumes, whose messages expire into another.
func TestAMQPDelay(t *testing.T) {
	r := rabbitServer(t)
	came := make(chan time.Duration, 1)
	var begun time.Time
	e := engine(t, amqpOf(r), route.From("amqp:default?queue=late").Process(func(context.Context, *route.Exchange) error {
		came <- time.Since(begun)
		return nil
	}))
	begun = time.Now()
	send(t, e, "amqp:default?queue=late.wait&autoDeclareProducer=true&expiration=300ms&deadLetterQueue=late", "x")
	select {
	case d := <-came:
		if d < 300*time.Millisecond {
			t.Errorf("came after %v", d)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it does not come")
	}
}

// Those with a higher priority come first.
func TestAMQPPriority(t *testing.T) {
	r := rabbitServer(t)
	got := make(chan string, 10)
	e := engine(t, amqpOf(r), route.From("amqp:default?queue=prio&args=queue.x-max-priority=9").ID("r").AutoStart(false).
		Process(func(_ context.Context, ex *route.Exchange) error { got <- string(ex.Body.([]byte)); return nil }))
	send(t, e, "amqp:default?queue=prio&autoDeclareProducer=true&args=queue.x-max-priority=9&priority=1", "low")
	send(t, e, "amqp:default?queue=prio&priority=9", "high")
	if err := e.Start("r"); err != nil {
		t.Fatal(err)
	}
	if first, second := <-got, <-got; first != "high" || second != "low" {
		t.Errorf("have %s, %s", first, second)
	}
}

// Messages of one key are in their order, whatever is worked on at a time.
func TestAMQPMaxInFlight(t *testing.T) {
	r := rabbitServer(t)
	var now, most atomic.Int64
	last := map[string]int64{}
	got := make(chan struct{}, 300)
	lock := make(chan struct{}, 1)
	e := engine(t, amqpOf(r), route.From("amqp:default?queue=wide&maxInFlight=8&keyHeader=key").ID("r").Process(func(_ context.Context, ex *route.Exchange) error {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(time.Millisecond)
		now.Add(-1)
		lock <- struct{}{}
		key, n := fmt.Sprint(ex.Header("key")), ex.Header("n").(int64)
		if last[key] >= n {
			t.Errorf("key %s: %d after %d", key, n, last[key])
		}
		last[key] = n
		<-lock
		got <- struct{}{}
		return nil
	}))
	for i := range 300 {
		send(t, e, "amqp:default?queue=wide", "x", route.WithHeader("key", i%20), route.WithHeader("n", i+1))
	}
	for range 300 {
		<-got
	}
	if most.Load() > 8 || most.Load() < 2 {
		t.Errorf("%d at a time", most.Load())
	}
}

// What was taken in advance is given back as soon as a route is to stop, though it is still
// at work on one message.
func TestAMQPGivesBack(t *testing.T) {
	r := rabbitServer(t)
	var first, second atomic.Int64
	working, release := make(chan struct{}), make(chan struct{})
	e := engine(t, amqpOf(r),
		route.From("amqp:default?queue=back").ID("first").Process(func(context.Context, *route.Exchange) error {
			if first.Add(1) == 10 {
				close(working)
				<-release
			}
			return nil
		}),
		route.From("amqp:default?queue=back").ID("second").AutoStart(false).Process(func(context.Context, *route.Exchange) error {
			second.Add(1)
			return nil
		}))
	for i := range 100 {
		send(t, e, "amqp:default?queue=back", i)
	}
	<-working
	stopped := make(chan error, 1)
	go func() { stopped <- e.Stop(context.Background(), "first") }()
	if err := e.Start("second"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if second.Load() != 90 {
			return fmt.Errorf("the second has %d of 90", second.Load())
		}
		return nil
	})
	close(release)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	time.Sleep(100 * time.Millisecond)
	if first.Load() != 10 || second.Load() != 90 {
		t.Errorf("the first had %d, the second %d", first.Load(), second.Load())
	}
}

// Who is refused is told so, without the password; the engine goes on.
func TestAMQPRefused(t *testing.T) {
	r := rabbitServer(t)
	at := strings.Replace(r.url(), "guest:guest@", "", 1)
	for name, o := range map[string]amqp.Options{
		"not allowed":           {URL: at, Username: "guest", Password: "wr0ng"},
		"ot allowed":            {URL: strings.Replace(r.url(), "guest:guest", "guest:wr0ng", 1)},
		"vhost wr0n9 not found": {URL: at, VirtualHost: "wr0n9"},
		"connection refused":    {URL: "amqp://127.0.0.1:1,amqp://user:wr0ng@127.0.0.1:2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the server takes its time to refuse
			b := bridge{component: func() route.Component { return amqp.New(o) }}
			e, stop, err := b.start(route.From("b:default?queue=x").ID("r"))
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			failure(t, e, "r", "server 127.0.0.1:")
			st, _ := e.Status().Route("r")
			told := fmt.Sprint(st.LastFailure.Err, e.Send(t.Context(), "b:default?queue=x&confirmTimeout=1m", 1))
			if !strings.Contains(told, name) || strings.Contains(told, "wr0ng") {
				t.Errorf("have %s", told)
			}
		})
	}
}

func TestAMQPOverTLS(t *testing.T) {
	r := rabbitServer(t)
	at := fmt.Sprintf("amqps://127.0.0.1:%d", r.tls)
	known, err := r.clientTLS("guest")
	if err != nil {
		t.Fatal(err)
	}
	unknown, err := r.clientTLS("")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan struct{}, 2)
	for _, o := range []amqp.Options{{URL: at, TLS: known}, {URL: at, TLS: known, External: true}} {
		e := engine(t, route.Components{"amqp": amqp.New(o)}, route.From("amqp:default?queue=tls").Process(func(context.Context, *route.Exchange) error {
			got <- struct{}{}
			return nil
		}))
		send(t, e, "amqp:default?queue=tls", "x")
		<-got
	}
	for want, o := range map[string]amqp.Options{"certificate": {URL: at, TLS: unknown}, "unknown authority": {URL: at}} {
		b := bridge{component: func() route.Component { return amqp.New(o) }}
		e, stop, err := b.start(route.From("b:default?queue=tls").ID("r"))
		if err != nil {
			t.Fatal(err)
		}
		failure(t, e, "r", want)
		stop()
	}
}

func TestAMQPThroughput(t *testing.T) {
	r := rabbitServer(t)
	for _, consumers := range []int{1, 8} {
		t.Run(fmt.Sprint(consumers), func(t *testing.T) {
			c := contest{bridge: amqpQueues(r.url()), consumers: consumers, subscribers: consumers}
			c.from = func(topic string) route.URI {
				return route.URI(fmt.Sprintf("b:default?queue=%s&concurrentConsumers=%d&prefetchCount=250", topic, consumers))
			}
			c.bare = func(t *testing.T) (message.Publisher, message.Subscriber) {
				config := adapter.NewDurableQueueConfig(r.url())
				config.Publish.ConfirmDelivery = true
				config.Publish.ChannelPoolSize = consumers
				config.Consume.Qos.PrefetchCount = 250
				p, err := adapter.NewPublisher(config, library.NopLogger{})
				if err != nil {
					t.Fatal(err)
				}
				s, err := adapter.NewSubscriber(config, library.NopLogger{})
				if err != nil {
					t.Fatal(err)
				}
				return p, s
			}
			c.prepare = func(t *testing.T, topic string) {
				if _, err := r.channel(t).QueueDeclare(topic, true, false, false, false, nil); err != nil {
					t.Fatal(err)
				}
			}
			c.run(t, 375*consumers, 2) // so many that to connect counts for little
		})
	}
}

func TestAMQPKilledConsumersLoseNothing(t *testing.T) {
	r := rabbitServer(t)
	e := engine(t, amqpOf(r), route.From("amqp:default?queue=unused").AutoStart(false))
	killConsumers(t, "amqp", r.url(), count(20000), func(i int) error {
		return e.Send(t.Context(), "amqp:default?queue=kill&autoDeclareProducer=true&confirmTimeout=1m", i)
	})
}
