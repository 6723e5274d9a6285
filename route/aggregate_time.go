package route

import (
	"cmp"
	"context"
	"math"
	"sync"
	"time"
)

// track tells that a group was stored, and for how long it waits, 0 for as long as before.
func (a *aggregator) track(term context.Context, e *openGroup, timeout time.Duration) {
	a.mu.Lock()
	if now := a.open[e.key]; now != nil { // not e, where that was completed meanwhile
		e = now
	}
	a.open[e.key] = e
	e.stored, e.term = true, term
	if term != nil {
		a.term = term
	}
	before := a.due.front()
	if timeout > 0 {
		e.deadline = a.now() + timeout
		a.due.push(e)
	}
	sooner := a.due.front() < before
	a.mu.Unlock()
	if sooner {
		select {
		case a.wake <- struct{}{}:
		default:
		}
	}
}

// front is when to look at the group that is due first.
func (d deadlines) front() time.Duration {
	if len(d) == 0 {
		return math.MaxInt64
	}
	return d[0].at
}

// lost tells that the group of e is not in the repository any more.
func (a *aggregator) lost(e *openGroup) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.due.remove(e)
	if a.open[e.key] == e {
		delete(a.open, e.key)
	}
}

// A keeper completes groups by time, for one run of a route's consumer.
type keeper struct {
	*aggregator
	in                 *intake
	work               context.Context
	interval, recovery time.Duration // when they are next
	hold               time.Duration // until when nothing is completed, because nobody leads here
	tasks              sync.WaitGroup
}

const never64 = time.Duration(math.MaxInt64)

// keepTime completes groups by time, and all of them at the end, where that is wanted.
func (a *aggregator) keepTime(stop, work context.Context) {
	k := &keeper{aggregator: a, in: originOf(work).in, work: work, interval: never64, recovery: never64}
	if a.Interval > 0 {
		k.interval = a.now() + a.Interval
	}
	if !a.inMemory {
		k.recovery = 0
	}
	defer k.end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var ended <-chan struct{}
	stopped := stop.Done()
	for {
		next := k.look()
		if stopped == nil && !k.waits() {
			return
		}
		if next == never64 {
			timer.Stop()
		} else {
			timer.Reset(max(next-a.now(), 0))
		}
		select {
		case <-timer.C:
		case <-a.wake:
		case <-stopped:
			stopped, ended = nil, k.in.ctx.Done()
		case <-ended:
			ended = nil
		case <-work.Done():
			return
		}
	}
}

// waits tells whether the route, which is to stop, has groups that time will complete. If
// only its consumer has no more to give, those are completed as ever.
func (k *keeper) waits() bool {
	if !k.CompleteAllOnStop && k.in.ctx.Err() != nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.due) > 0 || k.Interval > 0 && len(k.open) > 0
}

// look does what is due and returns when to look again.
func (k *keeper) look() time.Duration {
	if k.recovery <= k.now() {
		err := k.restore(k.work)
		if err != nil {
			k.failed("open groups not read: it will be tried again", err)
		}
		if k.recoverable != nil && !k.Recovery.Off {
			k.recover()
		}
		k.recovery = never64
		if err != nil || k.recoverable != nil && !k.Recovery.Off {
			k.recovery = k.now() + cmp.Or(k.Recovery.Interval, 5*time.Second)
		}
	}
	if k.interval <= k.now() {
		for _, key := range k.keys() {
			k.completeDue(key, CompletedByInterval)
		}
		k.interval += k.Interval * (1 + (k.now()-k.interval)/k.Interval)
	}
	for k.work.Err() == nil {
		k.mu.Lock()
		e := k.due.first()
		due := e != nil && e.deadline <= k.now() && k.hold <= k.now()
		next := k.due.front()
		k.mu.Unlock()
		if !due {
			return min(max(next, k.hold), k.interval, k.recovery)
		}
		k.completeDue(e.key, CompletedByTimeout)
	}
	return never64
}

