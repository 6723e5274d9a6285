package googlepubsub_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/pubsub/v2/apiv1/pubsubpb"
	"cloud.google.com/go/pubsub/v2/pstest"
	"google.golang.org/grpc/codes"

	"github.com/mehari-go/mehari/components/googlepubsub"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// newServer runs Google's own fake until the test ends.
func newServer(t testing.TB, options ...pstest.ServerReactorOption) (*pstest.Server, googlepubsub.Options) {
	t.Helper()
	s := pstest.NewServer(options...)
	t.Cleanup(func() { _ = s.Close() })
	return s, googlepubsub.Options{Project: "shop", Emulator: s.Addr}
}

// The checks of consumers are left out here: a goroutine of Google's library ends up to ten
// seconds after its consumer has, for which the suite waits.
func TestComponent(t *testing.T) {
	s, o := newServer(t)
	create(t, s)
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component { return googlepubsub.New(o) },
		Configs: []routetest.Config{
			googlepubsub.Config{Topic: "orders"},
			googlepubsub.Config{
				Topic: "other:orders", Subscription: "example.com:their-1:billing", CreateTopic: true, CreateSubscription: true, MessageOrderingEnabled: true,
				AckDeadline: time.Minute, MaxAckExtensionPeriod: time.Hour, MaxOutstandingMessages: 7, MaxOutstandingBytes: 8,
				ConcurrentConsumers: 2, MaxInFlight: 3, KeyHeader: "k", MaximumRedeliveries: 4, RedeliveryDelay: time.Minute,
			},
		},
		Producer: "googlepubsub:orders",
		Close:    func(c route.Component) { _ = c.(interface{ Close() error }).Close() },
	})
}

func TestRefuses(t *testing.T) {
	components := route.Components{
		"ps":   googlepubsub.New(googlepubsub.Options{Project: "shop"}),
		"none": googlepubsub.New(googlepubsub.Options{}),
		"bad":  googlepubsub.New(googlepubsub.Options{Project: "a/b", Endpoint: "https://x", Emulator: "y", ServiceAccountKey: "z"}),
	}
	for u, wants := range map[route.URI][]string{
		"ps:":                       {`nothing after "ps:"`},
		"ps:ab":                     {`path: want 3 to 255 letters`, `have "ab"`},
		"ps:google":                 {`not goog, have "google"`},
		"ps:projects/p/topics/t":    {`path: want 3 to 255 letters`},
		"ps:a b:orders":             {`want the id of a project before the colon, have "a b"`},
		"ps:orders?subscription=1x": {`option "subscription": want 3 to 255`},
		"none:orders":               {`path: of which project is "orders"? Want project:orders, or googlepubsub.Options.Project`},
		"ps:orders?ackDeadline=1s&createSubscription=true&maxAckExtensionPeriod=1s&maxOutstandingMessages=0&maxOutstandingBytes=-1": {
			`option "ackDeadline": want whole seconds, 10s to 10m0s, have 1s`, `option "maxAckExtensionPeriod": want at least 10s`,
			`option "maxOutstandingMessages": want at least 1, have 0`, `option "maxOutstandingBytes": want at least 1, have -1`,
		},
		"ps:orders?ackDeadline=20s&messageOrderingEnabled=true": {`option "ackDeadline" is for a subscription that is made`, `option "messageOrderingEnabled" is for`},
		"ps:orders?maxInFlight=0":                               {`option "maxInFlight"`},
		"bad:orders": {
			`googlepubsub.Options.Project: want the id`, `googlepubsub.Options.Endpoint: want host:port`, `googlepubsub.Options.Emulator: want host:port`,
			`with Emulator, want no Endpoint and no ServiceAccountKey`,
		},
	} {
		_, err := route.New(route.Config{Components: components}, route.From(u))
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: have %v, want %q", u, err, want)
			}
		}
	}
}

