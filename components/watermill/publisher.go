package watermill

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"
)

// A Publisher is one that the producers of a component share. It is opened when the first
// of them sends, and closed when the last engine that has the component has stopped, so that
// no route closes what another one uses. A component delegates the methods of
// [route.Lifecycle] to it. Its methods may be called by many goroutines at once.
type Publisher struct {
	open func(ctx context.Context) (message.Publisher, error)

	mu      sync.RWMutex // read while a message is on its way
	opened  message.Publisher
	engines int
}

// NewPublisher returns a Publisher that open opens.
func NewPublisher(open func(ctx context.Context) (message.Publisher, error)) *Publisher {
	return &Publisher{open: open}
}

// publish sends messages. It returns when the publisher has: that cannot be called off.
func (p *Publisher) publish(ctx context.Context, topic string, ms ...*message.Message) error {
	for {
		p.mu.RLock()
		if p.opened != nil {
			defer p.mu.RUnlock()
			return p.opened.Publish(topic, ms...)
		}
		p.mu.RUnlock()
		if err := p.connect(ctx); err != nil {
			return err
		}
	}
}

func (p *Publisher) connect(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.opened != nil {
		return nil
	}
	if err := ctx.Err(); err != nil { // while others tried
		return context.Cause(ctx)
	}
	opened, err := p.open(ctx)
	if err == nil && opened == nil {
		err = errors.New("there is none")
	}
	if err != nil {
		return fmt.Errorf("publisher: %w", err)
	}
	p.opened = opened
	return nil
}

// EngineStarted implements [route.Lifecycle].
func (p *Publisher) EngineStarted() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.engines++
}

// EngineStopped implements [route.Lifecycle].
func (p *Publisher) EngineStopped(ctx context.Context) error {
	p.mu.Lock()
	p.engines--
	last := p.engines == 0
	p.mu.Unlock()
	if !last {
		return nil
	}
	done := make(chan error, 1)
	go func() { done <- p.Close() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("publisher: it does not close: %w", context.Cause(ctx))
	}
}

// Close closes what is open, when the messages that are on their way have been sent.
func (p *Publisher) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	opened := p.opened
	p.opened = nil
	if opened == nil {
		return nil
	}
	if err := opened.Close(); err != nil {
		return fmt.Errorf("publisher: %w", err)
	}
	return nil
}
