package watermill

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/route"
)

// closeTime is how long the end of a subscription may take: for the broker to be told of the
// last acknowledgements, and again for what is left to be given back.
const closeTime = 5 * time.Second

type consumer struct{ wire *Wire }

var _ route.Consumer = consumer{}

func (c consumer) String() string { return c.wire.Address }

// Consume implements [route.Consumer]. It opens a subscriber and closes it. When ctx is done
// it takes no more, finishes what is in flight, lets the subscriber acknowledge it, and only
// then ends the subscriptions.
func (c consumer) Consume(ctx context.Context, next route.Processor) (err error) {
	if ctx.Err() != nil {
		return nil
	}
	route.ReportSubscribed(ctx, false)
	sub, err := c.wire.Subscriber(ctx)
	if err == nil && sub == nil {
		err = errors.New("there is none")
	}
	if err != nil {
		return c.wire.errorf("subscriber: %w", err)
	}
	s := &subscription{wire: c.wire, next: next, ctx: ctx}
	s.taking, s.stop = context.WithCancelCause(ctx)
	defer s.stop(nil)
	// The subscriptions outlive ctx: a subscriber forgets what is in flight when theirs ends.
	s.live, s.end = context.WithCancel(context.WithoutCancel(ctx))
	defer s.end()
	defer func() {
		if closeErr := sub.Close(); closeErr != nil {
			err = errors.Join(err, c.wire.errorf("close: %w", closeErr))
		}
	}()
	if err := s.subscribe(sub); err != nil {
		s.close()
		if ctx.Err() != nil {
			return nil
		}
		return c.wire.errorf("subscribe: %w", err)
	}
	route.ReportSubscribed(ctx, true)
	s.run()
	route.ReportSubscribed(ctx, false)
	s.settle()
	s.close()
	if ctx.Err() != nil {
		return nil
	}
	if told, ok := sub.(interface{ Err() error }); ok && told.Err() != nil {
		return c.wire.errorf("%w", told.Err())
	}
	return c.wire.errorf("%w", context.Cause(s.taking))
}

var errEnded = errors.New("the subscription ended")

// A subscription is one run of a consumer.
type subscription struct {
	wire   *Wire
	next   route.Processor
	ctx    context.Context // of the exchanges
	taking context.Context // ends the taking of messages
	stop   context.CancelCauseFunc
	live   context.Context // of the subscriptions
	end    context.CancelFunc
	inputs []<-chan *message.Message

	mu      sync.Mutex
	settled []<-chan struct{} // of messages of which the subscriber may not have told the broker yet
}

// subscribe begins all subscriptions.
func (s *subscription) subscribe(sub message.Subscriber) error {
	defer context.AfterFunc(s.ctx, s.end)() // not called when they have begun
	for range max(1, s.wire.ConcurrentConsumers) {
		in, err := sub.Subscribe(s.live, s.wire.Topic)
		if err != nil {
			return err
		}
		s.inputs = append(s.inputs, in)
	}
	return nil
}

// run returns when no message is taken any more and none is in flight.
func (s *subscription) run() {
	var all sync.WaitGroup
	workers := max(1, s.wire.MaxInFlight)
	for _, in := range s.inputs {
		if s.wire.KeyHeader == "" || workers == 1 {
			for range workers {
				all.Go(func() { s.work(in) })
			}
			continue
		}
		lanes := make([]chan *message.Message, workers)
		for i := range lanes {
			lanes[i] = make(chan *message.Message)
			all.Go(func() { s.work(lanes[i]) })
		}
		all.Go(func() { s.sort(in, lanes) })
	}
	all.Wait()
}

// work takes messages one after the other.
func (s *subscription) work(in <-chan *message.Message) {
	w := &worker{subscription: s}
	defer w.leave()
	for {
		select {
		case <-s.taking.Done():
			return
		case m, ok := <-in:
			if !ok {
				s.stop(errEnded)
				return
			}
			w.process(m)
		}
	}
}

// close ends the subscriptions and gives back what they still send.
func (s *subscription) close() {
	s.end()
	timer := time.NewTimer(closeTime)
	defer timer.Stop()
	for _, in := range s.inputs {
		for open := true; open; {
			var m *message.Message
			select {
			case m, open = <-in:
				if open {
					m.Nack()
				}
			case <-timer.C:
				return // Close is the last means
			}
		}
	}
}

// settle waits until the subscriber has told the broker what has become of the messages,
// which it shows by ending their contexts.
func (s *subscription) settle() {
	timer := time.NewTimer(closeTime)
	defer timer.Stop()
	for _, done := range s.settled {
		select {
		case <-done:
		case <-timer.C:
			return // those that are missing come again
		}
	}
}
