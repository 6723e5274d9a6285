package csv

import (
	"io"
	"iter"
	"reflect"

	"github.com/mehari-go/mehari/internal/octets"
)

var errorType = reflect.TypeFor[error]()

// isSequence tells whether t is an iter.Seq2 of rows and errors.
func isSequence(t reflect.Type) bool {
	return t.Kind() == reflect.Func && t.CanSeq2() && t.In(0).In(1) == errorType
}

// Rows returns the rows of r as they are read: each is a map[string]string or, without a
// header, a []string. The sequence can be ranged over once, and ends with the first
// error.
func (f Format) Rows(r io.Reader) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		f.each(r, reflect.TypeFor[any](), func(row reflect.Value, err error) bool { return yield(row.Interface(), err) })
	}
}

// rowsOf is Rows for a type of sequence.
func (f Format) rowsOf(sequence reflect.Type, r io.Reader) reflect.Value {
	return reflect.MakeFunc(sequence, func(args []reflect.Value) []reflect.Value {
		yield := args[0]
		f.each(r, yield.Type().In(0), func(row reflect.Value, err error) bool {
			failure := reflect.Zero(errorType)
			if err != nil {
				failure = reflect.ValueOf(&err).Elem()
			}
			return yield.Call([]reflect.Value{row, failure})[0].Bool()
		})
		return nil
	})
}

// each yields the rows of r, which are of type t, and in the end an error.
func (f Format) each(r io.Reader, t reflect.Type, yield func(reflect.Value, error) bool) {
	limit := octets.Renewed(r, f.MaxSize)
	table, err := f.open(limit)
	var fill filler
	if err == nil {
		fill, err = table.filler(t)
	}
	for err == nil {
		limit.Renew()
		row := reflect.New(t).Elem()
		var cells []string
		if cells, err = table.next(); err == nil {
			err = fill(row, cells)
		}
		if err == nil && !yield(row, nil) {
			return
		}
	}
	if err != io.EOF {
		yield(reflect.Zero(t), err)
	}
}
