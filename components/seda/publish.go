package seda

import (
	"context"
	"errors"

	"github.com/mehari-go/mehari/route"
)

// publish gives every reader a copy, or none of them.
func (e *endpoint) publish(ctx context.Context, s *shape, ex *route.Exchange) error {
	if e.config.WaitForTaskToComplete == Always {
		return errors.New("nobody can wait for the outcome of what several routes consume: want no waitForTaskToComplete=Always")
	}
	for {
		full := e.queue.tryPublish(s, ex)
		if full == nil {
			return nil
		}
		put := func() bool { return true } // by the next turn, to all
		if err := e.room(ctx, full, ex, put); err == errDiscarded {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// tryPublish returns a lane that has no room, if there is one.
func (q *queue) tryPublish(s *shape, ex *route.Exchange) (full *lane) {
	q.mu.Lock() // nobody else puts now, so that room that is there stays
	defer q.mu.Unlock()
	lanes := []*lane{s.main}
	if readers := q.list(); len(readers) > 0 {
		lanes = lanes[:0]
		for _, r := range readers {
			lanes = append(lanes, r.lane)
		}
	}
	for _, l := range lanes {
		if l.full() {
			return l
		}
	}
	for _, l := range lanes {
		l.put(item{ex: ex.Handover(false)})
	}
	return nil
}
