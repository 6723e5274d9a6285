package seda

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A lane is a ring whose takers can wait for an item and whose senders can wait for
// room. Who waits says so first and then looks again, and who changes the ring looks
// for waiters afterwards, so that no wake-up is lost.
type lane struct {
	*ring
	taking  sync.Mutex // held by the one of several takers who takes
	several bool
	asleep  atomic.Int32  // takers that wait and have not been woken
	wake    chan struct{} // one token for each taker that has been woken
	blocked atomic.Int32  // senders that wait for room
	room    chan struct{} // a token for one of them, who passes it on
}

func newLane(size int) *lane {
	return &lane{ring: newRing(size), wake: make(chan struct{}, maxConsumers), room: make(chan struct{}, 1)}
}

// put adds it and tells whether there was room.
func (l *lane) put(it item) bool {
	if !l.push(it) {
		return false
	}
	l.rouse()
	return true
}

// oneFewer takes one from those asleep, if there is one.
func (l *lane) oneFewer() bool {
	for {
		n := l.asleep.Load()
		if n == 0 {
			return false
		}
		if l.asleep.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

// take returns the oldest item and tells whether there is one.
func (l *lane) take() (item, bool) {
	if l.several {
		l.taking.Lock()
	}
	it, ok := l.pop()
	if l.several {
		l.taking.Unlock()
	}
	if ok && l.blocked.Load() > 0 {
		l.hasRoom()
	}
	return it, ok
}

func (l *lane) hasRoom() {
	select {
	case l.room <- struct{}{}:
	default: // the one who has the token passes it on
	}
}

// rouse wakes one taker and tells whether one slept.
func (l *lane) rouse() bool {
	if l.asleep.Load() == 0 || !l.oneFewer() {
		return false
	}
	l.wake <- struct{}{} // there is a place for every taker
	return true
}

// sleep waits until there may be an item, or ctx is done.
func (l *lane) sleep(ctx context.Context) {
	l.asleep.Add(1)
	if !l.ready() {
		select {
		case <-l.wake:
			return
		case <-ctx.Done():
		}
	}
	if !l.oneFewer() {
		<-l.wake // a sender has woken this one meanwhile
	}
}

// A wait is what came of waiting for room.
type wait int

const (
	haveRoom wait = iota
	tooLate
	cancelled
)

// await waits until there may be room, timer fires, which may be nil, or ctx is done.
func (l *lane) await(ctx context.Context, timer *time.Timer) wait {
	l.blocked.Add(1)
	defer l.blocked.Add(-1)
	if !l.full() {
		return haveRoom
	}
	var late <-chan time.Time
	if timer != nil {
		late = timer.C
	}
	select {
	case <-l.room:
		return haveRoom
	case <-late:
		return tooLate
	case <-ctx.Done():
		return cancelled
	}
}

// passOn wakes the next sender that waits, if there is room for it too.
func (l *lane) passOn() {
	if l.blocked.Load() > 0 && !l.full() {
		l.hasRoom()
	}
}
