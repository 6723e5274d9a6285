package cluster

import "time"

// A clock measures time for a member. A [Store] that has these three methods as
// well brings the clock of its member along: package clustertest pauses members by
// it.
type clock interface {
	Now() time.Time                                            // with a monotonic reading
	Boot() time.Duration                                       // since the machine started, time asleep included
	After(d time.Duration, f func()) (cancel func() (ok bool)) // like time.AfterFunc
}

// A systemClock is the clock of the machine.
type systemClock struct{ start time.Time }

func (systemClock) Now() time.Time                              { return time.Now() }
func (systemClock) After(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }

// Boot follows the monotonic clock where there is nothing better.
func (c systemClock) Boot() time.Duration {
	if boot, ok := sinceBoot(); ok {
		return boot
	}
	return time.Since(c.start)
}

// dawn is an instant far from 0, see [instant].
const dawn = 24 * time.Hour

// An offset is by how much the other clocks of the machine are ahead of the
// monotonic one. It is constant unless the machine sleeps or a clock is set.
type offset struct{ wall, boot time.Duration }

// jumped reports whether a clock moved against the monotonic one.
func (o offset) jumped(since offset) bool {
	const most = time.Second
	return (o.wall-since.wall).Abs() > most || (o.boot-since.boot).Abs() > most
}

// A stopwatch turns the time of a clock into instants.
type stopwatch struct {
	clock clock
	base  time.Time
	boot  time.Duration
}

func newStopwatch(c clock) stopwatch { return stopwatch{c, c.Now(), c.Boot()} }

// read returns the present instant, and how the other clocks differ from it.
func (w stopwatch) read() (instant, offset) {
	now := w.clock.Now()
	passed := now.Sub(w.base)
	return dawn + passed, offset{
		wall: time.Duration(now.UnixNano()-w.base.UnixNano()) - passed,
		boot: w.clock.Boot() - w.boot - passed,
	}
}

// time is the time of an instant.
func (w stopwatch) time(i instant) time.Time { return w.base.Add(i - dawn) }
