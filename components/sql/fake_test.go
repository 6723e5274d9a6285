package sql_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
)

// A call is a statement with the values of its parameters.
type call struct {
	text string
	args []any
}

// An answer is what a database says: rows, or how many were changed.
type answer struct {
	columns []string
	types   []string
	rows    [][]driver.Value
	changed int64
	err     error
	broken  error // after the rows
}

// A fake is a database. It notes what it is asked.
type fake struct {
	answer func(ctx context.Context, c call) answer

	mu    sync.Mutex
	calls []call
	open  int // rows that are not closed
}

// database returns a database that answers as f says.
func database(t testing.TB, f func(ctx context.Context, c call) answer) (*sql.DB, *fake) {
	d := &fake{answer: f}
	db := sql.OpenDB(d)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if d.open != 0 {
			t.Errorf("%d times rows are left open", d.open)
		}
	})
	return db, d
}

func (f *fake) told() []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

func (f *fake) ask(ctx context.Context, text string, args []driver.NamedValue) answer {
	c := call{text: text}
	for _, a := range args {
		c.args = append(c.args, a.Value)
	}
	f.mu.Lock()
	f.calls = append(f.calls, c)
	f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return answer{err: err}
	}
	if f.answer == nil {
		return answer{}
	}
	return f.answer(ctx, c)
}

func (f *fake) Connect(context.Context) (driver.Conn, error) { return conn{f}, nil }
func (f *fake) Driver() driver.Driver                        { return f }
func (f *fake) Open(string) (driver.Conn, error)             { return conn{f}, nil }

type conn struct{ *fake }

func (conn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not prepared") }
func (conn) Close() error                        { return nil }
func (c conn) Begin() (driver.Tx, error)         { c.ask(context.Background(), "begin", nil); return c, nil }

func (c conn) Commit() error { return c.ask(context.Background(), "commit", nil).err }

func (c conn) Rollback() error { return c.ask(context.Background(), "rollback", nil).err }

func (c conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	a := c.ask(ctx, text, args)
	if a.changed < 0 {
		return driver.ResultNoRows, a.err
	}
	return driver.RowsAffected(a.changed), a.err
}

func (c conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	a := c.ask(ctx, text, args)
	if a.err != nil {
		return nil, a.err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open++
	return &rows{c.fake, a}, nil
}

type rows struct {
	*fake
	answer
}

func (r *rows) Columns() []string { return r.columns }

func (r *rows) ColumnTypeDatabaseTypeName(i int) string {
	if i < len(r.types) {
		return r.types[i]
	}
	return "TEXT"
}

func (r *rows) Next(dest []driver.Value) error {
	if len(r.rows) == 0 {
		if r.broken != nil {
			return r.broken
		}
		return io.EOF
	}
	copy(dest, r.rows[0])
	r.rows = r.rows[1:]
	return nil
}

func (r *rows) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open--
	return nil
}
