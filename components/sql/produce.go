package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// limited returns ctx with the option timeout.
func (e *endpoint) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.config.Timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, e.config.Timeout, fmt.Errorf("the statement took longer than %v", e.config.Timeout))
}

// late returns err, or why the time of ctx was over.
func late(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)) {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

// Process implements [route.Producer].
func (p producer) Process(ctx context.Context, ex *route.Exchange) (err error) {
	within, cancel := p.limited(ctx)
	keep := false
	defer func() {
		err = late(within, err)
		if !keep {
			cancel()
		}
	}()
	switch {
	case p.config.Batch:
		return p.batch(within, ex)
	case !p.statement.returns:
		n, err := p.change(within, in(ctx, p.db), p.statement, source{ex, ex.Scope(), ex.Body})
		if err == nil {
			count(ex, n)
		}
		return err
	}
	r, err := p.query(within, in(ctx, p.db), source{ex, ex.Scope(), ex.Body})
	if err != nil {
		return err
	}
	if keep = p.config.OutputType == StreamList; keep {
		s := &stream{reader: r}
		ex.OnDone(func(ctx context.Context, ex *route.Exchange, err error) error {
			defer cancel()
			return s.close(ctx, ex, err)
		})
		p.give(ex, s.all())
		return nil
	}
	list, whole, err := r.all(p.maxRows)
	switch {
	case err != nil:
		return err
	case !whole:
		return fmt.Errorf("more than %d rows: want a higher maxRows, or outputType=StreamList", p.maxRows)
	}
	var result any = list
	if p.config.OutputType == SelectOne {
		if result, err = one(list, r.names); err != nil {
			return err
		}
	}
	RowCount.Set(ex, len(list))
	if !p.config.Noop {
		p.give(ex, result)
	}
	return nil
}

func (p producer) give(ex *route.Exchange, result any) {
	if p.config.OutputHeader != "" {
		ex.SetHeader(p.config.OutputHeader, result)
		return
	}
	ex.Body = result
}

// one returns the only row, or its only value.
func one(list []map[string]any, names []string) (any, error) {
	switch {
	case len(list) == 0:
		return nil, nil
	case len(list) > 1:
		return nil, fmt.Errorf("want one row at most, have %d", len(list))
	case len(names) == 1:
		return list[0][names[0]], nil
	}
	return list[0], nil
}

// query runs the statement of the endpoint, which returns rows.
func (e *endpoint) query(ctx context.Context, on runner, from source) (*reader, error) {
	text, args, err := e.statement.bind(ctx, from)
	if err != nil {
		return nil, err
	}
	rows, err := on.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	return newReader(rows)
}

// unknown is the number of rows that a driver does not tell.
const unknown = -1

// change runs a statement that returns no rows, and returns how many it has changed.
func (e *endpoint) change(ctx context.Context, on runner, s *statement, from source) (int, error) {
	text, args, err := s.bind(ctx, from)
	if err != nil {
		return 0, err
	}
	done, err := on.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	if err != nil {
		return unknown, nil // it has changed them nevertheless
	}
	return int(n), nil
}

// count tells how many rows were changed.
func count(ex *route.Exchange, n int) {
	if n == unknown {
		ex.RemoveHeader(UpdateCount.Name())
		return
	}
	UpdateCount.Set(ex, n)
}

// batch runs the statement for each value of the body: all of it is done, or nothing.
func (p producer) batch(ctx context.Context, ex *route.Exchange) (err error) {
	list, ok := listOf(ex.Body)
	if !ok {
		return fmt.Errorf("want a list for batch=true, have %T", ex.Body)
	}
	on := in(ctx, p.db)
	if db, ok := on.(*sql.DB); ok {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // after a commit it does nothing
		n, err := p.changeAll(ctx, tx, ex, list)
		if err != nil {
			return err
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		count(ex, n)
		return nil
	}
	n, err := p.changeAll(ctx, on, ex, list)
	if err == nil {
		count(ex, n)
	}
	return err
}

func (p producer) changeAll(ctx context.Context, on runner, ex *route.Exchange, list []any) (int, error) {
	sum := 0
	for i, body := range list {
		n, err := p.change(ctx, on, p.statement, source{ex, seen{ex.Scope(), body}, body})
		switch {
		case err != nil:
			return 0, fmt.Errorf("value %d of %d: %w", i+1, len(list), err)
		case n == unknown || sum == unknown:
			sum = unknown
		default:
			sum += n
		}
	}
	return sum, nil
}
