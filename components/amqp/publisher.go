package amqp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/rabbitmq/amqp091-go"
)

// A publisher sends over a connection that it makes when it has none. Each message that is on
// its way has a channel for itself: what the server says on it is about that message.
type publisher struct {
	options Options
	busy    chan struct{} // has one for each lane that is
	life    context.Context
	end     context.CancelFunc
	all     sync.WaitGroup
	gate    gate

	mu   sync.Mutex
	link *link

	idleMu sync.Mutex
	idle   []*lane // the last one is the next, so that there are no more channels than need be
}

func newPublisher(o Options) *publisher {
	p := &publisher{options: o, busy: make(chan struct{}, cmp.Or(o.Channels, defaultChannels))}
	p.life, p.end = context.WithCancel(context.Background())
	return p
}

// Publish implements [message.Publisher]. It returns when the server has confirmed the
// messages.
func (p *publisher) Publish(_ string, ms ...*message.Message) error {
	for _, m := range ms {
		s, ok := m.Context().Value(sendingKey{}).(*sending)
		if !ok {
			return errors.New("it is not known how to send the message")
		}
		if err := p.send(m.Context(), s); err != nil {
			return err
		}
	}
	return nil
}

// send gives a message to a lane, and waits no longer than the endpoint says.
func (p *publisher) send(parent context.Context, s *sending) error {
	ctx, cancel := context.WithTimeout(parent, s.target.timeout())
	defer cancel()
	doing := "all channels are in use"
	outcome := "not sent"
	select {
	case p.busy <- struct{}{}:
		l := p.take()
		done := make(chan error, 1)
		p.all.Go(func() {
			err := l.send(ctx, s)
			p.put(l)
			done <- err
		})
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
			if doing = l.doing.Load().(string); doing == confirming {
				outcome = "not confirmed"
			}
		}
	case <-ctx.Done():
	}
	if parent.Err() != nil {
		return context.Cause(parent)
	}
	if why := p.gate.why(); why != "" {
		doing = "the server takes no messages: " + why
	}
	return fmt.Errorf("%s within %v: %s", outcome, s.target.timeout(), doing)
}

func (p *publisher) take() *lane {
	p.idleMu.Lock()
	defer p.idleMu.Unlock()
	n := len(p.idle) - 1
	if n < 0 {
		l := &lane{publisher: p}
		l.doing.Store("it has not begun")
		return l
	}
	l := p.idle[n]
	p.idle = p.idle[:n]
	return l
}

func (p *publisher) put(l *lane) {
	l.doing.Store("it has not begun")
	p.idleMu.Lock()
	p.idle = append(p.idle, l)
	p.idleMu.Unlock()
	<-p.busy
}

// connected returns the connection, which it makes if there is none.
func (p *publisher) connected(ctx context.Context) (*link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.link != nil && !p.link.IsClosed() {
		return p.link, nil
	}
	if ctx.Err() != nil { // while others tried
		return nil, context.Cause(ctx)
	}
	l, err := p.options.connect(p.life)
	if err != nil {
		return nil, err
	}
	p.link = l
	blocked := l.NotifyBlocked(make(chan client.Blocking, 1))
	p.all.Go(func() {
		for b := range blocked {
			if b.Active {
				p.gate.shut(cmp.Or(b.Reason, "it does not say why"))
			} else {
				p.gate.open()
			}
		}
		p.gate.open() // the next connection is told anew
	})
	return l, nil
}

// Close implements [message.Publisher].
func (p *publisher) Close() error {
	p.end()
	p.mu.Lock()
	l := p.link
	p.mu.Unlock()
	if l != nil {
		l.end()
	}
	p.all.Wait()
	return nil
}

// A gate is shut while the server takes no messages.
type gate struct {
	mu     sync.Mutex
	reason string
	opened chan struct{} // closed when it is open; nil while it was never shut
}

func (g *gate) shut(reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.reason == "" {
		g.opened = make(chan struct{})
	}
	g.reason = reason
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.reason != "" {
		close(g.opened)
		g.reason = ""
	}
}

// why says why the gate is shut, or nothing.
func (g *gate) why() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.reason
}

// wait returns when the gate is open, or false when ctx is done.
func (g *gate) wait(ctx context.Context) bool {
	g.mu.Lock()
	opened, isShut := g.opened, g.reason != ""
	g.mu.Unlock()
	if !isShut {
		return ctx.Err() == nil
	}
	select {
	case <-opened:
		return true
	case <-ctx.Done():
		return false
	}
}
