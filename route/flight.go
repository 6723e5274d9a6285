package route

import (
	"sync"
	"sync/atomic"
	"time"
)

// A flight holds one exchange at a time on its way through a route, so that others can
// see where it is. A route has as many flights as it ever had exchanges in flight at
// once. Entering and leaving cost one atomic operation each and no allocation.
type flight struct {
	state atomic.Uint64 // exchanges so far << stepBits | index of the step, 0 for none in flight
	since atomic.Int64  // when the exchange came, by the engine's clock
	log   *flightLog
	no    uint64           // of all flights of the process, from 1
	guest [2]atomic.Uint64 // the id of an exchange that came with one; 0, 0 for none
}

const (
	stepBits  = 17
	stepMask  = 1<<stepBits - 1
	entryStep = stepMask // in flight, but at no step
)

// at tells that the exchange is at a step.
func (f *flight) at(step uint64) {
	if f == nil {
		return
	}
	if state := f.state.Load(); state&stepMask != step {
		f.state.Store(state&^stepMask | step)
	}
}

// leave ends the flight.
func (f *flight) leave() { f.state.Store(f.state.Load() &^ stepMask) }

// name tells the flight the id of an exchange that has one already. The others get
// theirs from the flight, when it is asked for.
func (f *flight) name(id exchangeID) {
	if id != (exchangeID{}) || f.guest[1].Load() != 0 {
		f.guest[0].Store(id.flight)
		f.guest[1].Store(id.n)
	}
}

// id is the id of the exchange that has the given state.
func (f *flight) id(state uint64) exchangeID {
	if n := f.guest[1].Load(); n != 0 {
		return exchangeID{f.guest[0].Load(), n}
	}
	return exchangeID{f.no, state >> stepBits}
}

// A flightLog holds the flights of a route.
type flightLog struct {
	clock   *clock
	first   uint64 // the step that an exchange is at next, or as good as at, when it comes
	flights atomic.Pointer[[]*flight]
	grow    sync.Mutex
}

// enter returns a flight for one more exchange. hint is a flight that is likely free.
func (l *flightLog) enter(hint *flight) *flight {
	f := hint
	if f == nil || f.log != l || !f.take() {
		f = l.free()
	}
	if now := l.clock.read(); f.since.Load() != now {
		f.since.Store(now)
	}
	return f
}

func (f *flight) take() bool {
	state := f.state.Load()
	return state&stepMask == 0 && f.state.CompareAndSwap(state, state+(1<<stepBits)|f.log.first)
}

// free returns the first free flight, a new one if there is none.
func (l *flightLog) free() *flight {
	for _, f := range l.all() {
		if f.take() {
			return f
		}
	}
	f := &flight{log: l, no: flights.Add(1)}
	f.take()
	l.grow.Lock()
	defer l.grow.Unlock()
	all := append(l.all()[:len(l.all()):len(l.all())], f)
	l.flights.Store(&all)
	return f
}

var flights atomic.Uint64 // of the process

func (l *flightLog) all() []*flight {
	if all := l.flights.Load(); all != nil {
		return *all
	}
	return nil
}

// count returns how many exchanges came so far and how many are in flight.
func (l *flightLog) count() (total, inFlight int64) {
	for _, f := range l.all() {
		state := f.state.Load()
		total += int64(state >> stepBits)
		if state&stepMask != 0 {
			inFlight++
		}
	}
	return total, inFlight
}

// A clock tells the time to the second where it is read often, and exactly where it is
// read seldom, because reading the system's for each exchange would cost as much as
// half a route. It runs only while it is read.
type clock struct {
	base    time.Time
	now     atomic.Int64 // since base
	running atomic.Bool
	busy    func() int64 // changes while the clock is needed

	mu    sync.Mutex
	timer *time.Timer
	last  int64
}

func (c *clock) read() int64 {
	if !c.running.Load() {
		c.start()
	}
	return c.now.Load()
}

func (c *clock) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running.Load() {
		return
	}
	c.last = c.busy()
	c.now.Store(int64(time.Since(c.base)))
	c.running.Store(true)
	c.timer = time.AfterFunc(time.Second, c.tick)
}

func (c *clock) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	busy := c.busy()
	if busy == c.last {
		c.running.Store(false)
		return
	}
	c.last = busy
	c.now.Store(int64(time.Since(c.base)))
	c.timer.Reset(time.Second)
}

// age is how long ago the clock showed t.
func (c *clock) age(t int64) time.Duration { return time.Since(c.base) - time.Duration(t) }

func (c *clock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
	}
	c.running.Store(false)
}
