// Package nested tells how deep values stand inside of each other, for encoders that would
// follow a cycle until the stack ends.
package nested

import (
	"fmt"
	"reflect"
)

// Max is how deep values may stand inside of each other.
const Max = 1000

// Check returns an error if there are more than [Max] maps, slices, structs or pointers
// inside of each other in v, as there are in a cycle.
func Check(v any) error {
	if deeper(reflect.ValueOf(v), Max, true) {
		return fmt.Errorf("values stand more than %d deep inside of each other in %T", Max, v)
	}
	return nil
}

// Append appends v as [fmt.Append] does, which shows where pointers inside of v lead to and
// does not follow them. Of a value in which more than [Max] others stand inside of each
// other it appends the type.
func Append(dst []byte, v any) []byte {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer {
		rv = rv.Elem()
	}
	if deeper(rv, Max, false) {
		return fmt.Appendf(dst, "[%T: values stand more than %d deep inside of each other]", v, Max)
	}
	return fmt.Append(dst, v)
}

func deeper(v reflect.Value, left int, pointers bool) bool {
	if left < 0 {
		return true
	}
	switch v.Kind() {
	case reflect.Pointer:
		return pointers && !v.IsNil() && deeper(v.Elem(), left-1, pointers)
	case reflect.Interface:
		return !v.IsNil() && deeper(v.Elem(), left-1, pointers)
	case reflect.Slice, reflect.Array:
		switch v.Type().Elem().Kind() {
		case reflect.Interface, reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map, reflect.Struct:
		default:
			return false
		}
		for i := range v.Len() {
			if deeper(v.Index(i), left-1, pointers) {
				return true
			}
		}
	case reflect.Map:
		for _, e := range v.Seq2() {
			if deeper(e, left-1, pointers) {
				return true
			}
		}
	case reflect.Struct:
		for _, f := range v.Fields() {
			if deeper(f, left-1, pointers) {
				return true
			}
		}
	}
	return false
}
