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
	if deeper(reflect.ValueOf(v), Max) {
		return fmt.Errorf("values stand more than %d deep inside of each other in %T", Max, v)
	}
	return nil
}

func deeper(v reflect.Value, left int) bool {
	if left < 0 {
		return true
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		return !v.IsNil() && deeper(v.Elem(), left-1)
	case reflect.Slice, reflect.Array:
		switch v.Type().Elem().Kind() {
		case reflect.Interface, reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map, reflect.Struct:
		default:
			return false
		}
		for i := range v.Len() {
			if deeper(v.Index(i), left-1) {
				return true
			}
		}
	case reflect.Map:
		for _, e := range v.Seq2() {
			if deeper(e, left-1) {
				return true
			}
		}
	case reflect.Struct:
		for _, f := range v.Fields() {
			if deeper(f, left-1) {
				return true
			}
		}
	}
	return false
}
