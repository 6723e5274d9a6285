package watermill_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// config is a Config under the scheme "bus".
type config watermill.Config

func (c config) URI() route.URI { return watermill.Config(c).URI("bus") }

func TestComponent(t *testing.T) {
	routetest.TestComponent(t, routetest.Harness{
		New:   func() route.Component { return watermill.New((&memory{}).broker()) },
		Close: func(c route.Component) { _ = c.(*watermill.Component).Close() },
		Configs: []routetest.Config{
			config{Topic: "t"},
			config{Topic: "a/b", ConcurrentConsumers: 3, MaxInFlight: 2, KeyHeader: "id", MaximumRedeliveries: 4, RedeliveryDelay: time.Minute},
		},
		Consumer: "bus:t?redeliveryDelay=1ms",
		Producer: "bus:t",
	})
}

func run(t *testing.T, m *memory, mock *routetest.Mock, routes ...*route.Route) *route.Engine {
	t.Helper()
	return routetest.Run(t, route.Config{Components: components(m, route.Components{"mock": mock}), Poison: true}, routes...)
}

func send(t *testing.T, e *route.Engine, body any, options ...route.SendOption) {
	t.Helper()
	if err := e.Send(t.Context(), "bus:t", body, options...); err != nil {
		t.Error(err)
	}
}

func TestMessages(t *testing.T) {
	binary := []byte{0, 255, 10, 128}
	for _, tt := range []struct {
		name    string
		body    any
		headers []route.SendOption
		want    []byte
		have    map[string]any
	}{
		{"bytes", binary, nil, binary, map[string]any{}},
		{"nothing", nil, nil, nil, map[string]any{}},
		{"text", "grüße", nil, []byte("grüße"), map[string]any{}},
		{"number", 42, nil, []byte("42"), map[string]any{}},
		{"reader", strings.NewReader("read"), nil, []byte("read"), map[string]any{}},
		{"map", map[string]any{"a": 1}, nil, []byte(`{"a":1}`), map[string]any{}},
		{
			"headers", "x",
			[]route.SendOption{
				route.WithHeader("id", 7), route.WithHeader("on", true), route.WithHeader("a name: ö", " two\nlines "), route.WithHeader("none", nil),
				route.WithHeader("CamelSecret", "x"), route.WithHeader("camelFileName", "../x"), route.WithHeader("empty", ""),
			},
			[]byte("x"),
			map[string]any{"id": "7", "on": "true", "a name: ö": " two\nlines ", "empty": ""},
		},
		{"uuid", "x", []route.SendOption{route.WithHeader("CamelMessageUUID", "mine")}, []byte("x"), map[string]any{"CamelMessageUUID": "mine"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var body any
				var headers map[string]any
				e := run(t, new(memory), new(routetest.Mock), route.From("bus:t").Process(func(_ context.Context, ex *route.Exchange) error {
					body, headers = ex.Body, maps.Collect(ex.Headers())
					return nil
				}))
				send(t, e, tt.body, tt.headers...)
				synctest.Wait()
				if b, ok := body.([]byte); !ok || string(b) != string(tt.want) {
					t.Errorf("body is %T %q, want %q", body, body, tt.want)
				}
				if tt.have["CamelMessageUUID"] == nil {
					if len(fmt.Sprint(headers["CamelMessageUUID"])) != 36 {
						t.Errorf("UUID is %v", headers["CamelMessageUUID"])
					}
					delete(headers, "CamelMessageUUID")
				}
				if !maps.Equal(headers, tt.have) {
					t.Errorf("headers are %v, want %v", headers, tt.have)
				}
			})
		})
	}
}

// What a stranger puts into a message does not steer the route.
func TestReservedHeadersDoNotArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, mock := new(memory), new(routetest.Mock)
		run(t, m, mock, route.From("bus:t").To("mock:out"))
		evil := message.NewMessage("1", nil)
		evil.Metadata = message.Metadata{"CamelMessageUUID": "2", "CAMELfileName": "/etc/passwd", "": "x", "fine": "y"}
		if err := (publisher{m}).Publish("t", evil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		mock.Check(t, "out", routetest.Header("CamelMessageUUID", "1"), routetest.Header("fine", "y"))
		for name := range mock.Got("out")[0].Headers() {
			if strings.EqualFold(name, "CamelFileName") || name == "" {
				t.Errorf("header %q came", name)
			}
		}
	})
}

func TestFailuresAreGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var at []time.Duration
		m := new(memory)
		e := run(t, m, new(routetest.Mock), route.From("bus:t?maximumRedeliveries=2&redeliveryDelay=10s").
			Process(func(_ context.Context, ex *route.Exchange) error {
				if ex.Header("worse") != nil {
					t.Error("a redelivery sees what was done before")
				}
				ex.SetHeader("worse", 1)
				if at = append(at, time.Since(begun)); len(at) < 5 {
					return errors.New("no")
				}
				return nil
			}))
		send(t, e, "x")
		time.Sleep(time.Hour)
		want := []time.Duration{0, 10 * time.Second, 20 * time.Second, 30 * time.Second, 40 * time.Second}
		if c := m.count("t"); !slices.Equal(at, want) || c.nacked != 1 || c.acked != 1 {
			t.Errorf("tried at %v, given back %d times, acknowledged %d times; want %v, 1, 1", at, c.nacked, c.acked, want)
		}
	})
}

func TestDeadLetter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, mock := new(memory), new(routetest.Mock)
		e := run(t, m, mock, route.From("bus:t").OnError(route.OnError[error]().Handled().To("bus:dead")).
			Process(func(context.Context, *route.Exchange) error { return errors.New("poison") }),
			route.From("bus:dead").To("mock:dead"))
		send(t, e, "x")
		time.Sleep(time.Hour)
		mock.Check(t, "dead", routetest.Count(1))
		if c := m.count("t"); c.nacked != 0 || c.acked != 1 {
			t.Errorf("given back %d times, acknowledged %d times; want 0, 1", c.nacked, c.acked)
		}
	})
}

func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{window: 2}
		var done atomic.Int32
		e := run(t, m, new(routetest.Mock), route.From("bus:t?concurrentConsumers=3&maxInFlight=2").ID("r").Process(func(context.Context, *route.Exchange) error {
			time.Sleep(time.Second)
			done.Add(1)
			return nil
		}))
		for range 10 {
			send(t, e, "x")
		}
		time.Sleep(500 * time.Millisecond)
		begun := time.Now()
		if err := e.Stop(t.Context(), "r"); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		c := m.count("t")
		if took := time.Since(begun); took != 500*time.Millisecond {
			t.Errorf("the stop took %v, want no longer than what is in flight", took)
		}
		if done.Load() != 6 || c.acked != 6 || len(c.waiting) != 4 || c.subscriptions != 0 || c.unacknowledged != 0 {
			t.Errorf("done %d, acknowledged %d, waiting %d, subscriptions %d; want 6, 6, 4, 0", done.Load(), c.acked, len(c.waiting), c.subscriptions)
		}
		if err := e.Start("r"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if c := m.count("t"); c.acked != 10 || done.Load() != 10 {
			t.Errorf("acknowledged %d, done %d, want 10", c.acked, done.Load())
		}
	})
}

// Messages of one key are in their order, others are not kept waiting.
func TestOrderByKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{window: 16}
		var most, now atomic.Int32
		got := make(chan [2]string, 400)
		e := run(t, m, new(routetest.Mock), route.From("bus:t?maxInFlight=8&keyHeader=ID").Process(func(_ context.Context, ex *route.Exchange) error {
			for n := now.Add(1); n > most.Load(); {
				most.Store(n)
			}
			time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
			now.Add(-1)
			got <- [2]string{ex.Header("id").(string), ex.Header("n").(string)}
			return nil
		}))
		const keys, each = 10, 20
		for n := range each {
			for k := range keys {
				send(t, e, nil, route.WithHeader("id", fmt.Sprint("k", k)), route.WithHeader("n", fmt.Sprint(n)))
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		close(got)
		next := map[string]int{}
		for g := range got {
			if g[1] != fmt.Sprint(next[g[0]]) {
				t.Errorf("%s: have %s, want %d", g[0], g[1], next[g[0]])
			}
			next[g[0]]++
		}
		if len(next) != keys || next["k0"] != each || most.Load() < 2 || most.Load() > 8 {
			t.Errorf("%d keys, %d of one, %d at a time; want %d, %d, 2 to 8", len(next), next["k0"], most.Load(), keys, each)
		}
	})
}

func TestBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{window: 10}
		var most, now atomic.Int32
		e := run(t, m, new(routetest.Mock), route.From("bus:t?concurrentConsumers=3&maxInFlight=4").Process(func(context.Context, *route.Exchange) error {
			for n := now.Add(1); n > most.Load(); {
				most.Store(n)
			}
			time.Sleep(time.Second)
			now.Add(-1)
			return nil
		}))
		for range 120 {
			send(t, e, "x")
		}
		time.Sleep(time.Minute)
		if c := m.count("t"); most.Load() != 12 || c.acked != 120 {
			t.Errorf("%d at a time, %d acknowledged; want 12 and 120", most.Load(), c.acked)
		}
	})
}

