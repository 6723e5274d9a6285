// Package csv is the data format of comma-separated values (RFC 4180), by encoding/csv.
//
//	route.From("direct:orders").
//		Step(route.Unmarshal[[]Order](csv.Format{})) // fields tagged csv:"item"
//
// It gives a slice of rows, each of which is a map[string]string, a map with other values,
// a struct with csv tags, a pointer to one, or a []string. A *any is given a
// []map[string]string or, without a header, a [][]string. An iter.Seq2[Order, error] has the
// rows one by one as they are read, and so has an iter.Seq2[any, error]: see [Format.Rows].
// All of these can be written.
//
// A cell is text and becomes the type of its field if nothing is lost by that; an empty one
// leaves the field at its zero value. Columns for which a struct has no field are passed
// over. The end of a line inside of a cell is read as "\n".
package csv

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mehari-go/mehari/internal/octets"
)

// Format is the data format. The zero value is for commas, and a first row with the names
// of the columns.
type Format struct {
	// Delimiter stands between cells; 0 means a comma.
	Delimiter rune

	// Header names the columns. The first row that is read has to be the same. Without it
	// the columns are named by that row, by the tags of a struct that is written, or by the
	// keys, sorted, of the first map.
	Header []string

	// NoHeader tells that the first row is data like the others, and that the names of
	// the columns are not written.
	NoHeader bool

	// Comment begins lines that are passed over; 0 means that there are none.
	Comment rune

	// LazyQuotes takes quotes where they should not be, as text.
	LazyQuotes bool

	// TrimSpace takes spaces away that a cell begins with when it is read.
	TrimSpace bool

	// LF ends rows with "\n" rather than "\r\n" when they are written.
	LF bool

	// MaxSize is how many bytes are read, by [Format.Rows] for each row; 0 means 256 MB, -1
	// no limit.
	MaxSize int64
}

// String returns "csv".
func (Format) String() string { return "csv" }

// Check implements dataformat.Checker: it looks at the Delimiter.
func (f Format) Check() error {
	if d := f.Delimiter; strings.ContainsRune("\"\r\n", d) || d == utf8.RuneError || !utf8.ValidRune(d) {
		return fmt.Errorf("%q cannot be a delimiter", d)
	}
	return nil
}

// Unmarshal reads all rows.
func (f Format) Unmarshal(r io.Reader, into any) error {
	if seq, ok := into.(*iter.Seq2[any, error]); ok && seq != nil {
		*seq = f.Rows(r)
		return nil
	}
	if err := octets.Target(into); err != nil {
		return err
	}
	to := reflect.ValueOf(into).Elem()
	t := to.Type()
	if isSequence(t) {
		to.Set(f.rowsOf(t, r))
		return nil
	}
	table, err := f.open(octets.Limit(r, f.MaxSize))
	if err != nil {
		return err
	}
	if to.Kind() == reflect.Interface && to.NumMethod() == 0 {
		t = reflect.SliceOf(table.natural())
	}
	if t.Kind() != reflect.Slice {
		return fmt.Errorf("want a pointer to a slice of rows, to an iter.Seq2 of rows and errors or to an any, have %T", into)
	}
	fill, err := table.filler(t.Elem())
	if err != nil {
		return err
	}
	rows := reflect.MakeSlice(t, 0, 0)
	for {
		cells, err := table.next()
		if err == io.EOF {
			to.Set(rows)
			return nil
		}
		if err != nil {
			return err
		}
		row := reflect.New(t.Elem()).Elem()
		if err := fill(row, cells); err != nil {
			return err
		}
		rows = reflect.Append(rows, row)
	}
}

// A table reads rows.
type table struct {
	in      *octets.Watched
	r       *csv.Reader
	header  []string // nil if there is none
	columns map[string]int
}

// open reads the header.
func (f Format) open(r io.Reader) (*table, error) {
	watched := &octets.Watched{R: r}
	in := bufio.NewReader(watched)
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" { // which spreadsheets write
		_, _ = in.Discard(3)
	}
	t := &table{in: watched, r: csv.NewReader(in)}
	if f.Delimiter != 0 {
		t.r.Comma = f.Delimiter
	}
	t.r.Comment, t.r.LazyQuotes, t.r.TrimLeadingSpace = f.Comment, f.LazyQuotes, f.TrimSpace
	if len(f.Header) > 0 {
		t.header = f.Header
		t.r.FieldsPerRecord = len(f.Header)
	}
	if !f.NoHeader {
		first, err := t.next()
		switch {
		case err == io.EOF && t.header == nil:
			t.header = []string{}
		case err != nil && err != io.EOF:
			return nil, err
		case t.header == nil:
			t.header = slices.Clone(first)
		case err == nil && !slices.Equal(first, t.header):
			return nil, fmt.Errorf("line 1: the columns are called %q, want %q", first, t.header)
		}
	}
	t.columns = map[string]int{}
	for i, name := range t.header {
		if _, twice := t.columns[name]; twice {
			return nil, fmt.Errorf("two columns are called %q", name)
		}
		t.columns[name] = i
	}
	t.r.ReuseRecord = true
	return t, nil
}

// next returns the cells of the next row, which are there until it is called again.
func (t *table) next() ([]string, error) {
	cells, err := t.r.Read()
	err = t.in.Cause(err)
	if e, ok := errors.AsType[*csv.ParseError](err); ok && e.Err == csv.ErrFieldCount {
		return nil, fmt.Errorf("line %d: there are %d cells, want %d", e.Line, len(cells), t.r.FieldsPerRecord)
	}
	if err != nil {
		return nil, err
	}
	for i, cell := range cells {
		if !utf8.ValidString(cell) {
			return nil, t.wrong(i, errors.New("it is not valid UTF-8"))
		}
	}
	return cells, nil
}

// wrong adds the place of a cell to an error.
func (t *table) wrong(i int, err error) error {
	line, _ := t.r.FieldPos(i)
	if i < len(t.header) {
		return fmt.Errorf("line %d, column %q: %w", line, t.header[i], err)
	}
	return fmt.Errorf("line %d, column %d: %w", line, i+1, err)
}