// run runs routes until the test ends, and waits until they are subscribed if they can be.
func run(t *testing.T, o googlepubsub.Options, routes ...*route.Route) *route.Engine {
	t.Helper()
	e, err := route.New(route.Config{
		Components: route.Components{"ps": googlepubsub.New(o)}, Logger: slog.New(slog.DiscardHandler),
		Restart: route.Backoff{Delay: 10 * time.Millisecond, Max: 20 * time.Millisecond},
	}, routes...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return e
}

func subscribed(t *testing.T, e *route.Engine) {
	t.Helper()
	eventually(t, func() error {
		for _, r := range e.Status().Routes {
			if r.AutoStart && (r.Subscribed == nil || !*r.Subscribed) {
				return fmt.Errorf("route %s is not subscribed: %+v", r.ID, r.LastFailure)
			}
		}
		return nil
	})
}

func eventually(t *testing.T, check func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func send(t *testing.T, e *route.Engine, u route.URI, body any, options ...route.SendOption) {
	t.Helper()
	if err := e.Send(t.Context(), u, body, options...); err != nil {
		t.Fatal(err)
	}
}

// Whatever is in a header or a body arrives.
func TestRoundTrip(t *testing.T) {
	s, o := newServer(t)
	type arrival struct {
		body    string
		headers map[string]any
	}
	got := make(chan arrival, 1)
	e := run(t, o, route.From("ps:orders?subscription=billing&createTopic=true&createSubscription=true").Process(func(_ context.Context, ex *route.Exchange) error {
		got <- arrival{string(ex.Body.([]byte)), maps.Collect(ex.Headers())}
		return nil
	}))
	subscribed(t, e)
	headers := map[string]any{
		"plain": "x", "a name: ö": "grüße", "lines": "two\nlines", "empty": "", "goog-x": "1", "Google": "2", "bytes": "\xff\x00", "": "none",
		"long": strings.Repeat("ü%", 3000), strings.Repeat("n", 257): "v", "Mehari-Packed-1": "mine", "customer": "c-1",
	}
	delete(headers, "") // an exchange has no header without a name
	binary := string([]byte{0, 1, 2, 0xff, 0xfe})
	for _, body := range []string{"text", binary, ""} {
		options := []route.SendOption{route.WithHeader("CamelMessageUUID", "u-1"), route.WithHeader("CamelGooglePubsubMessageId", "mine")}
		for name, value := range headers {
			options = append(options, route.WithHeader(name, value))
		}
		send(t, e, "ps:orders?keyHeader=customer", body, options...)
		a := <-got
		for name, want := range headers {
			if a.headers[name] != want {
				t.Errorf("header %.20q is %.40q, want %.40q", name, a.headers[name], want)
			}
		}
		if a.body != body || a.headers["CamelMessageUUID"] != "u-1" || a.headers["CamelGooglePubsubOrderingKey"] != "c-1" ||
			a.headers["CamelGooglePubsubMessageId"] == "mine" || a.headers["CamelGooglePubsubMessageId"] == "" || a.headers["CamelGooglePubsubPublishTime"].(time.Time).IsZero() {
			t.Errorf("have %q with %v", a.body, a.headers)
		}
	}
	for _, m := range s.Messages() {
		if len(m.Attributes) > 100 || m.Attributes["plain"] != "x" || m.Attributes["_watermill_message_uuid"] != "u-1" {
			t.Errorf("have %v", m.Attributes)
		}
		for name, value := range m.Attributes {
			if len(name) > 256 || len(value) > 1024 || strings.HasPrefix(strings.ToLower(name), "goog") {
				t.Errorf("Google would refuse %q: %q", name, value)
			}
		}
	}
	// One of a stranger: no UUID, and what looks packed but is not.
	id := s.PublishOrdered("projects/shop/topics/orders", []byte("x"), map[string]string{"Mehari-Packed-1": "%zz"}, "")
	if a := <-got; a.headers["CamelMessageUUID"] != id || a.headers["Mehari-Packed-1"] != "%zz" || a.headers["CamelGooglePubsubOrderingKey"] != nil {
		t.Errorf("have %v", a.headers)
	}
}

func TestTooMuch(t *testing.T) {
	_, o := newServer(t)
	e := run(t, o, route.From("ps:orders").AutoStart(false))
	var many []route.SendOption
	for i := range 101 {
		many = append(many, route.WithHeader(fmt.Sprint("h", i), "x"))
	}
	for want, err := range map[string]error{
		"the message has 1000": e.Send(t.Context(), "ps:orders", make([]byte, 10_000_000)),
		"the headers need 102 attributes, of which a message has 100": e.Send(t.Context(), "ps:orders", "x", many...),
	} {
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `topic "orders"`) {
			t.Errorf("have %v, want %q", err, want)
		}
	}
}

// The messages of one key are worked on in their order, those of several at a time.
func TestOrder(t *testing.T) {
	_, o := newServer(t)
	var mu sync.Mutex
	got := map[string][]string{}
	var atOnce, most atomic.Int64
	e := run(t, o, route.From("ps:orders?createTopic=true&createSubscription=true&messageOrderingEnabled=true&maxInFlight=4").Process(func(_ context.Context, ex *route.Exchange) error {
		n := atOnce.Add(1)
		defer atOnce.Add(-1)
		for {
			if m := most.Load(); n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		time.Sleep(10 * time.Millisecond)
		key, _ := googlepubsub.OrderingKey.Get(ex)
		mu.Lock()
		defer mu.Unlock()
		got[key] = append(got[key], string(ex.Body.([]byte)))
		return nil
	}))
	subscribed(t, e)
	want := map[string][]string{}
	long := strings.Repeat("l", 2000)
	keys := []string{"a", "b", "c", long}
	for i := range 20 {
		for _, key := range keys {
			want[key] = append(want[key], fmt.Sprint(i))
			send(t, e, "ps:orders?keyHeader=k", fmt.Sprint(i), route.WithHeader("k", key))
		}
	}
	eventually(t, func() error {
		mu.Lock()
		defer mu.Unlock()
		for key, w := range want {
			have := got[key]
			if key == long { // its key is a hash
				for k, v := range got {
					if len(k) == 64 {
						have = v
					}
				}
			}
			if !slices.Equal(have, w) {
				return fmt.Errorf("%.5s: have %q", key, have)
			}
		}
		return nil
	})
	if most.Load() < 2 {
		t.Error("one message at a time only")
	}
}

// What fails comes again, and what succeeds does not.
func TestFailure(t *testing.T) {
	s, o := newServer(t)
	var n atomic.Int64
	e := run(t, o, route.From("ps:orders?createTopic=true&createSubscription=true&redeliveryDelay=-1ms").Process(func(context.Context, *route.Exchange) error {
		if n.Add(1) < 3 {
			return errors.New("not yet")
		}
		return nil
	}))
	subscribed(t, e)
	send(t, e, "ps:orders", "x")
	eventually(t, func() error {
		if m := s.Messages()[0]; m.Acks != 1 || m.Deliveries != 3 {
			return fmt.Errorf("%d acknowledgements of %d deliveries", m.Acks, m.Deliveries)
		}
		return nil
	})
}

// A stop finishes what is in flight and gives back the rest at once: another route gets it
// long before the deadline is over.
func TestStop(t *testing.T) {
	s, o := newServer(t)
	var n atomic.Int64
	begun := make(chan struct{}, 100)
	hold := make(chan struct{})
	uri := route.URI("ps:orders?createTopic=true&createSubscription=true&ackDeadline=10m")
	e := run(t, o,
		route.From(uri).ID("first").Process(func(context.Context, *route.Exchange) error {
			n.Add(1)
			begun <- struct{}{}
			<-hold
			return nil
		}),
		route.From(uri).ID("second").AutoStart(false).Process(func(context.Context, *route.Exchange) error { n.Add(1); return nil }))
	subscribed(t, e)
	for i := range 20 {
		send(t, e, "ps:orders", fmt.Sprint(i))
	}
	<-begun
	eventually(t, func() error { // all are with the first
		for _, m := range s.Messages() {
			if len(m.Modacks) == 0 { // the library's sign that it has it
				return errors.New("not received")
			}
		}
		return nil
	})
	stopped := make(chan error, 1)
	go func() { stopped <- e.Stop(t.Context(), "first") }()
	eventually(t, func() error { // what waits goes back before the one in flight is done
		back := 0
		for _, m := range s.Messages() {
			for _, mod := range m.Modacks {
				if mod.AckDeadline == 0 {
					back++
				}
			}
		}
		if back != 19 {
			return fmt.Errorf("%d of 19 went back", back)
		}
		return nil
	})
	close(hold)
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if err := e.Start("second"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if n.Load() != 20 {
			return fmt.Errorf("20 messages came %d times", n.Load())
		}
		return nil
	})
}

func TestMissing(t *testing.T) {
	_, o := newServer(t)
	e := run(t, o, route.From("ps:orders").ID("r"))
	err := e.Send(t.Context(), "ps:orders", "x")
	if want := "NotFound"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("have %v, want %q", err, want)
	}
	eventually(t, func() error {
		s, _ := e.Status().Route("r")
		if s.LastFailure == nil || !strings.Contains(s.LastFailure.Err.Error(), "projects/shop/subscriptions/orders: ") || s.Subscribed == nil || *s.Subscribed {
			return fmt.Errorf("have %+v", s)
		}
		return nil
	})
}

