package csv

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mehari-go/mehari/internal/convert"
	"github.com/mehari-go/mehari/internal/tagged"
)

// Marshal writes rows: a slice, an array or an iter.Seq2 of them and errors, or one.
func (f Format) Marshal(w io.Writer, v any) error {
	if err := f.Check(); err != nil {
		return err
	}
	if f.Delimiter == 0 {
		f.Delimiter = ','
	}
	out := &writer{Format: f, w: bufio.NewWriter(w), header: f.Header}
	n := 0
	for row, err := range rows(v) {
		n++
		if err == nil {
			err = out.write(row)
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
	}
	if n == 0 {
		if err := out.begin(columns(v)); err != nil {
			return err
		}
	}
	return out.w.Flush()
}

// columns returns the names of the columns that a slice of structs has, also an empty one.
func columns(v any) (names []string) {
	t := reflect.TypeOf(v)
	if t.Kind() != reflect.Slice && t.Kind() != reflect.Array {
		return nil
	}
	if t = t.Elem(); t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct {
		for _, f := range tagged.Fields(t, "csv") {
			names = append(names, f.Name)
		}
	}
	return names
}

// isRows tells whether v is a number of rows, and not one.
func isRows(v any) bool {
	t := reflect.TypeOf(v)
	if t != nil && isSequence(t) {
		return !reflect.ValueOf(v).IsNil()
	}
	if t == nil || t.Kind() != reflect.Slice && t.Kind() != reflect.Array {
		return false
	}
	switch e := t.Elem(); e.Kind() {
	case reflect.Map, reflect.Struct, reflect.Slice, reflect.Array, reflect.Pointer:
		return true
	case reflect.Interface: // of rows, or of cells
		v := reflect.ValueOf(v)
		for i := range v.Len() {
			switch reflect.ValueOf(v.Index(i).Interface()).Kind() {
			case reflect.Map, reflect.Slice, reflect.Array, reflect.Pointer, reflect.Struct:
				return true
			}
		}
		return v.Len() == 0
	}
	return false
}

func rows(v any) iter.Seq2[any, error] {
	if seq, ok := v.(iter.Seq2[any, error]); ok && seq != nil {
		return seq
	}
	return func(yield func(any, error) bool) {
		if !isRows(v) {
			yield(v, nil)
			return
		}
		all := reflect.ValueOf(v)
		if all.Kind() == reflect.Func {
			for row, failure := range all.Seq2() {
				err, _ := reflect.TypeAssert[error](failure)
				if !yield(row.Interface(), err) {
					return
				}
			}
			return
		}
		for i := range all.Len() {
			if !yield(all.Index(i).Interface(), nil) {
				return
			}
		}
	}
}

// A writer writes rows.
type writer struct {
	Format
	w      *bufio.Writer
	header []string
	begun  bool
	line   []byte
	fields []tagged.Field // of the structs
	of     reflect.Type
}

// begin writes the header, which is the one of names if there is no other.
func (w *writer) begin(names []string) error {
	if w.begun {
		return nil
	}
	w.begun = true
	if len(w.header) == 0 {
		w.header = names
	}
	if w.NoHeader || len(w.header) == 0 {
		return nil
	}
	return w.put(w.header)
}

// put writes cells.
func (w *writer) put(cells []string) error {
	if len(cells) == 0 {
		return errors.New("there are no cells")
	}
	line := w.line[:0]
	for i, cell := range cells {
		if i > 0 {
			line = utf8.AppendRune(line, w.Delimiter)
		}
		if !utf8.ValidString(cell) {
			return fmt.Errorf("column %d: it is not valid UTF-8", i+1)
		}
		if !w.needsQuotes(cell) && (cell != "" || len(cells) > 1) {
			line = append(line, cell...)
			continue
		}
		line = append(line, '"')
		line = append(line, strings.ReplaceAll(cell, `"`, `""`)...)
		line = append(line, '"')
	}
	if !w.LF {
		line = append(line, '\r')
	}
	w.line = append(line, '\n')
	_, err := w.w.Write(w.line)
	return err
}

// needsQuotes tells whether a cell would be read as something else without quotes.
func (w *writer) needsQuotes(cell string) bool {
	first, _ := utf8.DecodeRuneInString(cell)
	return strings.ContainsRune(cell, w.Delimiter) || strings.ContainsAny(cell, "\"\r\n") ||
		unicode.IsSpace(first) || first == '\ufeff' || w.Comment != 0 && first == w.Comment
}

func (w *writer) write(row any) error {
	v := reflect.ValueOf(row)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		return w.writeMap(v)
	case v.Kind() == reflect.Struct:
		return w.writeStruct(v)
	case (v.Kind() == reflect.Slice || v.Kind() == reflect.Array) && v.Type().Elem().Kind() != reflect.Uint8:
		return w.writeCells(v)
	}
	return fmt.Errorf("want a map, a struct or a slice of cells, have %T", row)
}

func (w *writer) writeMap(v reflect.Value) error {
	values := map[string]any{}
	for k, cell := range v.Seq2() {
		values[k.String()] = cell.Interface()
	}
	if err := w.begin(slices.Sorted(maps.Keys(values))); err != nil {
		return err
	}
	cells := make([]string, len(w.header))
	for i, name := range w.header {
		var err error
		if cells[i], err = text(values[name]); err != nil {
			return fmt.Errorf("column %q: %w", name, err)
		}
		delete(values, name)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		return fmt.Errorf("there is no column %q (have %q)", name, w.header)
	}
	return w.put(cells)
}

func (w *writer) writeStruct(v reflect.Value) error {
	if w.of != v.Type() {
		w.of, w.fields = v.Type(), tagged.Fields(v.Type(), "csv")
	}
	var names []string
	for _, f := range w.fields {
		names = append(names, f.Name)
	}
	if err := w.begin(names); err != nil {
		return err
	}
	cells := make([]string, len(w.header))
	for i, name := range w.header {
		at := slices.Index(names, name)
		if at < 0 {
			return fmt.Errorf("%s has no field for column %q", v.Type(), name)
		}
		var err error
		if cells[i], err = text(v.FieldByIndex(w.fields[at].Index).Interface()); err != nil {
			return fmt.Errorf("column %q: %w", name, err)
		}
	}
	return w.put(cells)
}

func (w *writer) writeCells(v reflect.Value) error {
	if err := w.begin(nil); err != nil {
		return err
	}
	if n := len(w.header); n > 0 && n != v.Len() {
		return fmt.Errorf("there are %d cells, want %d", v.Len(), n)
	}
	cells := make([]string, v.Len())
	for i := range cells {
		var err error
		if cells[i], err = text(v.Index(i).Interface()); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return w.put(cells)
}

// text returns a cell; that of nil is empty.
func text(v any) (string, error) {
	if rv := reflect.ValueOf(v); !rv.IsValid() || rv.Kind() == reflect.Pointer && rv.IsNil() {
		return "", nil
	}
	return convert.As[string](v)
}
