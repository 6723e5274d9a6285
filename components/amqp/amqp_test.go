package amqp_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/amqp"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// There is no server here: test/brokers has what needs one.
var nowhere = amqp.Options{URL: "amqp://user:s3cret@127.0.0.1:1/v", ConnectTimeout: time.Second}

func TestComponent(t *testing.T) {
	no := new(bool)
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component { return amqp.New(nowhere) },
		Configs: []routetest.Config{
			amqp.Config{Exchange: "default", Queue: "orders"},
			amqp.Config{
				Exchange: "orders", ExchangeType: amqp.Topic, Queue: "billing", RoutingKey: "order.#", AutoDeclare: no, AutoDeclareProducer: true,
				Durable: no, AutoDelete: true, QueueType: amqp.Classic, Args: []string{"queue.x-max-length=10", "binding.a=b,c"},
				DeadLetterExchange: "dead", DeadLetterExchangeType: amqp.Fanout, DeadLetterQueue: "letters", DeadLetterRoutingKey: "k",
				RejectAndDontRequeue: no, PrefetchCount: 9, Mandatory: no, ConfirmTimeout: time.Minute, Persistent: no, Priority: 3,
				Expiration: time.Hour, ConcurrentConsumers: 2, MaxInFlight: 3, KeyHeader: "k", MaximumRedeliveries: 4, RedeliveryDelay: time.Minute,
			},
			amqp.Config{Exchange: "orders", ExchangeType: amqp.Headers, Queue: "q", QueueType: amqp.Quorum, Exclusive: true},
		},
	})
}

func TestRefuses(t *testing.T) {
	components := route.Components{
		"amqp": amqp.New(amqp.Options{}),
		"url":  amqp.New(amqp.Options{URL: "amqp://u:s3cret@%zz", Heartbeat: time.Millisecond, ConnectTimeout: -1, Channels: 5000}),
		"tls":  amqp.New(amqp.Options{URL: "amqp://u:s3cret@h", TLS: new(tls.Config)}),
		"pass": amqp.New(amqp.Options{Password: "s3cret", External: true}),
	}
	for u, wants := range map[route.URI][]string{
		"amqp:":                         {`nothing after "amqp:"`},
		"amqp:x?exchangeType=odd":       {`want one of direct, fanout, topic, headers, have "odd"`},
		"amqp:x?queue=q&queueType=wide": {`want one of classic, quorum, have "wide"`},
		"amqp:x?queueType=quorum":       {"a quorum queue has a name"},
		"amqp:x?prefetchCount=0&priority=256&expiration=1500us&confirmTimeout=-1s": {
			`option "prefetchCount": want 1 to 65535, have 0`, `option "priority": want 0 to 255, have 256`, `option "expiration": want whole milliseconds`,
			`option "confirmTimeout": want more than 0, have -1s`,
		},
		"amqp:x?prefetchCount=3&maxInFlight=4":                            {`option "prefetchCount": want at least maxInFlight, 4, have 3`},
		"amqp:x?exclusive=true&concurrentConsumers=2":                     {`option "exclusive": want one of the concurrentConsumers, have 2`},
		"amqp:x?concurrentConsumers=0":                                    {`option "concurrentConsumers"`},
		"amqp:x?deadLetterRoutingKey=k":                                   {`option "deadLetterExchange" is missing`},
		"amqp:x?deadLetterExchange=default":                               {`option "deadLetterQueue" is missing`},
		"amqp:x?args=max=1,queue.=2,queue.a=1,queue.a=2":                  {`have "max=1"`, `have "queue.=2"`, `"queue.a" is given twice`},
		"amqp:x?queue=q&queueType=quorum&args=queue.x-queue-type=classic": {`option "queueType": it is in args too`},
		"amqp:x?queue=q&autoDeclare=false&durable=true&args=queue.a=1":    {`option "durable": it is for what is declared`, `option "args": it is for what is declared`},
		"amqp:x?autoDeclare=false":                                        {"cannot start a route"},
		"amqp:default":                                                    {"cannot start a route"},
		route.URI("amqp:" + strings.Repeat("x", 300) + "?queue=q&routingKey=" + strings.Repeat("k", 256)): {"path: want at most 255 bytes, have 300", `option "routingKey": want at most 255 bytes`},
		"url:x":  {"amqp.Options.URL: want URLs like", ".Heartbeat", ".ConnectTimeout", ".Channels: want 1 to 2000"},
		"tls:x":  {"TLS, but a URL that does not begin with amqps://"},
		"pass:x": {"Password without Username", "External needs TLS"},
	} {
		_, err := route.New(route.Config{Components: components}, route.From(u))
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%.80s: have %v, want %q", u, err, want)
			}
		}
	}
}

// fails waits for the failure of a route.
func fails(t *testing.T, e *route.Engine, want string) {
	t.Helper()
	var last any
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		s, _ := e.Status().Route("r")
		if s.Subscribed != nil && *s.Subscribed {
			t.Error("the route says that it is subscribed")
		}
		if last = s.LastFailure; s.LastFailure != nil && strings.Contains(s.LastFailure.Err.Error(), want) {
			if strings.Contains(s.LastFailure.Err.Error(), "s3cret") {
				t.Errorf("the error has the password: %v", s.LastFailure.Err)
			}
			return
		}
	}
	t.Fatalf("have %v, want %q", last, want)
}

// Without a server the engine runs, and says what is missing.
func TestNoServer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for want, o := range map[string]amqp.Options{
		"server 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused": nowhere,
		"no answer within 50ms": {URL: "amqp://u:s3cret@" + silent.Addr().String(), ConnectTimeout: 50 * time.Millisecond},
	} {
		e := routetest.Run(t, route.Config{Components: route.Components{"amqp": amqp.New(o)}}, route.From("amqp:default?queue=q").ID("r"))
		fails(t, e, want)
		err := e.Send(t.Context(), "amqp:default?queue=q", "x")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("have %v, want %q", err, want)
		}
	}
}

// Who waits for a server that does not answer can be called off, and does not wait for ever.
func TestSilentServer(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	e := routetest.Run(t, route.Config{Components: route.Components{"amqp": amqp.New(amqp.Options{URL: "amqp://" + silent.Addr().String(), ConnectTimeout: time.Hour, Channels: 2})}},
		route.From("amqp:default?queue=q").ID("r"))
	stopping := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(stopping) })
	if err := e.Send(ctx, "amqp:default?queue=q", "x"); !errors.Is(err, stopping) {
		t.Errorf("have %v, want %v", err, stopping)
	}
	for i, want := range []string{"no connection yet", "all channels are in use"} {
		err := e.Send(t.Context(), "amqp:default?queue=q&confirmTimeout=50ms", "x")
		if want = fmt.Sprintf("not sent within 50ms: %s", want); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: have %v, want %q", i, err, want)
		}
	}
}
