package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"time"
)

// A loop drives the core of a member: one goroutine that tells it what happens and
// does what it says. Nothing in it blocks: requests, watches and the functions of
// the locks have goroutines of their own.
type loop struct {
	s      *Service
	core   *core
	log    *slog.Logger
	budget time.Duration // to stop in, on the local clock
	holds  map[string]*hold
	roster []string
	stats  Stats

	clock     clock
	watch     stopwatch
	offset    offset // of the clocks when the last request was sent
	now       instant
	unset     func() bool   // cancels the timer
	woken     chan struct{} // by the timer
	unwatch   context.CancelFunc
	queue     []event
	stepping  bool
	abandoned bool
}

// A hold is a lock for which Run was called.
type hold struct {
	runners  []*runner
	token    Version // of the term, or 0
	began    instant
	ending   error // why the term ends, once it does
	failures int   // terms in a row that a function ended early
}

// A runner is one call of Run.
type runner struct {
	lock  string
	ctx   context.Context
	terms chan *term

	term    *term   // under which the function runs, or is about to
	until   instant // it may act
	stopped instant // when it was told to stop, or 0
	fixed   bool    // until moves no more
	overran bool
}

// fewMembers is up to how many members each watches the slots of all, so that it has
// seen each silence from its beginning when several die at once. Where there are more,
// all those watches would cost the store more than that is worth.
const fewMembers = 8

func newLoop(s *Service) *loop {
	c, ok := s.store.(clock)
	if !ok {
		c = systemClock{time.Now()}
	}
	l := &loop{
		s: s, log: s.opts.Logger, clock: c, holds: map[string]*hold{}, woken: make(chan struct{}, 1),
		budget: scale(s.opts.StopBudget, 1-s.opts.Drift),
		core:   newCore(s.opts.Name, s.opts.timing(), rand.Uint64()),
	}
	k, ok := s.store.(Keeper)
	l.core.keeper, l.core.balance, l.core.few = ok && k.Keeps(), !s.opts.Fixed, fewMembers
	return l
}

// run is the loop. It ends when the member has left.
func (l *loop) run() {
	defer close(l.s.done)
	defer l.s.cancel()
	l.watch = newStopwatch(l.clock)
	l.now, l.offset = l.watch.read()
	o := l.s.opts
	l.log.Debug("cluster member starts", "name", o.Name, "wait", o.Wait, "limit", o.Limit, "beat", o.Beat,
		"drift", o.Drift, "stop budget", o.StopBudget)
	for l.step(woke{}); !l.ended(); {
		select {
		case f := <-l.s.calls:
			f()
		case <-l.woken:
			l.step(woke{})
		}
	}
	if l.unset != nil {
		l.unset()
	}
}

func (l *loop) ended() bool { return l.core.left || l.abandoned && !l.core.running() }

// step tells the core what happened, and all that follows from it.
func (l *loop) step(e event) {
	l.queue = append(l.queue, e)
	if l.stepping {
		return
	}
	l.stepping = true
	for len(l.queue) > 0 {
		e, l.queue = l.queue[0], l.queue[1:]
		now, off := l.watch.read()
		l.now = now
		if off.jumped(l.offset) {
			l.offset = off
			l.do(l.core.Step(now, jump{}))
		}
		l.do(l.core.Step(now, e))
	}
	l.stepping = false
	l.extend()
	wake := l.overruns(l.core.wake)
	if l.unset != nil {
		l.unset()
	}
	if wake != 0 {
		l.unset = l.clock.After(max(wake-l.now, 0), func() {
			select {
			case l.woken <- struct{}{}:
			default:
			}
		})
	}
	l.show()
}

// do does what the core says.
func (l *loop) do(actions []action) {
	for _, a := range actions {
		switch a := a.(type) {
		case request:
			_, l.offset = l.watch.read()
			l.stats.Requests++
			l.s.wg.Go(func() { l.s.ask(a) })
		case watch:
			if l.unwatch != nil {
				l.unwatch()
			} else {
				l.s.wg.Go(func() { l.s.watch(l.s.ctx, TableKey) })
			}
			var ctx context.Context
			ctx, l.unwatch = context.WithCancel(l.s.ctx)
			l.s.wg.Go(func() { l.s.watch(ctx, a.prefix) })
		case start:
			h := l.holds[a.lock]
			h.token, h.began, h.ending = a.token, l.now, nil
			l.stats.Terms++
			l.log.Info("leading", "lock", a.lock, "token", a.token)
			for _, r := range h.runners {
				l.begin(r, h)
			}
			l.settle(a.lock, h)
		case stop:
			h := l.holds[a.lock]
			h.ending = a.cause
			l.log.Info("no longer leading", "lock", a.lock, "token", h.token, "cause", a.cause)
			for _, r := range h.runners {
				l.end(r, a.cause)
			}
			l.settle(a.lock, h)
		case note:
			l.log.Log(l.s.ctx, a.level, a.text, a.args...)
		}
	}
}

// add takes in a call of Run.
func (l *loop) add(r *runner) {
	h := l.holds[r.lock]
	if h == nil {
		h = new(hold)
		l.holds[r.lock] = h
	}
	h.runners = append(h.runners, r)
	if len(h.runners) == 1 {
		l.step(offered{r.lock})
	} else if h.token != 0 && h.ending == nil {
		l.begin(r, h)
	}
}

