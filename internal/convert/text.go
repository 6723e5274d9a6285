package convert

import (
	"bytes"
	"encoding"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mehari-go/mehari/internal/stream"
)

// isBytes tells whether v is of a kind of []byte.
func isBytes(v reflect.Value) bool {
	return v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8
}

// isText tells whether v is text, or says what its text is.
func isText(v reflect.Value) bool {
	for v.IsValid() {
		t := v.Type()
		switch {
		case v.Kind() == reflect.String, isBytes(v), t.Implements(readerType), t.Implements(textEncoder):
			return true
		case v.Kind() != reflect.Pointer:
			return reflect.PointerTo(t).Implements(textEncoder)
		case v.IsNil():
			return false
		}
		v = v.Elem()
	}
	return false
}

// stringOf returns the text of v.
func stringOf(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case encoding.TextMarshaler, io.Reader:
	default:
		if rv := reflect.ValueOf(v); rv.Kind() == reflect.String && !isTextEncoder(rv) {
			return rv.String(), nil
		}
	}
	b, err := bytesOf(v)
	if err == nil && !utf8.Valid(b) {
		err = errUTF8
	}
	if err != nil {
		return "", err
	}
	return string(b), nil
}

// bytesOf returns the text of v. It shares the memory of bytes.
func bytesOf(v any) ([]byte, error) {
	var b []byte // of numbers
	switch v := v.(type) {
	case nil:
		return nil, errNil
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		return appendFloat(b, v, 64), nil
	case time.Duration:
		return append(b, v.String()...), nil
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && rv.IsNil() {
		return nil, errNil
	}
	switch v := v.(type) {
	case encoding.TextMarshaler:
		return v.MarshalText()
	case io.Reader:
		return readAll(v)
	}
	switch {
	case isTextEncoder(rv):
		return addressed(rv).(encoding.TextMarshaler).MarshalText()
	case rv.Kind() == reflect.Pointer:
		return bytesOf(rv.Elem().Interface())
	case rv.Kind() == reflect.Bool:
		return strconv.AppendBool(b, rv.Bool()), nil
	case rv.Kind() == reflect.String:
		return []byte(rv.String()), nil
	case isBytes(rv):
		return rv.Bytes(), nil
	case rv.CanInt():
		return strconv.AppendInt(b, rv.Int(), 10), nil
	case rv.CanUint():
		return strconv.AppendUint(b, rv.Uint(), 10), nil
	case rv.CanFloat():
		return appendFloat(b, rv.Float(), rv.Type().Bits()), nil
	}
	return marshalJSON(rv)
}

// isTextEncoder tells whether a pointer to v says what its text is.
func isTextEncoder(v reflect.Value) bool { return reflect.PointerTo(v.Type()).Implements(textEncoder) }

// addressed returns a pointer to a copy of v, which has all methods.
func addressed(v reflect.Value) any {
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p.Interface()
}

// appendFloat writes numbers as JSON does (ECMA-262, Number::toString): an exponent only
// where the digits would not be readable.
func appendFloat(b []byte, f float64, bits int) []byte {
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strconv.AppendFloat(b, f, 'e', -1, bits)
	}
	return strconv.AppendFloat(b, f, 'f', -1, bits)
}

func readAll(r io.Reader) ([]byte, error) {
	r, err := stream.Open(r)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, Limit+1))
	if err == nil && len(b) > Limit {
		err = errLong
	}
	return b, err
}

// setReader stores a reader of v's text.
func setReader(dst reflect.Value, v any) error {
	if s, ok := v.(string); ok {
		dst.Set(reflect.ValueOf(strings.NewReader(s)))
		return nil
	}
	b, err := bytesOf(v)
	if err == nil {
		dst.Set(reflect.ValueOf(bytes.NewReader(b)))
	}
	return err
}
