package route

import (
	"fmt"
	"io"
	"iter"
	"reflect"
)

// What a Split takes apart, a Sort sorts, and a recipient list may be.

const sequences = "a slice, an array, an iter.Seq or an iter.Seq2 of values and errors"

func noParts(v any) error {
	switch v.(type) {
	case string, []byte, io.Reader:
		return fmt.Errorf("want %s, have %T: route.Tokenize and its like take text apart", sequences, v)
	}
	return fmt.Errorf("want %s, have %T", sequences, v)
}

func isSequence(v any) bool { _, _, ok := sequence(v); return ok && v != nil }

// A list is values that are all there: values, or what an array or a slice of another type
// holds.
type list struct {
	n      int
	values []any
	other  reflect.Value
}

func (l *list) at(i int) any {
	if l.values != nil {
		return l.values[i]
	}
	return l.other.Index(i).Interface()
}

func (l *list) all(yield func(any, error) bool) {
	for i := range l.n {
		if !yield(l.at(i), nil) {
			return
		}
	}
}

// group returns up to n values from i.
func (l *list) group(i, n int) []any {
	group := make([]any, min(n, l.n-i))
	for k := range group {
		group[k] = l.at(i + k)
	}
	return group
}

// grouped yields groups of n values, and before an error those that came before it.
func grouped(seq iter.Seq2[any, error], n int) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		var group []any
		for v, err := range seq {
			if err == nil {
				if group = append(group, v); len(group) < n {
					continue
				}
			}
			if len(group) > 0 && !yield(group, nil) {
				return
			}
			group = nil
			if err != nil && !yield(nil, err) {
				return
			}
		}
		if len(group) > 0 {
			yield(group, nil)
		}
	}
}

// sequence returns the values of v, as a list or as a sequence.
func sequence(v any) (l list, seq iter.Seq2[any, error], ok bool) {
	switch v := v.(type) {
	case nil:
		return list{}, nil, true
	case []any:
		return list{n: len(v), values: v}, nil, true
	case iter.Seq2[any, error]:
		return list{}, v, v != nil
	}
	r := reflect.ValueOf(v)
	switch t := r.Type(); t.Kind() {
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() != reflect.Uint8 { // bytes are one value
			return list{n: r.Len(), other: r}, nil, true
		}
	case reflect.Func:
		switch {
		case r.IsNil():
		case t.CanSeq2() && t.In(0).In(1) == reflect.TypeFor[error]():
			return list{}, func(yield func(any, error) bool) {
				for x, err := range r.Seq2() {
					err, _ := reflect.TypeAssert[error](err)
					if !yield(x.Interface(), err) {
						return
					}
				}
			}, true
		case t.CanSeq():
			return list{}, func(yield func(any, error) bool) {
				for x := range r.Seq() {
					if !yield(x.Interface(), nil) {
						return
					}
				}
			}, true
		}
	}
	return list{}, nil, false
}
