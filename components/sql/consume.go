package sql

import (
	"context"
	"fmt"
	"log/slog"
	"maps"

	"github.com/mehari-go/mehari/route"
)

// Consume implements [route.Consumer].
//
// A row comes again with the next poll, until onConsume or onConsumeFailed makes the statement
// pass it over: also where the process dies in between. A poll that fails ends Consume with
// its error, so that the engine calls it again later, and shows meanwhile that it does not
// work. What follows on an exchange is done also if the route has been stopped meanwhile.
func (c consumer) Consume(ctx context.Context, next route.Processor) error {
	return c.schedule.Consume(ctx, nil, func() (int, error) { return c.poll(ctx, next) })
}

// poll returns how many rows there were.
func (c consumer) poll(ctx context.Context, next route.Processor) (int, error) {
	rows, err := c.rows(ctx)
	if err != nil {
		return 0, err
	}
	b := &batch{consumer: c, ctx: ctx, next: next, rows: rows, ex: route.NewExchange(nil)}
	defer func() { b.ex.Release() }()
	switch {
	case c.config.UseIterator != nil && !*c.config.UseIterator:
		if len(rows) > 0 || c.config.RouteEmptyResultSet {
			b.lead(c.copied(rows), rows, 0, 1)
		}
	case len(rows) == 0 && c.config.RouteEmptyResultSet:
		b.lead(nil, nil, 0, 1)
	default:
		for i := range rows {
			if !b.lead(c.copied(rows[i : i+1])[0], rows[i:i+1], i, len(rows)) {
				break
			}
		}
	}
	b.end()
	return len(rows), nil
}

// copied returns the rows for a route, which may change them.
func (c consumer) copied(rows []map[string]any) []map[string]any {
	if c.onConsume == nil && c.onFailed == nil {
		return rows
	}
	copies := make([]map[string]any, len(rows))
	for i, row := range rows {
		copies[i] = maps.Clone(row)
	}
	return copies
}

// rows are those of one poll.
func (c consumer) rows(ctx context.Context) ([]map[string]any, error) {
	within, cancel := c.limited(ctx)
	defer cancel()
	ex := route.NewExchange(nil)
	defer ex.Release()
	r, err := c.query(within, c.db, source{ex, ex.Scope(), nil})
	if err != nil {
		return nil, late(within, err)
	}
	most := c.maxRows
	if n := c.config.MaxMessagesPerPoll; n > 0 {
		most = min(n, most)
	}
	rows, _, err := r.all(most)
	return rows, late(within, err)
}

// A batch is the rows of one poll.
type batch struct {
	consumer
	ctx    context.Context
	next   route.Processor
	rows   []map[string]any
	ex     *route.Exchange
	broken bool // not all rows were led
}

// lead leads an exchange of rows through the route, and tells whether to go on.
func (b *batch) lead(body any, rows []map[string]any, i, n int) bool {
	if b.ctx.Err() != nil {
		b.broken = true
		return false
	}
	b.ex = b.ex.Renew(body)
	route.BatchIndex.Set(b.ex, i)
	route.BatchSize.Set(b.ex, n)
	route.BatchComplete.Set(b.ex, i == n-1)
	RowCount.Set(b.ex, len(rows))
	failed := b.next.Process(b.ctx, b.ex) != nil // the engine tells
	if failed && route.Work(b.ctx).Err() != nil {
		b.broken = true // it was given up with the route, and comes again
		return false
	}
	s, option := b.onConsume, "onConsume"
	if failed {
		s, option = b.onFailed, "onConsumeFailed"
	}
	if s != nil {
		for _, row := range rows {
			if err := b.follow(s, row, !failed); err != nil {
				failed = true
				b.tell(option, err)
			}
		}
	}
	b.broken = failed && b.config.BreakBatchOnConsumeFail
	return !b.broken
}

// end follows on all exchanges.
func (b *batch) end() {
	if b.broken || b.onBatch == nil || len(b.rows) == 0 {
		return
	}
	if err := b.follow(b.onBatch, nil, false); err != nil {
		b.tell("onConsumeBatchComplete", err)
	}
}

// follow runs a statement that follows on an exchange. Where the time for exchanges in flight is
// over it has a little more.
func (b *batch) follow(s *statement, row map[string]any, counted bool) error {
	ctx, cancel := route.Work(b.ctx), context.CancelFunc(func() {})
	if ctx.Err() != nil || b.ctx.Err() != nil && ctx == b.ctx {
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), lateTimeout)
	}
	defer cancel()
	within, cancelWithin := b.limited(ctx)
	defer cancelWithin()
	n, err := b.change(within, b.db, s, source{b.ex, b.ex.Scope(), row})
	if want := b.config.ExpectedUpdateCount; err == nil && counted && want != nil && n != *want {
		return fmt.Errorf("it has changed %d rows, want %d", n, *want)
	}
	return late(within, err)
}

func (b *batch) tell(option string, err error) {
	b.logger.LogAttrs(b.ctx, slog.LevelError, "row not marked: it may come again",
		slog.String("endpoint", b.String()), slog.String("statement", option), slog.String("exchange", b.ex.ID()), slog.Any("error", err))
}
