package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// ErrClosed is returned by the methods of a [Service] that was closed.
var ErrClosed = errors.New("cluster: the service is closed")

// A Service is the membership of this process in a cluster of replicas: those that
// use the same records of the same store. Its methods may be called by many
// goroutines at once. Call Close in the end, so that others need not wait.
type Service struct {
	store Store
	opts  Options
	loop  *loop
	sight blackboard

	begun   sync.Once
	calls   chan func() // to the loop
	closing chan struct{}
	done    chan struct{} // the loop has ended
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
}

// New returns the member of a cluster. It checks the options and does nothing
// else: the member joins with the first call of Run, View or Members.
func New(store Store, o Options) (*Service, error) {
	o, err := o.filled()
	if err == nil && store == nil {
		err = errors.New("cluster: no store")
	}
	if err != nil {
		return nil, err
	}
	s := &Service{
		store: store, opts: o,
		calls: make(chan func()), closing: make(chan struct{}), done: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.sight.put(&sight{})
	s.loop = newLoop(s)
	return s, nil
}

// start has the member join, once.
func (s *Service) start() {
	s.begun.Do(func() {
		s.wg.Go(s.loop.run)
		s.wg.Go(s.check)
		if r, ok := s.store.(Roster); ok {
			s.wg.Go(func() { s.follow(r) })
		}
	})
}

// call has f run by the loop. It reports false where the loop has ended.
func (s *Service) call(f func()) bool {
	select {
	case s.calls <- f:
		return true
	case <-s.done:
		return false
	}
}

// Run runs fn while this member holds the lock, once for each term. It blocks until
// ctx ends, and then returns nil, as soon as fn has returned; it returns ErrClosed
// where the service is closed before that.
//
// The context of fn has the values of ctx. It ends before another member can hold
// the lock, by [Options.StopBudget], or when ctx ends; context.Cause tells which of
// ErrLost, ErrFenced, ErrStopped and ErrResigned it was. The lock is given back only
// after fn has returned. A function that still runs when its budget is used up is
// for [Options.Overrun].
//
// Where fn returns by itself, the lock goes to another member, and this one stands
// back for a while: a second at first, longer each time up to half a minute. An error
// and a panic are logged and otherwise the same.
//
// Several calls may share a lock: their functions run together, in one term, and
// the lock is given back when all have returned. One that returns by itself ends
// the term for all.
func (s *Service) Run(ctx context.Context, lock string, fn func(ctx context.Context, t Term) error) error {
	if err := validLock(lock); err != nil {
		return err
	}
	if fn == nil {
		return fmt.Errorf("cluster: no function for lock %q", lock)
	}
	s.start()
	r := &runner{lock: lock, ctx: ctx, terms: make(chan *term, 1)}
	if !s.call(func() { s.loop.add(r) }) {
		return ErrClosed
	}
	defer s.call(func() { s.loop.remove(r) }) // also where fn ends the goroutine
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.closing:
			return ErrClosed
		case t := <-r.terms:
			if ctx.Err() != nil {
				return nil // both were there: nothing begins any more
			}
			s.lead(r, t, fn)
		}
	}
}

// lead runs fn for one term.
func (s *Service) lead(r *runner, t *term, fn func(context.Context, Term) error) {
	err := errEnded
	stop := context.AfterFunc(r.ctx, func() { t.cancel(ErrStopped) })
	defer func() {
		stop()
		if p := recover(); p != nil {
			err = panicked(p)
		}
		s.call(func() { s.loop.returned(r, t, err) })
	}()
	err = fn(t.ctx, Term{t})
}

// errEnded is the result of a function that called runtime.Goexit.
var errEnded = errors.New("the function ended its goroutine")

// View returns a view of a lock. It makes this process a member, also where it
// runs nothing.
func (s *Service) View(lock string) View {
	s.start()
	return View{s, lock}
}

// Members returns the replicas of the program, as [View.Members] does.
func (s *Service) Members() []Member {
	s.start()
	return s.seen().members()
}

// Resign hands the lock over to another member, where this one holds it and
// another wants it; this one stays a candidate. It returns at once, before that has
// happened.
func (s *Service) Resign(lock string) error {
	if err := validLock(lock); err != nil {
		return err
	}
	s.start()
	if !s.call(func() { s.loop.step(resigned{lock: lock}) }) {
		return ErrClosed
	}
	return nil
}

// Check returns nil if the member leads or stands by as it should, and otherwise
// what keeps it from that: it cannot reach the store, lacks a permission, or found
// records that are not its own. It does no I/O. It is meant for readiness, and
// does not depend on who leads. A service that is not used yet is well.
func (s *Service) Check(context.Context) error {
	seen := s.seen()
	if seen.stats.Stepped.IsZero() {
		return nil
	}
	if idle := time.Since(seen.stats.Stepped); idle > s.opts.Wait {
		return fmt.Errorf("cluster: the member has not moved for %v", idle.Round(time.Millisecond))
	}
	return errors.Join(seen.health, s.sight.checked())
}

// Close stops what runs, gives the locks back and leaves the cluster. Where ctx
// ends before that it returns an error that says what is left: functions that still
// run keep their locks until they return, and locks that could not be given back
// are taken over after Options.Wait. No method but Close, Check and the views are
// of use afterwards.
func (s *Service) Close(ctx context.Context) error {
	s.begun.Do(func() { close(s.closing); close(s.done) }) // never used
	s.call(s.loop.leave)
	select {
	case <-s.done:
		s.wg.Wait()
		return nil
	case <-ctx.Done():
	}
	left := make(chan []string, 1)
	if s.call(func() { left <- s.loop.abandon() }) {
		if names := <-left; len(names) > 0 {
			return fmt.Errorf("cluster: close: still running: %s: %w", strings.Join(names, ", "), context.Cause(ctx))
		}
	}
	<-s.done
	s.wg.Wait()
	if s.loop.core.left {
		return nil
	}
	return fmt.Errorf("cluster: close: nothing runs, but the store could not be told: %w", context.Cause(ctx))
}

// Stats are counts since the member started.
type Stats struct {
	Requests  uint64        // sent to the store, watches not counted
	Conflicts uint64        // writes refused because another was faster
	Failures  uint64        // requests without an answer
	Terms     uint64        // terms begun
	Slack     time.Duration // left until the deadline at the last beat that succeeded: an early warning
	Stepped   time.Time     // when the member last did anything
}

// Stats returns counts since the member started.
func (s *Service) Stats() Stats { return s.seen().stats }

// seen is what the member sees now.
func (s *Service) seen() *sight {
	now, _ := s.sight.get()
	return now
}

// A blackboard shows the latest sight.
type blackboard struct {
	mu      sync.Mutex
	sight   *sight
	changed chan struct{} // closed when another sight is put that differs
	check   error         // from the store's Checker
}

func (b *blackboard) put(s *sight) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sight == nil || !b.sight.same(s) {
		if b.changed != nil {
			close(b.changed)
		}
		b.changed = make(chan struct{})
	}
	b.sight = s
}

func (b *blackboard) get() (*sight, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sight, b.changed
}

func (b *blackboard) checked() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.check
}

func (b *blackboard) setCheck(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.check = err
}