// completeDue completes the group with a key, if its term allows that.
func (k *keeper) completeDue(key, by string) {
	k.mu.Lock()
	e := k.open[key]
	var term context.Context
	if e != nil {
		term = e.term
	}
	k.mu.Unlock()
	ok := e != nil
	if ok && term == nil {
		term, ok = k.leads()
	}
	switch {
	case e == nil:
		return
	case !ok:
		k.hold = k.now() + time.Second
		return
	case term != nil && term.Err() != nil:
		k.giveUp(e, context.Cause(term))
		return
	}
	c, err := k.closeOpen(k.work, key, by)
	if err != nil {
		k.failed("group not completed: it will be tried again", err, "key", key)
		k.later(e)
		return
	}
	if c.ex == nil {
		k.settle(e)
		return
	}
	k.start(term, c, k.body)
}

// leads returns the term for groups that have come without an exchange, nil if there need
// be none, and whether such groups may be completed now.
func (k *keeper) leads() (context.Context, bool) {
	k.run.mu.Lock()
	depends := k.run.leadership != nil
	k.run.mu.Unlock()
	if !depends {
		return nil, true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.term, k.term != nil && k.term.Err() == nil
}

// later makes a group that is due be due again in a second.
func (k *keeper) later(e *openGroup) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e.index > 0 && e.deadline <= k.now() {
		e.deadline = k.now() + time.Second
	}
}

// settle takes a group from those that are due that is still there, but not as it was:
// somebody else works on it, who will tell until when it waits now.
func (k *keeper) settle(e *openGroup) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open[e.key] == e && e.deadline <= k.now() {
		k.due.remove(e)
		e.deadline = 0
	}
}

// giveUp ends the wait for a group whose term is over. One that is in a repository stays
// there.
func (k *keeper) giveUp(e *openGroup, cause error) {
	stripe, err := k.lock(k.work, e.key)
	if err != nil {
		return
	}
	defer unlock(stripe)
	k.mu.Lock()
	over := e.term.Err() != nil // no other exchange came meanwhile
	k.mu.Unlock()
	g, _ := k.groups.Get(k.work, e.key)
	if !over || g == nil {
		return
	}
	k.lost(e)
	if k.inMemory {
		_ = k.groups.Remove(k.work, g)
	}
	k.run.engine.logger.Error("group given up: its term is over", "route", k.run.id, "key", e.key, "exchanges", g.Size, "in memory", k.inMemory, "cause", cause)
}

// start leads a completed group through p, here or in a goroutine of its own.
func (k *keeper) start(term context.Context, c completed, p Processor) {
	if k.places == nil {
		k.lead(term, c, p)
		return
	}
	select {
	case k.places <- struct{}{}:
		k.tasks.Go(func() {
			defer func() { <-k.places }()
			k.lead(term, c, p)
		})
	case <-k.work.Done():
		k.processedOne(k.work, c, context.Cause(k.work))
		c.ex.Release()
	}
}

// lead leads a completed group through p under its term.
func (k *keeper) lead(term context.Context, c completed, p Processor) {
	err := k.run.lead(k.work, term, c.ex, p)
	k.confirm(k.work, c.id, err)
	c.ex.Release()
}

// end completes all groups where the route stops, if that is wanted.
func (k *keeper) end() {
	defer k.leave()
	if k.ForceCompletionOnStop {
		for _, key := range k.keys() {
			if k.work.Err() != nil {
				break
			}
			k.completeDue(key, CompletedByForce)
		}
	}
	k.tasks.Wait()
	if !k.inMemory {
		return
	}
	k.mu.Lock()
	groups := len(k.open)
	k.mu.Unlock()
	if groups > 0 {
		k.run.engine.logger.Warn("groups are open while the route is stopped: they are in memory only", "route", k.run.id, "groups", groups)
	}
}

// failed logs what the repository could not do.
func (a *aggregator) failed(message string, err error, attrs ...any) {
	a.run.engine.logger.Error(message, append([]any{"route", a.run.id, "error", err}, attrs...)...)
}
