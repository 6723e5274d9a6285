package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/mehari-go/mehari/route"
)

// A reader reads rows.
type reader struct {
	rows   *sql.Rows
	names  []string
	binary []bool // the column is of bytes, not of text
	values []any
	into   []any // pointers to values
}

// newReader takes rows over. If it fails they are closed.
func newReader(rows *sql.Rows) (r *reader, err error) {
	defer func() {
		if err != nil {
			rows.Close()
		}
	}()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	n := len(types)
	r = &reader{rows, make([]string, n), make([]bool, n), make([]any, n), make([]any, n)}
	for i, t := range types {
		r.names[i], r.into[i] = t.Name(), &r.values[i]
		switch name := strings.ToUpper(t.DatabaseTypeName()); {
		case strings.Contains(name, "BLOB"), strings.Contains(name, "BINARY"), name == "BYTEA", name == "RAW", name == "BIT", name == "":
			r.binary[i] = true
		}
		for _, before := range r.names[:i] {
			if before == r.names[i] {
				return nil, fmt.Errorf("two columns are called %q: give one another name with AS", before)
			}
		}
	}
	return r, nil
}

// next returns the next row and whether there is one.
func (r *reader) next() (map[string]any, bool, error) {
	if !r.rows.Next() {
		return nil, false, r.rows.Err()
	}
	if err := r.rows.Scan(r.into...); err != nil {
		return nil, false, err
	}
	row := make(map[string]any, len(r.names))
	for i, name := range r.names {
		v := r.values[i]
		if b, ok := v.([]byte); ok && !r.binary[i] && utf8.Valid(b) {
			v = string(b) // drivers give text so that has a type of which they know nothing
		}
		row[name] = v
	}
	return row, true, nil
}

// all returns up to max rows, and whether there are no more. The rows are closed afterwards.
func (r *reader) all(max int) (list []map[string]any, whole bool, err error) {
	defer r.rows.Close()
	list = []map[string]any{}
	for {
		row, ok, err := r.next()
		switch {
		case err != nil || !ok:
			return list, true, err
		case len(list) == max:
			return list, false, nil
		}
		list = append(list, row)
	}
}

// A stream is rows that are read while the message is on its way.
type stream struct {
	*reader
	begun, done atomic.Bool
}

var (
	errRead = errors.New("the rows were read before: a stream of rows can be read once")
	errDone = errors.New("the rows are closed: the exchange that they were read for is done")
)

func (s *stream) all() iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		if s.begun.Swap(true) {
			yield(nil, errRead)
			return
		}
		defer s.rows.Close()
		for {
			row, ok, err := s.next()
			if !ok && err == nil && s.done.Load() { // not the end of the rows
				err = errDone
			}
			if err != nil {
				yield(nil, err)
			}
			if err != nil || !ok || !yield(row, nil) {
				return
			}
		}
	}
}

// close is what the exchange calls when it is done.
func (s *stream) close(context.Context, *route.Exchange, error) error {
	s.done.Store(true)
	return s.rows.Close()
}