// remove takes out a call of Run that ended.
func (l *loop) remove(r *runner) {
	h := l.holds[r.lock]
	r.term = nil // a term sent but not begun any more
	h.runners = slices.DeleteFunc(h.runners, func(o *runner) bool { return o == r })
	if len(h.runners) == 0 {
		l.step(withdrawn{r.lock})
	}
	l.settle(r.lock, h)
	if len(h.runners) == 0 && h.token == 0 {
		delete(l.holds, r.lock)
	}
}

// begin starts a term for a runner.
func (l *loop) begin(r *runner, h *hold) {
	r.until, r.stopped, r.fixed, r.overran = l.core.until(), 0, false, false
	r.term = newTerm(r.ctx, r.lock, h.token, l.watch.time(r.until+l.budget))
	r.term.cursors = cursors{l.s.store, l.s.opts.Limit / 4}
	r.terms <- r.term // it has room: the last one was taken before r.term became nil
}

// end cancels the term of a runner.
func (l *loop) end(r *runner, cause error) {
	if r.term == nil || r.stopped != 0 {
		return
	}
	r.stopped = l.now
	r.fixed = cause == ErrLost || cause == ErrFenced
	if r.fixed {
		r.term.lose(cause)
	}
	r.term.cancel(cause)
}

// returned takes in that the function of a runner has returned.
func (l *loop) returned(r *runner, t *term, err error) {
	h := l.holds[r.lock]
	r.term = nil
	early := t.ctx.Err() == nil
	t.cancel(ErrResigned)
	t.lose(ErrResigned)
	t.deadline.Store(&time.Time{})
	if early {
		if l.now-h.began > longestBackoff {
			h.failures = 0
		}
		backoff := backoff(h.failures)
		h.failures++
		args := []any{"lock", r.lock, "token", h.token, "stands back for", backoff}
		if err == nil {
			l.log.Info("the function of a lock returned", args...)
		} else {
			l.log.Error("the function of a lock failed", append(args, "error", err)...)
		}
		l.step(resigned{r.lock, l.now + backoff})
	} else if err != nil && context.Cause(r.ctx) == nil {
		l.log.Debug("the function of a lock stopped with an error", "lock", r.lock, "token", h.token, "error", err)
	}
	l.settle(r.lock, h)
}

const (
	shortestBackoff = time.Second
	longestBackoff  = 30 * time.Second
)

// backoff grows with each failure, with jitter so that members do not march in step.
func backoff(failures int) time.Duration {
	d := min(shortestBackoff<<min(failures, 10), longestBackoff)
	return time.Duration(float64(d) * (0.75 + rand.Float64()/2)).Round(time.Millisecond)
}

// settle tells the core when a term has ended and nothing runs under it any more.
func (l *loop) settle(name string, h *hold) {
	if h.token == 0 || h.ending == nil || slices.ContainsFunc(h.runners, func(r *runner) bool { return r.term != nil }) {
		return
	}
	h.token, h.ending = 0, nil
	l.step(returned{name})
}

// extend moves the deadlines of the terms after a beat: those that the table still
// grants, for another session proves nothing about the terms of the one before.
func (l *loop) extend() {
	until := l.core.until()
	if until == 0 {
		return
	}
	deadline := l.watch.time(until + l.budget)
	for name, h := range l.holds {
		if !l.core.grants(name, h.token) {
			continue
		}
		for _, r := range h.runners {
			if r.term != nil && !r.fixed && r.until < until {
				r.until = until
				r.term.deadline.Store(&deadline)
			}
		}
	}
}

// overruns calls Overrun for the functions whose budget is used up, and returns
// when to look again: the earlier of that and wake.
func (l *loop) overruns(wake instant) instant {
	for name, h := range l.holds {
		for _, r := range h.runners {
			if r.term == nil || r.term.ctx.Err() == nil || r.overran {
				continue
			}
			if !r.fixed { // it stops in order, while it holds the lock
				if l.core.valid() && l.now < r.until {
					wake = earlier(wake, r.until)
				} else {
					r.fixed = true
					r.term.lose(ErrLost)
				}
			}
			if end := max(r.until, r.stopped) + l.budget; l.now < end {
				wake = earlier(wake, end)
				continue
			}
			r.overran = true
			l.s.wg.Go(func() { l.s.opts.Overrun(name) })
		}
	}
	return wake
}

func earlier(a, b instant) instant {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// leave begins the end.
func (l *loop) leave() {
	if !l.core.leaving {
		close(l.s.closing)
		l.step(leave{})
	}
}

// abandon has the loop end without telling the store, as soon as nothing runs. It
// returns the locks of which the functions still do.
func (l *loop) abandon() []string {
	l.abandoned = true
	var names []string
	for _, name := range slices.Sorted(maps.Keys(l.holds)) {
		if l.holds[name].token != 0 {
			names = append(names, name)
		}
	}
	return names
}

// show puts what the member sees on the blackboard.
func (l *loop) show() {
	c := l.core
	l.stats.Stepped = l.watch.time(l.now)
	seen := &sight{me: c.me, seat: c.seat, valid: c.valid(), running: map[string]bool{}, roster: l.roster, health: c.health(), stats: l.stats}
	if c.informed() {
		seen.table = c.table
	}
	for name, h := range l.holds {
		if h.token != 0 && h.ending == nil {
			seen.running[name] = true
		}
	}
	l.s.sight.put(seen)
}

// panicked is the error of a function that panicked.
func panicked(p any) error { return fmt.Errorf("panic: %v\n%s", p, debug.Stack()) }
