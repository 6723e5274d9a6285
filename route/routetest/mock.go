package routetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
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
}

// URI returns the address of the endpoint that c describes.
func (c MockConfig) URI() route.URI { return route.Encode("mock", c) }

// A path is what the endpoints of one name share.
type path struct {
	mu      sync.Mutex
	got     []*route.Exchange
	changed chan struct{} // closed when more is got
	reply   route.ProcessorFunc
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
	if err := a.Decode(&c); err != nil {
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
	c := ex.Clone()
	if body, ok := c.Body.([]byte); ok {
		c.Body = bytes.Clone(body)
	}
	p := e.path
	p.mu.Lock()
	p.got = append(p.got, c)
	close(p.changed)
	p.changed = make(chan struct{})
	reply := p.reply
	p.mu.Unlock()
	if reply == nil {
		return nil
	}
	return reply(ctx, ex)
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

// Got returns the exchanges that "mock:" + path was sent so far, as they were then:
// clones with the same bodies, and copies of []byte bodies.
func (m *Mock) Got(path string) []*route.Exchange {
	got, _ := m.path(path).now()
	return got
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
	p.got = nil
}

// now returns what there is, and a channel that is closed when there is more.
func (p *path) now() ([]*route.Exchange, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.got), p.changed
}
