package route

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"time"
)

// An Order compares two values for [Route.Sort]: below 0 if a comes before b, above 0 if
// it comes after, 0 if they are equal. Its error is the exchange's.
type Order func(a, b any) (int, error)

// SortBy makes an [Order] of a typed function, such as [strings.Compare]. A value of
// another type is an error.
func SortBy[T any](compare func(a, b T) int) Order {
	if compare == nil {
		return nil
	}
	return func(a, b any) (int, error) {
		x, ok := a.(T)
		if !ok {
			return 0, fmt.Errorf("want values of type %s, have %T", typeName[T](), a)
		}
		y, ok := b.(T)
		if !ok {
			return 0, fmt.Errorf("want values of type %s, have %T", typeName[T](), b)
		}
		return compare(x, y), nil
	}
}

// Natural is the [Order] of numbers of all kinds by size, with NaN before the others, of
// strings and []byte by their bytes, of bools with false before true, and of times. Values
// that are not of the same of these kinds are an error.
func Natural(a, b any) (int, error) {
	switch x := a.(type) {
	case []byte:
		if y, ok := b.([]byte); ok {
			return bytes.Compare(x, y), nil
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y), nil
		}
	}
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	switch {
	case isNumber(x) && isNumber(y):
		return compareNumbers(x, y), nil
	case isText(x) && isText(y):
		return cmp.Compare(x.String(), y.String()), nil
	case x.Kind() == reflect.Bool && y.Kind() == reflect.Bool:
		switch {
		case x.Bool() == y.Bool():
			return 0, nil
		case y.Bool():
			return -1, nil
		}
		return 1, nil
	}
	return 0, fmt.Errorf("%T and %T have no natural order: want numbers, strings, bools or times, or an order by route.SortBy", a, b)
}

func isNumber(v reflect.Value) bool { return v.CanInt() || v.CanUint() || v.CanFloat() }

// isText tells whether v is text whose bytes say how it is ordered.
func isText(v reflect.Value) bool {
	return v.Kind() == reflect.String && v.Type() != reflect.TypeFor[json.Number]()
}

func compareNumbers(x, y reflect.Value) int {
	switch {
	case x.CanFloat() && y.CanFloat():
		return cmp.Compare(x.Float(), y.Float())
	case x.CanFloat():
		return -compareFloat(y, x.Float())
	case y.CanFloat():
		return compareFloat(x, y.Float())
	case x.CanInt() && y.CanInt():
		return cmp.Compare(x.Int(), y.Int())
	case x.CanInt() && x.Int() < 0:
		return -1
	case y.CanInt() && y.Int() < 0:
		return 1
	}
	return cmp.Compare(magnitude(x), magnitude(y))
}

// magnitude is the value of an integer that is not negative.
func magnitude(v reflect.Value) uint64 {
	if v.CanInt() {
		return uint64(v.Int())
	}
	return v.Uint()
}

// compareFloat compares an integer with f, without the loss of making a float of it.
func compareFloat(x reflect.Value, f float64) int {
	floor := math.Floor(f)
	switch {
	case math.IsNaN(f):
		return 1
	case x.CanInt() && floor >= 1<<63, x.CanUint() && floor >= 1<<64:
		return -1
	case x.CanInt() && floor < -1<<63, x.CanUint() && floor < 0:
		return 1
	case x.CanInt():
		return cmp.Or(cmp.Compare(x.Int(), int64(floor)), cmp.Compare(floor, f))
	}
	return cmp.Or(cmp.Compare(x.Uint(), uint64(floor)), cmp.Compare(floor, f))
}