// What is refused is told, and the route starts again; who may take need not look.
func TestRefused(t *testing.T) {
	for code, want := range map[codes.Code]string{codes.Unauthenticated: "refused", codes.PermissionDenied: "NotFound"} { // the latter when it takes
		t.Run(code.String(), func(t *testing.T) {
			_, o := newServer(t, pstest.WithErrorInjection("GetSubscription", code, "refused"))
			e := run(t, o, route.From("ps:orders").ID("r"))
			eventually(t, func() error {
				if s, _ := e.Status().Route("r"); s.LastFailure == nil || !strings.Contains(s.LastFailure.Err.Error(), want) {
					return fmt.Errorf("the last failure is %v, want %q", s.LastFailure, want)
				}
				return nil
			})
		})
	}
	s, o := newServer(t, pstest.WithErrorInjection("GetSubscription", codes.PermissionDenied, "refused"))
	create(t, s)
	got := make(chan struct{}, 1)
	e := run(t, o, route.From("ps:orders").Process(func(context.Context, *route.Exchange) error { got <- struct{}{}; return nil }))
	send(t, e, "ps:orders", "x")
	<-got
}

func create(t *testing.T, s *pstest.Server) {
	t.Helper()
	topic, err := s.GServer.CreateTopic(t.Context(), &pubsubpb.Topic{Name: "projects/shop/topics/orders"})
	if err == nil {
		_, err = s.GServer.CreateSubscription(t.Context(), &pubsubpb.Subscription{Name: "projects/shop/subscriptions/orders", Topic: topic.Name, AckDeadlineSeconds: 10})
	}
	if err != nil {
		t.Fatal(err)
	}
}
