package simple

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"github.com/mehari-go/mehari/internal/nested"
)

// appendValue appends the text of a value.
func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return dst
	case string:
		return append(dst, v...)
	case *string:
		if v == nil {
			return dst
		}
		return append(dst, *v...)
	case []byte:
		return append(dst, v...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int8:
		return strconv.AppendInt(dst, int64(v), 10)
	case int16:
		return strconv.AppendInt(dst, int64(v), 10)
	case int32:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case uint:
		return strconv.AppendUint(dst, uint64(v), 10)
	case uint8:
		return strconv.AppendUint(dst, uint64(v), 10)
	case uint16:
		return strconv.AppendUint(dst, uint64(v), 10)
	case uint32:
		return strconv.AppendUint(dst, uint64(v), 10)
	case uint64:
		return strconv.AppendUint(dst, v, 10)
	case float32:
		return appendFloat(dst, float64(v), 32)
	case float64:
		return appendFloat(dst, v, 64)
	case time.Time:
		return v.AppendFormat(dst, time.RFC3339Nano)
	}
	return appendOther(dst, v)
}

// appendFloat writes numbers as JSON does (ECMA-262, Number::toString): an exponent
// only where the digits would not be readable.
func appendFloat(dst []byte, f float64, bits int) []byte {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(dst, f, 'e', -1, bits)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, bits)
}

// appendOther appends the text of a value that has a method for it, or is made of
// one of the types above, or is written as fmt does it.
func appendOther(dst []byte, v any) []byte {
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && rv.IsNil() {
		return dst
	}
	switch v := v.(type) {
	case encoding.TextAppender:
		if out, err := v.AppendText(dst); err == nil {
			return out
		}
	case error, fmt.Stringer, fmt.Formatter:
		return fmt.Append(dst, v)
	}
	switch rv.Kind() {
	case reflect.Slice:
		if rv.Type().Elem().Kind() == reflect.Uint8 {
			return append(dst, rv.Bytes()...)
		}
	case reflect.Pointer:
		switch rv.Elem().Kind() {
		case reflect.Struct, reflect.Pointer, reflect.Interface:
		default:
			return appendValue(dst, rv.Elem().Interface())
		}
	}
	return nested.Append(dst, v)
}
