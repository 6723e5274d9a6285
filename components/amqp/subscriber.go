package amqp

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/rabbitmq/amqp091-go"
)

// A subscriber consumes from a queue over a connection of its own.
type subscriber struct {
	*plan
	link  *link
	queue string

	// taking is done when nothing is to be taken any more: the consumer is to stop, or a
	// subscription has ended. What is given back from then on has not failed.
	taking context.Context
	stop   context.CancelFunc
	all    sync.WaitGroup

	mu  sync.Mutex
	err error
}

// newSubscriber connects, and declares or finds the queue. ctx is done when the consumer is to
// stop.
func newSubscriber(ctx context.Context, o Options, p *plan) (_ *subscriber, err error) {
	l, err := o.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, l.cut)() // a server that does not answer
	defer func() {
		if err != nil {
			l.end()
		}
	}()
	ch, err := l.Channel()
	if err != nil {
		return nil, err
	}
	s := &subscriber{plan: p, link: l}
	if isTrue(p.AutoDeclare) {
		s.queue, err = p.declare(ch, true)
	} else {
		s.queue, err = p.find(ch)
	}
	if err != nil {
		return nil, err
	}
	if err := ch.Close(); err != nil {
		return nil, err
	}
	s.taking, s.stop = context.WithCancel(ctx)
	return s, nil
}

// Subscribe implements [message.Subscriber]. When it returns, the server knows of the consumer.
func (s *subscriber) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	defer context.AfterFunc(ctx, s.link.cut)()
	ch, err := s.link.Channel()
	if err != nil {
		return nil, err
	}
	if err := ch.Qos(s.prefetch(), 0, false); err != nil {
		return nil, err
	}
	sub := &subscription{
		subscriber: s, ctx: ctx, ch: ch, tag: fmt.Sprintf("mehari-%p", ch),
		lost: ch.NotifyClose(make(chan *client.Error, 1)), cancelled: ch.NotifyCancel(make(chan string, 1)),
		turn: make(chan struct{}, 1), out: make(chan *message.Message),
	}
	if sub.deliveries, err = ch.Consume(s.queue, sub.tag, false, s.Exclusive, false, false, s.args["consumer"]); err != nil {
		return nil, told("consume from queue", s.queue, err)
	}
	s.all.Go(sub.run)
	return sub.out, nil
}

// Err says why a subscription has ended by itself. It is nil for one that was ended.
func (s *subscriber) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *subscriber) ended(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && s.taking.Err() == nil {
		s.err = err
	}
	s.stop()
}

// Close implements [message.Subscriber].
func (s *subscriber) Close() error {
	s.stop()
	s.link.end()
	s.all.Wait()
	return nil
}

// A subscription is one consumer on a channel of its own.
type subscription struct {
	*subscriber
	ctx        context.Context // ends it
	ch         *client.Channel
	tag        string
	deliveries <-chan client.Delivery
	lost       <-chan *client.Error
	cancelled  <-chan string
	turn       chan struct{} // taken by who gives the next message, so that they are in their order
	out        chan *message.Message
}

func (s *subscription) run() {
	defer close(s.out)
	var all sync.WaitGroup
	for range s.width() {
		all.Go(s.pump)
	}
	all.Go(s.giveBack)
	all.Wait()
	_ = s.ch.Close() // the server has seen what was acknowledged, or else it gives it again
}

// width is how many messages the consumer may have at a time. With a key it waits for its
// lane with one more in its hands.
func (s *subscription) width() int {
	n := max(1, s.MaxInFlight)
	if s.KeyHeader != "" && n > 1 {
		n++
	}
	return n
}

// pump gives one message after the other, each when the last one is done with.
func (s *subscription) pump() {
	for {
		m, d, done := s.next()
		if m == nil {
			return
		}
		s.settle(m, d)
		done()
	}
}

// next gives a message to the consumer, and returns nil when there are no more. done ends the
// context of the message, which shows that the server has been told what has become of it.
func (s *subscription) next() (_ *message.Message, _ *client.Delivery, done func()) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-s.taking.Done():
		return nil, nil, nil
	}
	select {
	case d, ok := <-s.deliveries:
		if !ok {
			s.ended(s.reason())
			return nil, nil, nil
		}
		ctx, done := context.WithCancel(s.ctx)
		m := decode(ctx, &d)
		select {
		case s.out <- m:
			return m, &d, done
		case <-s.taking.Done():
			done()
			_ = d.Nack(false, true) // what is lost comes again, here and below
		}
	case <-s.taking.Done():
	}
	return nil, nil, nil
}

// settle tells the server what has become of a message.
func (s *subscription) settle(m *message.Message, d *client.Delivery) {
	select {
	case <-m.Acked():
	case <-m.Nacked():
	case <-s.ctx.Done():
	}
	select {
	case <-m.Acked():
		_ = d.Ack(false)
	default:
		_ = d.Nack(false, s.taking.Err() != nil || !s.rejects())
	}
}

// reason says why there are no more deliveries.
func (s *subscription) reason() error {
	select {
	case <-s.cancelled:
		return fmt.Errorf("queue %q: the server has ended the consumer: the queue was deleted, or its server is gone", s.queue)
	case e, ok := <-s.lost:
		if ok {
			return fmt.Errorf("queue %q: %w", s.queue, e)
		}
	default:
	}
	return errors.New("the connection was lost")
}

// giveBack waits until nothing is to be taken any more, and gives what has come in advance
// back at once: who is at work may need long.
func (s *subscription) giveBack() {
	defer context.AfterFunc(s.ctx, s.stop)()
	<-s.taking.Done()
	if s.ch.Cancel(s.tag, false) != nil {
		return // it is gone, and all has been given back
	}
	for d := range s.deliveries {
		_ = d.Nack(false, true)
	}
}
