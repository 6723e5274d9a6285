package watermill_test

import (
	"context"
	"errors"
	"maps"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// A memory is a broker that gives each message to one subscription until it is acknowledged.
type memory struct {
	mu       sync.Mutex
	topics   map[string]*topic
	down     error // nobody can subscribe
	openings int
	closings int
	failing  error // of publishing
	window   int   // how many messages a subscription has at a time; 0 means 1
}

type topic struct {
	waiting        []*message.Message
	changed        chan struct{} // closed when something is there
	acked, nacked  int
	subscriptions  int
	cut            chan struct{} // closed to end them
	unacknowledged int
}

func (m *memory) topic(name string) *topic {
	if m.topics == nil {
		m.topics = map[string]*topic{}
	}
	t := m.topics[name]
	if t == nil {
		t = &topic{changed: make(chan struct{}), cut: make(chan struct{})}
		m.topics[name] = t
	}
	return t
}

func (t *topic) put(front bool, ms ...*message.Message) {
	if front {
		t.waiting = append(ms, t.waiting...)
	} else {
		t.waiting = append(t.waiting, ms...)
	}
	close(t.changed)
	t.changed = make(chan struct{})
}

// count returns what a topic counts.
func (m *memory) count(name string) topic {
	m.mu.Lock()
	defer m.mu.Unlock()
	return *m.topic(name)
}

// broker opens a publisher and subscribers, and counts.
func (m *memory) broker() watermill.Broker {
	return watermill.Broker{
		Publisher: func(context.Context) (message.Publisher, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			if m.down != nil {
				return nil, m.down
			}
			m.openings++
			return publisher{m}, nil
		},
		Subscriber: func(context.Context) (message.Subscriber, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			if m.down != nil {
				return nil, m.down
			}
			return &subscriber{memory: m, closing: make(chan struct{})}, nil
		},
	}
}

type publisher struct{ *memory }

func (p publisher) Publish(name string, ms ...*message.Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failing != nil {
		return p.failing
	}
	for _, m := range ms {
		p.topic(name).put(false, m.Copy())
	}
	return nil
}

func (p publisher) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closings++
	return nil
}

type subscriber struct {
	*memory
	closing chan struct{}
	all     sync.WaitGroup
}

func (s *subscriber) Subscribe(ctx context.Context, name string) (<-chan *message.Message, error) {
	if name == "refused" {
		return nil, errors.New("no permission")
	}
	out := make(chan *message.Message)
	s.mu.Lock()
	t := s.topic(name)
	t.subscriptions++
	cut := t.cut
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	var sending sync.WaitGroup
	sending.Go(func() { s.send(ctx, t, out) })
	s.all.Go(func() {
		select {
		case <-ctx.Done():
		case <-s.closing:
		case <-cut:
		}
		cancel()
		sending.Wait()
		close(out)
		s.mu.Lock()
		t.subscriptions--
		s.mu.Unlock()
	})
	return out, nil
}

// send gives the messages in their order, as many at a time as the window has room for.
func (s *subscriber) send(ctx context.Context, t *topic, out chan<- *message.Message) {
	var settling sync.WaitGroup
	defer settling.Wait()
	room := make(chan struct{}, max(1, s.window))
	for {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return
		}
		s.mu.Lock()
		for len(t.waiting) == 0 {
			changed := t.changed
			s.mu.Unlock()
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
			s.mu.Lock()
		}
		m := t.waiting[0].Copy()
		t.waiting = t.waiting[1:]
		t.unacknowledged++
		s.mu.Unlock()
		mctx, done := context.WithCancel(ctx)
		m.SetContext(mctx)
		select {
		case out <- m:
		case <-ctx.Done():
		}
		settling.Go(func() {
			s.settle(ctx, t, m)
			done()
			<-room
		})
	}
}

func (s *subscriber) settle(ctx context.Context, t *topic, m *message.Message) {
	acked, nacked := false, false
	if ctx.Err() == nil { // as with real brokers: when ctx is done, an acknowledgement is lost
		select {
		case <-m.Acked():
			acked = true
		case <-m.Nacked():
			nacked = true
		case <-ctx.Done():
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t.unacknowledged--
	if acked {
		t.acked++
		return
	}
	if nacked {
		t.nacked++
	}
	t.put(true, m.Copy())
}

func (s *subscriber) Close() error {
	close(s.closing)
	s.all.Wait()
	return nil
}

// components are the bridge to a memory, as "bus", and a few others.
func components(m *memory, others route.Components) route.Components {
	all := route.Components{"bus": watermill.New(m.broker())}
	maps.Copy(all, others)
	return all
}
