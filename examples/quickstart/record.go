package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// A tick is one "Hello World!", by the clock of the machine.
type tick struct {
	at      time.Time
	replica int
	token   uint64
}

// A takeOver is what followed after something was done to the leader.
type takeOver struct {
	from, to int // replicas; to is 0 as long as nobody ticks
	done     string
	at       time.Time
	took     time.Duration
}

func (t takeOver) String() string {
	if t.to == 0 {
		return fmt.Sprintf("replica %d was %s, and nobody took over", t.from, t.done)
	}
	return fmt.Sprintf("replica %d was %s; replica %d took over: %.2f s later it printed", t.from, t.done, t.to, t.took.Seconds())
}

// A record is what the replicas did.
type record struct {
	ticks     []tick
	takeOvers []*takeOver
	pending   *takeOver
}

// add notes a tick. It returns the take-over that it completes, if any.
func (r *record) add(t tick) *takeOver {
	r.ticks = append(r.ticks, t)
	p := r.pending
	if p == nil || t.replica == p.from || t.at.Before(p.at) {
		return nil
	}
	p.to, p.took, r.pending = t.replica, t.at.Sub(p.at), nil
	return p
}

// leader returns who ticked last, 0 for nobody yet.
func (r *record) leader() int {
	if len(r.ticks) == 0 {
		return 0
	}
	return r.ticks[len(r.ticks)-1].replica
}

// lose notes that something was done to the leader, so that another must take over.
func (r *record) lose(leader int, done string, at time.Time) {
	r.pending = &takeOver{from: leader, done: done, at: at}
	r.takeOvers = append(r.takeOvers, r.pending)
}

// forget gives up to wait for a take-over.
func (r *record) forget() {
	if r.pending != nil {
		r.pending = nil
		r.takeOvers = r.takeOvers[:len(r.takeOvers)-1]
	}
}

// close forgets a take-over that had no time to happen.
func (r *record) close(now time.Time) {
	if p := r.pending; p != nil && now.Sub(p.at) < patience {
		r.forget()
	}
}

// patience is how long a take-over may take: the silence, a few beats, and the
// second until the new leader prints.
const patience = 2*wait + 2*time.Second

func (r *record) count(replica int) int {
	n := 0
	for _, t := range r.ticks {
		if t.replica == replica {
			n++
		}
	}
	return n
}

// verdict returns an error if two replicas led at once: one ticked with the same
// token as another before, or with a lower one; or if nobody ticked, or took over.
func (r *record) verdict() error {
	if len(r.ticks) == 0 {
		return errors.New("nobody ever led")
	}
	var errs []error
	ticks := slices.SortedFunc(slices.Values(r.ticks), func(a, b tick) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.token, b.token)) })
	var last tick
	for _, t := range ticks {
		switch {
		case t.token == 0:
			errs = append(errs, fmt.Errorf("replica %d ticked without leading at %s", t.replica, clock(t.at)))
		case t.token < last.token, t.token == last.token && t.replica != last.replica:
			errs = append(errs, fmt.Errorf("two leaders: replica %d ticked with token %d at %s, after replica %d did with token %d at %s",
				t.replica, t.token, clock(t.at), last.replica, last.token, clock(last.at)))
		default:
			last = t
		}
	}
	if p := r.pending; p != nil {
		errs = append(errs, errors.New(p.String()))
	}
	return errors.Join(errs...)
}

func clock(t time.Time) string { return t.Format("15:04:05.000") }
