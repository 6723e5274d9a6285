// Package cadence says when a schedule ticks, and what becomes of the ticks that nobody
// was there for: across restarts and hand-overs, where a cursor remembers the last one.
package cadence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/mehari-go/mehari/internal/sleep"
)

// A Policy says what becomes of ticks whose time came while nobody waited for them: the
// one before was still being processed, the clock was set forward, or no replica ran.
type Policy string

// The policies. The zero Policy is like Skip, but keeps no cursor.
const (
	Skip     Policy = "skip"      // they are left out
	FireOnce Policy = "fire-once" // the last of them is made up for
	FireAll  Policy = "fire-all"  // each is, in order, without a pause
)

// Check refuses what is no policy.
func (p Policy) Check() error {
	switch p {
	case "", Skip, FireOnce, FireAll:
		return nil
	}
	return fmt.Errorf(`option "misfire": want %s, %s or %s, have %q`, Skip, FireOnce, FireAll, string(p))
}

// A Cursor is a route.Cursor.
type Cursor interface {
	Load(ctx context.Context) ([]byte, error)
	Store(ctx context.Context, value []byte) error
}

// A Cadence goes from tick to tick. It belongs to one goroutine.
type Cadence struct {
	// Next returns the first tick after a time, the zero time where there is none. It
	// never goes back: Next(a) <= Next(b) where a < b.
	Next   func(after time.Time) time.Time
	Policy Policy
	Cursor Cursor           // nil where none is kept
	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger

	last time.Time // the tick that was handled last, or the time before the first
}

const (
	// skew is how far ahead of this clock that of another replica is believed to be, and
	// how far back this one is set without a new beginning.
	skew = time.Hour
	// glance is how often the wall clock is looked at, which may be set.
	glance = time.Minute
)

// ErrOver means that there is no tick any more.
var ErrOver = errors.New("the schedule is over")

func (c *Cadence) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// Start goes on after the tick that the cursor knows. Where that knows none, or none that
// can be, it begins after first, which is remembered.
func (c *Cadence) Start(ctx context.Context, first time.Time) error {
	c.last = first.Round(0)
	if c.Cursor == nil {
		return nil
	}
	value, err := c.Cursor.Load(ctx)
	if err != nil {
		return err
	}
	if len(value) > 0 {
		last, err := time.Parse(time.RFC3339Nano, string(value))
		if err != nil {
			return fmt.Errorf("the cursor holds %.40q: want a time", value)
		}
		if limit := c.now().Add(skew); !last.After(limit) || !last.After(first) {
			c.last = last
			return nil
		}
		c.Logger.Warn("the last tick is in the future: beginning anew", "last", last)
	}
	return c.store(ctx)
}

// Last returns the tick that was handled last, or the time after which the first one is.
func (c *Cadence) Last() time.Time { return c.last }

// Run fires each tick until ctx is done, and returns nil then; or until fire has no more,
// and returns [ErrOver]. A tick that fails while work is done was cut off, and is not
// remembered: whoever comes next may do it.
func (c *Cadence) Run(ctx, work context.Context, fire func(due time.Time) (more bool, err error)) error {
	for {
		due, err := c.Wait(ctx)
		switch {
		case errors.Is(err, ErrOver):
			return err
		case err != nil:
			return nil
		}
		more, err := fire(due)
		if err != nil && work.Err() != nil {
			return nil
		}
		if err := c.Done(work, due); err != nil {
			c.Logger.Warn("a tick was processed, but cannot be remembered: it may come again", "due", due, "error", err)
		}
		if !more {
			return ErrOver
		}
	}
}

// Wait waits for the next tick and returns when that was due. The error is ErrOver, or
// that of ctx.
func (c *Cadence) Wait(ctx context.Context) (due time.Time, err error) {
	waited := false
	for {
		if err := ctx.Err(); err != nil {
			return due, err
		}
		now := c.now()
		if c.last.After(now.Add(skew)) && waited { // the clock was set back
			c.last = now.Round(0)
		}
		due = c.Next(c.last)
		switch {
		case due.IsZero():
			return due, ErrOver
		case due.After(now):
			if !sleep.For(ctx, min(due.Sub(now), glance)) {
				return due, ctx.Err()
			}
			waited = true
			continue
		case waited && c.inTime(due, now):
			return due, nil
		}
		switch c.Policy {
		case FireAll:
			return due, nil
		case FireOnce:
			return c.latest(now), nil
		}
		c.last = c.latest(now)
	}
}

// inTime tells whether due is the only tick up to now.
func (c *Cadence) inTime(due, now time.Time) bool {
	next := c.Next(due)
	return next.IsZero() || next.After(now)
}

// latest returns the last tick up to now, of which there is one after c.last.
func (c *Cadence) latest(now time.Time) time.Time {
	reached := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	low, high := c.last, now // the tick after low is reached
	for high.Sub(low) > time.Millisecond {
		middle := low.Add(high.Sub(low) / 2)
		if reached(c.Next(middle)) {
			low = middle
		} else {
			high = middle
		}
	}
	tick := c.Next(low)
	for next := c.Next(tick); reached(next); next = c.Next(next) {
		tick = next
	}
	return tick
}

// Done takes in that the tick that was due was handled, and remembers it. After an error
// the cadence goes on, but a restart may repeat the tick.
func (c *Cadence) Done(ctx context.Context, due time.Time) error {
	c.last = due
	if c.Cursor == nil {
		return nil
	}
	return c.store(ctx)
}

func (c *Cadence) store(ctx context.Context) error {
	return c.Cursor.Store(ctx, []byte(c.last.UTC().Format(time.RFC3339Nano)))
}
