package routetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mehari-go/mehari/route"
)

// A Mock is a component for tests. Its endpoints record what they are sent, and let a
// test send into routes that start at them:
//
//	mock := new(routetest.Mock)
//	routetest.Run(t, route.Config{Components: route.Components{"mock": mock}},
//		route.From("mock:in").Transform(route.Simple("Hello ${body}")).To("mock:out"))
//	mock.Send("in", "World")
//	mock.Check(t, "out", routetest.Bodies("Hello World"))
//
// The zero Mock is ready for use, by many goroutines at once.
type Mock struct {
	mu    sync.Mutex
	paths map[string]*path
}

// MockConfig is everything a mock endpoint can be told.
type MockConfig struct {
	// Name is what the methods of [Mock] call the path.
	Name string `uri:".,required"`

	// RetainFirst and RetainLast are how many of the first and of the last exchanges are
	// kept, where there are too many to keep all; 0 for both keeps all.
	RetainFirst int `uri:"retainFirst"`
	RetainLast  int `uri:"retainLast"`
}

// URI returns the address of the endpoint that c describes.
func (c MockConfig) URI() route.URI { return route.Encode("mock", c) }

// A path is what the endpoints of one name share.
type path struct {
	mu      sync.Mutex
	got     Got
	first   int           // of got.Exchanges are the first ones
	changed chan struct{} // closed when more is got
	reply   route.ProcessorFunc
	replies []route.ProcessorFunc // of the next ones
	intake  *intake
	opened  chan struct{} // closed when there is an intake
}

// An intake is a consumer from its start to its end.
type intake struct {
	ctx   context.Context
	next  route.Processor
	calls sync.WaitGroup
}

func (m *Mock) path(name string) *path {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.paths[name]
	if p == nil {
		p = &path{changed: make(chan struct{}), opened: make(chan struct{})}
		if m.paths == nil {
			m.paths = map[string]*path{}
		}
		m.paths[name] = p
	}
	return p
}

// Endpoint implements [route.Component].
func (m *Mock) Endpoint(_ route.Env, a route.Address) (route.Endpoint, error) {
	var c MockConfig
	err := a.Decode(&c)
	if c.RetainFirst < 0 || c.RetainLast < 0 {
		err = errors.Join(err, errors.New(`options "retainFirst" and "retainLast": want numbers that are not negative`))
	}
	if err != nil {
		return nil, err
	}
	return endpoint{a.Scheme, c, m.path(c.Name)}, nil
}

type endpoint struct {
	scheme string
	config MockConfig
	path   *path
}

var (
	_ route.Consumer = endpoint{}
	_ route.Producer = endpoint{}
)

func (e endpoint) String() string { return route.Redact(e.scheme, e.config) }

// Process implements [route.Producer].
func (e endpoint) Process(ctx context.Context, ex *route.Exchange) error {
	if reply := e.path.record(ex, e.config); reply != nil {
		return reply(ctx, ex)
	}
	return nil
}

// record keeps what is sent, and returns what is to be done with it, or nil.
func (p *path) record(ex *route.Exchange, c MockConfig) (reply route.ProcessorFunc) {
	kept := ex.Clone()
	if body, ok := kept.Body.([]byte); ok {
		kept.Body = bytes.Clone(body)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	got := &p.got
	got.Total++
	keep := c.RetainFirst == 0 && c.RetainLast == 0
	switch {
	case keep:
	case p.first < c.RetainFirst:
		p.first++
		keep = true
	case c.RetainLast > 0:
		keep = true
		if len(got.Exchanges)-p.first == c.RetainLast {
			got.Exchanges = slices.Delete(got.Exchanges, p.first, p.first+1)
			got.Arrived = slices.Delete(got.Arrived, p.first, p.first+1)
		}
	}
	if keep {
		got.Exchanges, got.Arrived = append(got.Exchanges, kept), append(got.Arrived, time.Now())
	}
	close(p.changed)
	p.changed = make(chan struct{})
	if len(p.replies) > 0 {
		reply, p.replies = p.replies[0], p.replies[1:]
		return reply
	}
	return p.reply
}

// Consume implements [route.Consumer].
func (e endpoint) Consume(ctx context.Context, next route.Processor) error {
	p, in := e.path, &intake{ctx: ctx, next: next}
	p.mu.Lock()
	if p.intake != nil {
		p.mu.Unlock()
		return fmt.Errorf("%s has a consumer already, and there can be one", e)
	}
	p.intake = in
	close(p.opened)
	p.mu.Unlock()

	<-ctx.Done()

	p.mu.Lock()
	p.intake, p.opened = nil, make(chan struct{})
	p.mu.Unlock()
	in.calls.Wait()
	return nil
}

// patience is how long a test waits for what has to happen, such as a route to start.
var patience = 10 * time.Second

// enter returns the consumer of a path, once there is one. The caller ends its call.
func (m *Mock) enter(name string) (*intake, error) {
	p := m.path(name)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		p.mu.Lock()
		in, opened := p.intake, p.opened
		if in != nil {
			in.calls.Add(1)
		}
		p.mu.Unlock()
		if in != nil {
			return in, nil
		}
		select {
		case <-opened:
		case <-timer.C:
			return nil, fmt.Errorf("routetest: no route from mock:%s has started within %v", name, patience)
		}
	}
}

