package sqlqueue

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mehari-go/mehari/internal/sleep"
)

// An outcome is what has become of a row that was claimed.
type outcome int

const (
	succeeded outcome = iota
	failed
	unworked // given back
	dead     // given too often
	outcomes
)

// A settler tells the table what has become of rows, as many at a time as there are, and gives
// signs of life for those that are not settled.
type settler struct {
	*endpoint
	takes *takings
	leads atomic.Bool // an ordered group

	broken context.Context // is done when the table cannot be reached any more; its cause is the error
	fail   context.CancelCauseFunc

	mu      sync.Mutex
	held    map[int64]*row // all that was claimed and is not settled
	waiting [outcomes][]*row

	news    chan struct{} // something waits
	settled chan struct{} // less is held
	closing chan struct{} // what is at work is given up
	last    chan struct{} // nothing comes any more
	all     sync.WaitGroup
}

var errClosed = errors.New("closed")

const (
	closeTime  = 5 * time.Second // to settle what is left, and to end what is at work
	retryTime  = 50 * time.Millisecond
	sweepEvery = time.Minute
)

func newSettler(e *endpoint, holder string) *settler {
	s := &settler{
		endpoint: e, takes: e.sql.takings(holder, e.config), held: map[int64]*row{},
		news: make(chan struct{}, 1), settled: make(chan struct{}, 1), closing: make(chan struct{}), last: make(chan struct{}),
	}
	s.broken, s.fail = context.WithCancelCause(context.Background())
	return s
}

// within limits how long a statement may take. One that is at work when ctx ends has a little
// time: what it has claimed would be lost for as long as AckWait.
func (s *settler) within(ctx context.Context) (context.Context, context.CancelFunc) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.ackWait())
	stop := context.AfterFunc(ctx, func() {
		sleep.For(limited, closeTime/2)
		cancel()
	})
	return limited, func() { stop(); cancel() }
}

func (s *settler) hold(rows []*row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rows {
		s.held[r.id] = r
	}
}

// owns tells whether nobody else can have the row yet.
func (s *settler) owns(r *row) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(r.until) && (!s.config.Ordered || s.leads.Load())
}

// forget gives up rows that may be someone else's.
func (s *settler) forget(rows []*row) {
	s.mu.Lock()
	for _, r := range rows {
		delete(s.held, r.id)
	}
	s.mu.Unlock()
	signal(s.settled)
}

func (s *settler) add(o outcome, rows ...*row) {
	if len(rows) == 0 {
		return
	}
	s.mu.Lock()
	s.waiting[o] = append(s.waiting[o], rows...)
	s.mu.Unlock()
	signal(s.news)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// room waits until more may be claimed, and tells whether ctx is not done. Order is kept by
// settling everything first.
func (s *settler) room(ctx context.Context) bool {
	most := 2*s.config.batchSize() + max(1, s.config.ConcurrentConsumers)*max(1, s.config.MaxInFlight)
	if s.config.Ordered {
		most = 0
	}
	for ctx.Err() == nil {
		s.mu.Lock()
		n := len(s.held)
		s.mu.Unlock()
		if n <= most {
			return true
		}
		select {
		case <-s.settled:
		case <-ctx.Done():
		}
	}
	return false
}

// run settles until nothing comes any more and all is settled, or the time for that is over.
func (s *settler) run() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer s.fail(errClosed)
	defer s.letGo()
	alive, sweep := time.NewTicker(s.config.ackWait()/3), time.NewTimer(0)
	defer alive.Stop()
	defer sweep.Stop()
	var over <-chan time.Time
	last := s.last
	retry := newRetry(s)
	for {
		select {
		case <-s.news:
		case <-retry.timer.C:
		case <-alive.C:
			s.renew(ctx)
		case <-sweep.C:
			s.sweep(ctx)
			sweep.Reset(sweepEvery)
		case <-last:
			last = nil
			over = time.After(closeTime)
		case <-over:
			return
		}
		left, err := s.settleAll(ctx)
		retry.after(err)
		if last == nil && left == 0 {
			return
		}
	}
}

// letGo ends what is left: those rows come again when their time is over.
func (s *settler) letGo() {
	s.mu.Lock()
	for _, r := range s.held {
		if r.done != nil {
			r.done()
		}
	}
	s.mu.Unlock()
	if !s.leads.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime/2)
	defer cancel()
	_, _ = s.db.ExecContext(ctx, s.takes.retire, s.config.Topic, s.config.Group) // or else its time ends
}

// settleAll tells the table all outcomes, and returns how many it could not tell.
func (s *settler) settleAll(ctx context.Context) (left int, err error) {
	for o := range outcomes {
		s.mu.Lock()
		rows := s.waiting[o]
		s.waiting[o] = nil
		s.mu.Unlock()
		for len(rows) > 0 && err == nil {
			some := rows[:min(len(rows), sweepLimit)]
			if err = s.settle(ctx, o, some); err == nil {
				rows = rows[len(some):]
			}
		}
		if len(rows) > 0 {
			s.mu.Lock()
			s.waiting[o] = append(rows, s.waiting[o]...)
			s.mu.Unlock()
		}
		left += len(rows)
	}
	return left, err
}

func (s *settler) settle(ctx context.Context, o outcome, rows []*row) error {
	ctx, cancel := context.WithTimeout(ctx, closeTime)
	defer cancel()
	statement := [outcomes]string{succeeded: s.takes.settle, failed: s.takes.free, unworked: s.takes.back, dead: s.takes.bury}[o]
	var first []any
	if o == dead {
		first = append(first, s.config.deadLetter())
	}
	text, args := s.sql.with(statement, ids(rows), first...)
	done, err := s.db.ExecContext(ctx, text, args...)
	if err != nil {
		return err
	}
	expected := int64(0)
	for _, r := range rows {
		if !r.early.Load() {
			expected++
		}
	}
	if n, err := done.RowsAffected(); err == nil && n < expected && o == succeeded {
		s.logger.Warn("messages were held for too long and may come twice", "endpoint", s.address, "messages", expected-n)
	}
	s.mu.Lock()
	for _, r := range rows {
		delete(s.held, r.id)
		if r.done != nil {
			r.done()
		}
	}
	s.mu.Unlock()
	signal(s.settled)
	return nil
}
