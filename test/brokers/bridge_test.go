package brokers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// Watermill's suite drives routes through these: a publisher that sends to endpoints, and a
// subscriber that has a route for each subscription.

// A bridge says what the endpoints of topics are.
type bridge struct {
	component func() route.Component
	from, to  func(topic string) route.URI

	routes route.Configuration
	silent bool          // consumers do not tell whether they are subscribed
	drain  time.Duration // 0 means 10s
}

// start runs an engine until stop is called, which returns when it has stopped.
func (b bridge) start(routes ...*route.Route) (e *route.Engine, stop func(), err error) {
	e, err = route.New(route.Config{
		Components: route.Components{"b": b.component()},
		Logger:     slog.New(slog.DiscardHandler),
		Routes:     b.routes,
		Drain:      cmp.Or(b.drain, 10*time.Second),
		Restart:    route.Backoff{Delay: 50 * time.Millisecond, Max: time.Second},
	}, routes...)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	return e, sync.OnceFunc(func() { cancel(); <-done }), nil
}

// pubSub makes a pair for the suite.
func (b bridge) pubSub(t *testing.T) (message.Publisher, message.Subscriber) {
	t.Helper()
	e, stop, err := b.start(route.From("b:unused").AutoStart(false))
	if err != nil {
		t.Fatal(err)
	}
	return &sender{b, e, stop}, &taker{bridge: b, closing: make(chan struct{})}
}

type sender struct {
	bridge
	engine *route.Engine
	stop   func()
}

func (s *sender) Publish(topic string, ms ...*message.Message) error {
	for _, m := range ms {
		options := []route.SendOption{route.WithHeader(watermill.UUID.Name(), m.UUID)}
		for name, value := range m.Metadata {
			options = append(options, route.WithHeader(name, value))
		}
		if err := s.engine.Send(m.Context(), s.to(topic), []byte(m.Payload), options...); err != nil {
			return err
		}
	}
	return nil
}

func (s *sender) Close() error {
	s.stop()
	return nil
}

type taker struct {
	bridge
	closing chan struct{}
	once    sync.Once
	all     sync.WaitGroup
}

var errNack = errors.New("nack")

func (s *taker) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	out := make(chan *message.Message)
	ctx, cancel := context.WithCancel(ctx)
	e, stop, err := s.start(route.From(s.from(topic)).ID("r").Process(func(_ context.Context, ex *route.Exchange) error {
		id, _ := watermill.UUID.Get(ex)
		m := message.NewMessage(id, ex.Body.([]byte))
		for name, value := range ex.Headers() {
			if name != watermill.UUID.Name() {
				m.Metadata[name] = fmt.Sprint(value)
			}
		}
		mctx, done := context.WithCancel(ctx)
		defer done()
		m.SetContext(mctx)
		select {
		case out <- m:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-m.Acked():
			return nil
		case <-m.Nacked():
			return errNack
		case <-ctx.Done():
			return ctx.Err()
		}
	}))
	if err != nil {
		cancel()
		return nil, err
	}
	s.all.Go(func() {
		select {
		case <-ctx.Done():
		case <-s.closing:
		}
		cancel()
		stop()
		close(out)
	})
	ready := subscribed
	if s.silent {
		ready = func(e *route.Engine) error { return e.Started(ctx) }
	}
	if err := ready(e); err != nil {
		cancel()
		return nil, err
	}
	return out, nil
}

func (s *taker) Close() error {
	s.once.Do(func() { close(s.closing) })
	s.all.Wait()
	return nil
}

// subscribed waits until the routes get what is sent.
func subscribed(e *route.Engine) error {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		missing := 0
		for _, r := range e.Status().Routes {
			if r.AutoStart && (r.Subscribed == nil || !*r.Subscribed) {
				missing++
			}
		}
		if missing == 0 {
			return nil
		}
	}
	for _, r := range e.Status().Routes {
		if r.LastFailure != nil {
			return r.LastFailure.Err
		}
	}
	return errors.New("a route is not subscribed after 20s")
}

// engine runs routes with components until the test ends.
func engine(t testing.TB, components route.Components, routes ...*route.Route) *route.Engine {
	t.Helper()
	e, err := route.New(route.Config{
		Components: components, Logger: slog.New(slog.DiscardHandler),
		Restart: route.Backoff{Delay: 20 * time.Millisecond, Max: 200 * time.Millisecond},
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
	if err := subscribed(e); err != nil {
		t.Fatal(err)
	}
	return e
}

// freeForm are headers that not every broker takes as they are.
var freeForm = map[string]any{
	"plain": "x", "Mixed-Case": "X", "a name: ö": "grüße", "lines": "two\nlines", "blanks": "  around ", "empty": "", "percent": "50%+%20",
	"{json}": `{"a":"b"}`, "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}

// roundTrip sends a message with difficult content to an endpoint and looks at what comes
// out of another.
func roundTrip(t *testing.T, component route.Component, from, to route.URI) {
	t.Helper()
	type message struct {
		body    string
		headers map[string]any
	}
	got := make(chan message, 10)
	e := engine(t, route.Components{"b": component}, route.From(from).Process(func(_ context.Context, ex *route.Exchange) error {
		got <- message{string(ex.Body.([]byte)), maps.Collect(ex.Headers())}
		return nil
	}))
	binary := make([]byte, 256)
	for i := range binary {
		binary[i] = byte(i)
	}
	for _, body := range [][]byte{binary, nil} {
		options := []route.SendOption{route.WithHeader("CamelMessageUUID", "order-7")}
		for name, value := range freeForm {
			options = append(options, route.WithHeader(name, value))
		}
		if err := e.Send(t.Context(), to, body, options...); err != nil {
			t.Fatal(err)
		}
		select {
		case m := <-got:
			if m.body != string(body) {
				t.Errorf("body is %q, want %q", m.body, body)
			}
			for name, want := range freeForm {
				if m.headers[name] != want {
					t.Errorf("header %q is %q, want %q", name, m.headers[name], want)
				}
			}
			if m.headers["CamelMessageUUID"] != "order-7" {
				t.Errorf("the UUID is %v", m.headers["CamelMessageUUID"])
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no message comes")
		}
	}
}