// Send sends a message into the route from "mock:" + path, in the caller's goroutine.
// It returns what the route returns. It waits for the route to start, but not for ever.
func (m *Mock) Send(path string, body any, options ...route.SendOption) error {
	ex := route.NewExchange(body)
	defer ex.Release()
	return m.send(path, ex, options)
}

// Request is like [Mock.Send] for someone who waits for a reply. It returns the
// exchange as the route has left it, which is the caller's, who need not release it.
func (m *Mock) Request(path string, body any, options ...route.SendOption) (*route.Exchange, error) {
	ex := route.NewRequest(body)
	return ex, m.send(path, ex, options)
}

func (m *Mock) send(path string, ex *route.Exchange, options []route.SendOption) error {
	for _, o := range options {
		o(ex)
	}
	in, err := m.enter(path)
	if err != nil {
		return err
	}
	defer in.calls.Done()
	return in.next.Process(in.ctx, ex)
}

// Reply makes f what "mock:" + path does with the exchanges it is sent, after it has
// recorded them. Without it, it does nothing.
func (m *Mock) Reply(path string, f route.ProcessorFunc) {
	p := m.path(path)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reply = f
}

// ReplyNext makes each of replies what "mock:" + path does with one of the next exchanges,
// in this order, before that of [Mock.Reply]. One that is nil does nothing.
func (m *Mock) ReplyNext(path string, replies ...route.ProcessorFunc) {
	p := m.path(path)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range replies {
		if f == nil {
			f = func(context.Context, *route.Exchange) error { return nil }
		}
		p.replies = append(p.replies, f)
	}
}

// ReplyBody returns a reply for [Mock.Reply]: the body.
func ReplyBody(body any) route.ProcessorFunc {
	return func(_ context.Context, ex *route.Exchange) error { ex.Body = body; return nil }
}

// ReplyHeader returns a reply for [Mock.Reply]: a header, besides what there is.
func ReplyHeader(name string, value any) route.ProcessorFunc {
	return func(_ context.Context, ex *route.Exchange) error { ex.SetHeader(name, value); return nil }
}

// ReplyError returns a reply for [Mock.Reply]: the endpoint fails.
func ReplyError(err error) route.ProcessorFunc {
	return func(context.Context, *route.Exchange) error { return err }
}

// Got returns the exchanges that "mock:" + path was sent so far, as they were then:
// clones with the same bodies, and copies of []byte bodies.
func (m *Mock) Got(path string) []*route.Exchange {
	got, _ := m.path(path).now()
	return got.Exchanges
}

// Total returns how many exchanges "mock:" + path was sent so far, also those that are not
// kept.
func (m *Mock) Total(path string) int {
	got, _ := m.path(path).now()
	return got.Total
}

// Bodies returns the bodies that "mock:" + path was sent so far.
func (m *Mock) Bodies(path string) []any {
	got := m.Got(path)
	bodies := make([]any, len(got))
	for i, ex := range got {
		bodies[i] = ex.Body
	}
	return bodies
}

// Reset forgets what "mock:" + path was sent.
func (m *Mock) Reset(path string) {
	p := m.path(path)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got, p.first = Got{}, 0
}

// now returns what there is, and a channel that is closed when there is more.
func (p *path) now() (Got, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Got{slices.Clone(p.got.Exchanges), slices.Clone(p.got.Arrived), p.got.Total}, p.changed
}

// Endpoints returns an interceptor that records in m, too, what is sent to endpoints that
// match a pattern, in which * stands for any text. The path is the endpoint's URI without
// options, such as "kafka:orders":
//
//	route.Config{Routes: route.Configuration{Intercept: []*route.Interceptor{mock.Endpoints("kafka:*").Skip()}}}
//
// With Skip it is sent there only, and [Mock.Reply] makes the reply.
func (m *Mock) Endpoints(pattern string) *route.Interceptor {
	return route.InterceptSendTo(pattern).Process(func(ctx context.Context, ex *route.Exchange) error {
		uri, _ := route.InterceptedEndpoint.Get(ex)
		name, _, _ := strings.Cut(uri, "?")
		if reply := m.path(name).record(ex, MockConfig{}); reply != nil {
			return reply(ctx, ex)
		}
		return nil
	})
}
