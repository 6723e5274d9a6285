package routetest

import (
	"context"
	"fmt"
	"sync"

	"github.com/mehari-go/mehari/route"
)

// A Stub is a component that stands for another one in a test: it serves any URI without
// looking at its options. What is sent to an endpoint waits there for the route that is
// from it, up to 1000 messages; what a route has taken, and what nobody takes, a test
// sees by [Stub.Got].
//
//	stub := new(routetest.Stub)
//	route.Components{"kafka": stub, "stub": stub}
//
// The name of an endpoint is what stands before the "?", without the scheme. The zero Stub
// is ready for use, by many goroutines at once.
type Stub struct {
	mu     sync.Mutex
	queues map[string]*stubQueue
}

// stubSize is how many messages wait, as in Camel.
const stubSize = 1000

type stubQueue struct {
	mock    path
	waiting chan *route.Exchange
}

func (s *Stub) queue(name string) *stubQueue {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[name]
	if q == nil {
		q = &stubQueue{path{changed: make(chan struct{})}, make(chan *route.Exchange, stubSize)}
		if s.queues == nil {
			s.queues = map[string]*stubQueue{}
		}
		s.queues[name] = q
	}
	return q
}

// Endpoint implements [route.Component].
func (s *Stub) Endpoint(_ route.Env, a route.Address) (route.Endpoint, error) {
	if a.Path == "" {
		return nil, fmt.Errorf("nothing after %q: want %s:name", a.Scheme+":", a.Scheme)
	}
	return stubEndpoint{a.Scheme + ":" + a.Path, s.queue(a.Path)}, nil
}

// Got returns the exchanges that the endpoint with a name was sent so far, as they were
// then.
func (s *Stub) Got(name string) []*route.Exchange {
	got, _ := s.queue(name).mock.now()
	return got.Exchanges
}

type stubEndpoint struct {
	uri string
	*stubQueue
}

func (e stubEndpoint) String() string { return e.uri }

// Process implements [route.Producer].
func (e stubEndpoint) Process(_ context.Context, ex *route.Exchange) error {
	c := ex.Handover(false)
	select {
	case e.waiting <- c:
	default:
		c.Release()
		return fmt.Errorf("%s is full: %d messages wait, and nobody takes them", e, stubSize)
	}
	e.mock.record(ex, MockConfig{})
	return nil
}

// Consume implements [route.Consumer].
func (e stubEndpoint) Consume(ctx context.Context, next route.Processor) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case ex := <-e.waiting:
			_ = next.Process(ctx, ex) // the route has told it
			ex.Release()
		}
	}
}
