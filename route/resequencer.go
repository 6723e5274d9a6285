package route

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// ErrOld is the error of an exchange that came to a [Route.ResequenceStream] after one
// that belongs behind it was sent: see [StreamOptions].
var ErrOld = errors.New("route: the exchange belongs before one that was sent already")

// A resequencer is a built [Route.Resequence] or [Route.ResequenceStream].
type resequencer struct {
	by            value
	body          Processor
	run           *running
	valid         func(any) (any, error)
	distance      func(a, b any) (int64, error)
	places        int
	timeout       time.Duration
	batch         bool
	duplicates    bool
	rejectOld     bool
	ignoreInvalid bool
	wake          chan struct{} // for keepOrder

	mu    sync.Mutex
	queue []queued      // in order
	turn  []queued      // what take has returned
	since time.Duration // when the first one of the batch came
	sent  bool
	last  any           // the value of the one that was sent last, if any was
	room  chan struct{} // closed when there is some; nil where nobody waits
}

// A queued exchange waits for its turn.
type queued struct {
	ex    *Exchange
	value any
	term  context.Context // nil for none
	until time.Duration   // how long it waits for those before it at most; 0 for not at all
}

func (r *resequencer) now() time.Duration { return time.Since(r.run.engine.clock.base) }

func (r *resequencer) Process(ctx context.Context, ex *Exchange) error {
	v, err := r.by.get(ctx, ex)
	if err == nil {
		v, err = r.valid(v)
	}
	for err == nil {
		r.mu.Lock()
		if len(r.queue) < r.places {
			err = r.insert(ctx, ex, v)
			r.mu.Unlock()
			break
		}
		if r.room == nil {
			r.room = make(chan struct{})
		}
		room := r.room
		r.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err != nil && r.ignoreInvalid && !errors.Is(err, ErrOld) {
		r.run.engine.logger.DebugContext(ctx, "exchange not put in order", "route", r.run.id, "exchange", ex.ID(), "error", err)
		return nil
	}
	return err
}

// insert queues a copy of ex at its place. r.mu is held.
func (r *resequencer) insert(ctx context.Context, ex *Exchange, v any) error {
	if r.rejectOld && r.sent {
		if d, err := r.distance(r.last, v); err != nil {
			return err
		} else if d < 0 {
			return fmt.Errorf("%w: %v was sent before %v came", ErrOld, r.last, v)
		}
	}
	var failed error
	i, same := slices.BinarySearchFunc(r.queue, v, func(q queued, v any) int {
		d, err := r.distance(q.value, v)
		if err != nil {
			failed = err
		}
		if d == 0 && r.duplicates {
			return -1 // behind those with the same value
		}
		return int(max(min(-d, 1), -1))
	})
	switch {
	case failed != nil:
		return failed
	case same:
		r.run.engine.logger.WarnContext(ctx, "exchange dropped: one with the same place in the order waits already", "route", r.run.id, "exchange", ex.ID(), "value", v)
		return nil
	}
	q := queued{ex: ex.Clone(), value: v, term: termOf(ctx, r.run.engine)}
	q.ex.reply, q.ex.id = false, exchangeID{0, serial.Add(1)}
	if !r.batch {
		if next := i; next < len(r.queue) && r.follows(v, r.queue[next].value) {
			r.queue[next].until = 0
		}
		if !(r.sent && r.follows(r.last, v)) && !(i > 0 && r.follows(r.queue[i-1].value, v)) {
			q.until = r.now() + r.timeout
		}
	}
	if len(r.queue) == 0 {
		r.since = r.now()
	}
	r.queue = slices.Insert(r.queue, i, q)
	if len(r.queue) == 1 || len(r.queue) == r.places || !r.batch && r.queue[0].until == 0 {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// follows tells whether b comes directly behind a.
func (r *resequencer) follows(a, b any) bool {
	d, err := r.distance(a, b)
	return err == nil && d == 1
}

// take takes the exchanges whose turn it is, all of them at the end. If there are none it
// returns when to look again, or 0 for when more come.
func (r *resequencer) take(end bool) (turn []queued, next time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return nil, 0
	}
	n, now := 0, r.now()
	switch {
	case end, r.batch && (len(r.queue) >= r.places || r.since+r.timeout <= now):
		n = len(r.queue)
	case r.batch:
		return nil, r.since + r.timeout
	case r.queue[0].until > now:
		return nil, r.queue[0].until
	default:
		n = 1
	}
	clear(r.turn)
	r.turn = append(r.turn[:0], r.queue[:n]...)
	r.queue = slices.Delete(r.queue, 0, n)
	r.sent, r.last = true, r.turn[n-1].value
	if r.room != nil {
		close(r.room)
		r.room = nil
	}
	return r.turn, 0
}

// keepOrder sends what is queued, and all of it at the end.
func (r *resequencer) keepOrder(stop, work context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		end := stop.Err() != nil
		turn, next := r.take(end)
		for i, q := range turn {
			if work.Err() != nil {
				r.giveUp(turn[i:], context.Cause(work))
				break
			}
			r.send(work, q)
		}
		switch {
		case len(turn) > 0:
			continue
		case end:
			return
		case next > 0:
			timer.Reset(next - r.now())
		default:
			timer.Stop()
		}
		select {
		case <-timer.C:
		case <-r.wake:
		case <-stop.Done():
		}
	}
}

// send leads a queued exchange through the body, unless its term is over.
func (r *resequencer) send(work context.Context, q queued) {
	if q.term != nil && q.term.Err() != nil {
		r.giveUp([]queued{q}, context.Cause(q.term))
		return
	}
	_ = r.run.lead(work, q.term, q.ex, r.body) // which tells it
	q.ex.Release()
}

// giveUp tells that queued exchanges are lost.
func (r *resequencer) giveUp(lost []queued, cause error) {
	for _, q := range lost {
		r.run.engine.logger.Error("exchange given up: it had not had its turn", "route", r.run.id, "exchange", q.ex.ID(), "value", q.value, "cause", cause)
		q.ex.Release()
	}
}
