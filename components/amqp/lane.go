package amqp

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	client "github.com/rabbitmq/amqp091-go"
)

// An UnroutableError is what sending returns when there is no queue that gets a message.
type UnroutableError struct {
	Exchange, RoutingKey string
	Reason               string // in the words of the server
}

// Error implements error.
func (e *UnroutableError) Error() string {
	name := e.Exchange
	if name == "" {
		name = defaultExchange
	}
	return fmt.Sprintf("no queue gets what is sent to exchange %q with routing key %q: %s", name, e.RoutingKey, e.Reason)
}

// A lane sends one message at a time over a channel.
type lane struct {
	*publisher
	doing    atomic.Value // string
	link     *link
	ch       *client.Channel
	lost     <-chan *client.Error
	returned <-chan client.Return
}

// confirming is what a lane does when the server may have the message.
const confirming = "the server may have it all the same"

// send returns when the server has confirmed or refused a message. It gives up when nobody
// waits any more, but for one whose fate is with the server.
func (l *lane) send(ctx context.Context, s *sending) error {
	if err := l.ready(ctx); err != nil {
		return err
	}
	if err := l.declare(s.target); err != nil {
		return err
	}
	p := s.publishing
	if room := l.link.Config.FrameSize - 4096; room > 0 && size(p.Headers) > room {
		return fmt.Errorf("headers: the server takes about %d bytes, have %d", room, size(p.Headers))
	}
	l.doing.Store(confirming)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	confirmed, err := l.ch.PublishWithDeferredConfirm(s.target.exchange, s.key, isTrue(s.target.Mandatory), false, p)
	if err != nil {
		return err
	}
	acked := confirmed.Wait()
	select { // the server tells this before it confirms
	case r, ok := <-l.returned:
		if ok {
			s.target.declared.Store(nil)
			return &UnroutableError{Exchange: r.Exchange, RoutingKey: r.RoutingKey, Reason: r.ReplyText}
		}
	default:
	}
	switch {
	case acked:
		return nil
	case !l.ch.IsClosed():
		return errors.New("the server has refused the message: the queue may be full")
	}
	s.target.declared.Store(nil)
	return l.why()
}

// ready makes sure that there is a channel.
func (l *lane) ready(ctx context.Context) error {
	l.doing.Store("no connection yet")
	link, err := l.connected(ctx)
	if err != nil {
		return err
	}
	if !l.gate.wait(ctx) {
		return context.Cause(ctx)
	}
	if l.link == link && !l.ch.IsClosed() {
		return nil
	}
	l.doing.Store("no channel yet")
	ch, err := link.Channel()
	if err != nil {
		return err
	}
	if err := ch.Confirm(false); err != nil {
		return err
	}
	l.link, l.ch = link, ch
	l.lost = ch.NotifyClose(make(chan *client.Error, 1))
	l.returned = ch.NotifyReturn(make(chan client.Return, 1))
	return nil
}

// declare does so once for each connection.
func (l *lane) declare(t *target) error {
	if !t.AutoDeclareProducer || t.declared.Load() == l.link {
		return nil
	}
	l.doing.Store("it is not declared yet where it goes")
	if _, err := t.plan.declare(l.ch, false); err != nil {
		return err
	}
	t.declared.Store(l.link)
	return nil
}

// why says why the channel is closed.
func (l *lane) why() error {
	if e, ok := <-l.lost; ok {
		return e
	}
	return errors.New("the connection has ended before the server has confirmed the message")
}