// A consumer whose broker is away begins anew, and says what is wrong.
func TestSupervised(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, mock := &memory{down: errors.New("connection refused")}, new(routetest.Mock)
		e := run(t, m, mock, route.From("bus:t").ID("r").To("mock:out"), route.From("bus:refused").ID("no"))
		subscribed := func(id string) bool {
			s, _ := e.Status().Route(id)
			return s.Subscribed != nil && *s.Subscribed
		}
		fails := func(id, want string) {
			t.Helper()
			s, _ := e.Status().Route(id)
			if s.LastFailure == nil || !strings.Contains(s.LastFailure.Err.Error(), want) {
				t.Errorf("%s: have %v, want %q", id, s.LastFailure, want)
			}
		}
		synctest.Wait()
		fails("r", `topic "t": subscriber: connection refused`)
		if subscribed("r") {
			t.Error("the route is subscribed, though the broker is away")
		}
		if err := e.Send(t.Context(), "bus:t", 1); err == nil || !strings.Contains(err.Error(), "publisher: connection refused") {
			t.Errorf("have %v", err)
		}
		m.mu.Lock()
		m.down = nil
		m.mu.Unlock()
		time.Sleep(time.Minute)
		fails("no", `topic "refused": subscribe: no permission`)
		if !subscribed("r") {
			t.Error("the route is not subscribed")
		}
		m.mu.Lock()
		cut := m.topic("t").cut
		m.topic("t").cut = make(chan struct{})
		m.mu.Unlock()
		close(cut)
		synctest.Wait()
		fails("r", `topic "t": the subscription ended`)
		time.Sleep(time.Minute)
		send(t, e, 1)
		synctest.Wait()
		mock.Check(t, "out", routetest.Count(1))
	})
}

// The publisher is opened once, and closed when the last engine has stopped.
func TestPublisherIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := new(memory)
		c := watermill.New(m.broker())
		stops := make([]func(), 2)
		engines := make([]*route.Engine, 2)
		for i := range engines {
			e, err := route.New(route.Config{Components: route.Components{"bus": c}},
				route.From("bus:in").ID("r").To("bus:t"), route.From("bus:in2").To("bus:u"))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() { done <- e.Run(ctx) }()
			engines[i], stops[i] = e, func() { cancel(); <-done }
		}
		for _, u := range []route.URI{"bus:in", "bus:in2", "bus:x"} {
			for _, e := range engines {
				if err := e.Send(t.Context(), u, 1); err != nil {
					t.Fatal(err)
				}
			}
		}
		synctest.Wait()
		check := func(closings int) {
			t.Helper()
			if m.openings != 1 || m.closings != closings {
				t.Errorf("opened %d times, closed %d times; want 1, %d", m.openings, m.closings, closings)
			}
		}
		if err := engines[0].Stop(t.Context(), "r"); err != nil {
			t.Error(err)
		}
		check(0)
		stops[0]()
		check(0)
		stops[1]()
		check(1)
	})
}

func TestSendFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{failing: errors.New("disk full")}
		e := run(t, m, new(routetest.Mock), route.From("bus:in"))
		for _, tt := range []struct {
			body   any
			header any
			want   string
		}{
			{"x", "x", "disk full"},
			{"x", make(chan int), `header "h": a message has texts in its headers only`},
			{make(chan int), "x", "body: "},
		} {
			err := e.Send(t.Context(), "bus:t", tt.body, route.WithHeader("h", tt.header))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("have %v, want %q", err, tt.want)
			}
		}
	})
}

func TestRefuses(t *testing.T) {
	for u, want := range map[route.URI]string{
		"bus:":                         `nothing after "bus:": want bus:topic`,
		"bus:t?concurrentConsumers=0":  `option "concurrentConsumers": want 1 to 10000, have 0`,
		"bus:t?maxInFlight=-1":         `option "maxInFlight": want 1 to 10000, have -1`,
		"bus:t?maximumRedeliveries=-1": `option "maximumRedeliveries": want 0 to 1048576, have -1`,
		"bus:t?maxInflight=2":          `did you mean maxInFlight?`,
		"none:t":                       "neither a publisher nor a subscriber",
		"out:t":                        "cannot start a route",
	} {
		_, err := route.New(route.Config{Components: components(new(memory), route.Components{
			"none": watermill.New(watermill.Broker{}),
			"out":  watermill.New(watermill.Of(publisher{new(memory)}, nil)),
		})}, route.From(u))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, want %q", u, err, want)
		}
	}
}
