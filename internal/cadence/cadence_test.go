package cadence_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/internal/cadence"
)

// A slip is a cursor in memory.
type slip struct {
	value []byte
	err   error
}

func (s *slip) Load(context.Context) ([]byte, error) { return s.value, s.err }
func (s *slip) Store(_ context.Context, value []byte) error {
	s.value = value
	return s.err
}

// hourly ticks at whole hours.
func hourly(after time.Time) time.Time { return after.Truncate(time.Hour).Add(time.Hour) }

// A clock can be set.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) cadence(p cadence.Policy, cursor cadence.Cursor) *cadence.Cadence {
	return &cadence.Cadence{Next: hourly, Policy: p, Cursor: cursor, Now: c.now, Logger: slog.New(slog.DiscardHandler)}
}

func start(t *testing.T, c *cadence.Cadence, first time.Time) {
	t.Helper()
	if err := c.Start(t.Context(), first); err != nil {
		t.Fatal(err)
	}
}

// wait wants the next ticks, by their hour.
func wait(t *testing.T, c *cadence.Cadence, want ...int) {
	t.Helper()
	for _, hour := range want {
		due, err := c.Wait(t.Context())
		if err != nil || due.UTC().Hour() != hour || due.Minute() != 0 {
			t.Errorf("%v, %v, want %d o'clock", due, err, hour)
		}
		if err := c.Done(t.Context(), due); err != nil {
			t.Error(err)
		}
	}
}

func TestTheClockIsSetForward(t *testing.T) {
	for policy, want := range map[cadence.Policy][]int{
		"": {1, 6}, cadence.Skip: {1, 6}, cadence.FireOnce: {1, 5, 6}, cadence.FireAll: {1, 2, 3, 4, 5, 6},
	} {
		t.Run(string(policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := &clock{}
				c := clock.cadence(policy, nil)
				start(t, c, clock.now())
				time.AfterFunc(90*time.Minute, func() { clock.ahead.Store(int64(4 * time.Hour)) }) // from 01:30 to 05:30
				wait(t, c, want...)
				if took := time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)); took != 2*time.Hour {
					t.Errorf("6 o'clock came after %v, want 2h", took)
				}
			})
		})
	}
}

// A jump over one tick makes it late, and no more.
func TestTheClockIsSetForwardALittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &clock{}
		c := clock.cadence(cadence.Skip, nil)
		start(t, c, clock.now())
		time.AfterFunc(30*time.Minute, func() { clock.ahead.Store(int64(40 * time.Minute)) })
		wait(t, c, 1, 2)
	})
}

func TestTheClockIsSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := &clock{}
		c := clock.cadence("", nil)
		start(t, c, clock.now())
		time.AfterFunc(125*time.Minute, func() { clock.ahead.Store(int64(-30 * time.Minute)) }) // 02:05 to 01:35
		wait(t, c, 1, 2, 3)                                                                     // 2 is not repeated
		time.AfterFunc(10*time.Minute, func() { clock.ahead.Store(int64(-20 * 24 * time.Hour)) })
		wait(t, c, 4) // by the new clock, not in 20 days
		if d := time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)); d > 5*time.Hour {
			t.Errorf("after %v", d)
		}
	})
}

func TestCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, kept := &clock{}, &slip{}
		c := clock.cadence(cadence.FireAll, kept)
		start(t, c, clock.now())
		if string(kept.value) != "2000-01-01T00:00:00Z" {
			t.Errorf("the beginning is kept as %q", kept.value)
		}
		wait(t, c, 1, 2)
		time.Sleep(3 * time.Hour)
		c = clock.cadence(cadence.FireOnce, kept) // of another process
		start(t, c, clock.now())
		wait(t, c, 5, 6)

		// The clock of the last leader was ahead, a little or beyond belief.
		kept.value = []byte("2000-01-01T07:00:00Z")
		c = clock.cadence(cadence.Skip, kept)
		start(t, c, clock.now())
		wait(t, c, 8)
		kept.value = []byte("2036-01-01T00:00:00Z")
		c = clock.cadence(cadence.Skip, kept)
		start(t, c, clock.now())
		wait(t, c, 9)
	})
}

func TestErrors(t *testing.T) {
	c := (&clock{}).cadence(cadence.Skip, &slip{value: []byte("yesterday")})
	if err := c.Start(t.Context(), time.Now()); err == nil || !strings.Contains(err.Error(), `the cursor holds "yesterday": want a time`) {
		t.Errorf("%v", err)
	}
	broken := errors.New("broken")
	c.Cursor = &slip{err: broken}
	if err := c.Start(t.Context(), time.Now()); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if err := c.Done(t.Context(), time.Now()); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	c = &cadence.Cadence{Next: func(time.Time) time.Time { return time.Time{} }}
	if _, err := c.Wait(t.Context()); !errors.Is(err, cadence.ErrOver) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for _, p := range []cadence.Policy{"", cadence.Skip, cadence.FireOnce, cadence.FireAll} {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	}
}

// The last of very many missed ticks is found at once.
func TestManyMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		begun := time.Now()
		c := &cadence.Cadence{Policy: cadence.FireOnce, Logger: slog.New(slog.DiscardHandler), Next: func(after time.Time) time.Time {
			calls++
			return after.Truncate(time.Millisecond).Add(time.Millisecond)
		}}
		start(t, c, begun.AddDate(-100, 0, 0))
		due, err := c.Wait(t.Context())
		if err != nil || !due.Equal(begun) || calls > 100 {
			t.Errorf("%v, %v, after %d calls", due, err, calls)
		}
	})
}
