package timer

import (
	"context"
	"errors"
	"time"

	"github.com/mehari-go/mehari/internal/cadence"
	"github.com/mehari-go/mehari/route"
)

// keepPace ticks at whole periods from the very first tick, across starts.
func (e endpoint) keepPace(ctx context.Context, next route.Processor) error {
	var origin time.Time // a tick
	c := cadence.Cadence{
		Next:   func(after time.Time) time.Time { return follow(origin, e.period, after) },
		Policy: cadence.Policy(e.config.Misfire),
		Logger: e.logger.With("endpoint", e.String()),
	}
	if cursors, ok := route.CursorsFrom(ctx); ok {
		cursor, err := cursors.Open("timer:" + e.config.Name)
		if err != nil {
			return err
		}
		defer cursor.Close()
		c.Cursor = cursor
	}
	first := time.Now().Add(e.delay)
	if !e.config.Time.IsZero() {
		first = e.config.Time
	}
	if err := c.Start(ctx, first.Add(-e.period)); err != nil {
		return err
	}
	origin = c.Last()
	ex := route.NewExchange(nil)
	defer func() { ex.Release() }()
	n := int64(0)
	err := c.Run(ctx, route.Work(ctx), func(due time.Time) (bool, error) {
		n++
		ex = ex.Renew(nil)
		if e.config.IncludeMetadata {
			e.describe(ex, n, due)
		}
		return n != e.config.RepeatCount, next.Process(ctx, ex) // the engine tells; a timer goes on
	})
	if errors.Is(err, cadence.ErrOver) {
		return route.ErrDone
	}
	return err
}

// follow returns the first tick after a time.
func follow(origin time.Time, period time.Duration, after time.Time) time.Time {
	since := after.Sub(origin)
	periods := since / period
	if since < 0 && since%period != 0 {
		periods--
	}
	return origin.Add((periods + 1) * period)
}
