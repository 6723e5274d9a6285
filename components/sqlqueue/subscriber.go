package sqlqueue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
)

// A subscriber takes messages for one run of a consumer, whose workers share them.
type subscriber struct {
	*settler
	stopping context.Context // the consumer takes no more
	out      chan *message.Message
	begin    sync.Once
	feeding  sync.WaitGroup
	watching sync.WaitGroup
}

// subscribe makes the group known.
func (e *endpoint) subscribe(ctx context.Context) (message.Subscriber, error) {
	if err := e.wanted(ctx); err != nil {
		return nil, err
	}
	holder := strings.ReplaceAll(watermill.NewUUID(), "-", "")
	s := &subscriber{
		settler:  newSettler(e, holder),
		stopping: ctx,
		out:      make(chan *message.Message),
	}
	within, cancel := context.WithTimeout(ctx, e.config.ackWait())
	defer cancel()
	if err := s.join(within); err != nil {
		return nil, err
	}
	s.all.Go(s.run)
	return s, nil
}

// join makes the group known to those who send, and to those who take turns.
func (s *subscriber) join(ctx context.Context) error {
	c := s.config
	var known int
	if err := s.db.QueryRowContext(ctx, s.sql.grouped, c.Topic, c.Group).Scan(&known); err != nil {
		return err
	}
	if known == 0 {
		if _, err := s.db.ExecContext(ctx, s.sql.register, c.Topic, c.Group); err != nil {
			return fmt.Errorf("group %q: %w", c.Group, err)
		}
	}
	if c.Ordered {
		if _, err := s.db.ExecContext(ctx, s.sql.candid, c.Topic, c.Group); err != nil {
			return fmt.Errorf("group %q: %w", c.Group, err)
		}
	}
	return nil
}

// Subscribe implements [message.Subscriber]. Each call returns the same channel.
func (s *subscriber) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	s.begin.Do(func() { s.feeding.Go(func() { s.feed(ctx) }) })
	return s.out, nil
}

// feed takes messages from the table and gives them, until ctx is done or the table cannot be
// read. From when the consumer stops it gives no more.
func (s *subscriber) feed(ctx context.Context) {
	defer close(s.out)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	defer context.AfterFunc(s.broken, cancel)()
	idle := time.Duration(0) // since it has found something: then it may find more soon
	for s.room(ctx) {
		heard := s.bell.listen(s.config.Topic)
		rows, err := s.take(ctx, idle > 0)
		if err != nil {
			if ctx.Err() == nil {
				s.fail(err)
			}
			return
		}
		if len(rows) > 0 {
			idle = 0
			s.give(ctx, rows)
			continue
		}
		idle = min(max(2*idle, s.config.pollInterval()/64), s.config.pollInterval())
		wait := time.NewTimer(idle)
		select {
		case <-wait.C:
		case <-heard:
		case <-ctx.Done():
		}
		wait.Stop()
	}
}

// give gives rows one after the other, and back what is not taken.
func (s *subscriber) give(ctx context.Context, rows []*row) {
	for i, r := range rows {
		if !s.owns(r) { // this process was asleep: someone else has them
			s.forget(rows[i:])
			return
		}
		m := r.message()
		select {
		case s.out <- m:
		case <-ctx.Done():
			r.done()
			s.add(unworked, rows[i:]...)
			return
		}
		told := make(chan outcome, 1)
		s.watching.Go(func() { told <- s.watch(r, m) })
		if !s.config.Ordered {
			continue
		}
		select {
		case o := <-told:
			if o == succeeded {
				continue
			}
		case <-ctx.Done():
		}
		s.add(unworked, rows[i+1:]...)
		return
	}
}

// watch waits for the outcome of a message. What is still worked on at the end someone else gets
// when its time is over.
func (s *subscriber) watch(r *row, m *message.Message) outcome {
	select {
	case <-m.Acked():
	case <-m.Nacked():
	case <-s.closing:
	}
	o := failed
	select {
	case <-m.Acked():
		o = succeeded
	case <-m.Nacked():
	default:
		return o
	}
	s.add(o, r)
	return o
}

// take claims rows that are due, in their order.
func (s *subscriber) take(ctx context.Context, peek bool) ([]*row, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	c := s.config
	if c.Ordered {
		leads, err := s.lead(ctx)
		if err != nil || !leads {
			return nil, err
		}
	}
	if peek && s.sql.dialect != PostgreSQL { // where to claim nothing is not cheap
		found, err := s.found(ctx)
		if err != nil || !found {
			return nil, err
		}
	}
	until := time.Now().Add(c.ackWait())
	rows, err := s.claimed(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		r.until = until
	}
	s.hold(rows)
	if c.MaxDeliver == 0 {
		return rows, nil
	}
	fresh := rows[:0]
	for _, r := range rows {
		if r.deliveries > c.MaxDeliver {
			s.add(dead, r)
			continue
		}
		fresh = append(fresh, r)
	}
	return fresh, nil
}

// Close implements [message.Subscriber]. It returns what has ended the subscription before its time.
func (s *subscriber) Close() error {
	s.begin.Do(func() { close(s.out) }) // there was no Subscribe
	s.feeding.Wait()
	close(s.closing)
	s.watching.Wait()
	close(s.last)
	s.all.Wait()
	if err := context.Cause(s.broken); err != nil && !errors.Is(err, errClosed) {
		return err
	}
	return nil
}
