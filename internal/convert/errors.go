package convert

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// An Error tells why a value cannot be converted. It names both types; of the value it
// shows no more than the beginning.
type Error struct {
	From reflect.Type // nil for a nil
	To   reflect.Type
	Have string // the beginning of the value, quoted if it is text; "" where it says nothing
	Err  error
}

func (e *Error) Error() string {
	from := "nil"
	if e.From != nil {
		from = e.From.String()
	}
	if e.Have != "" {
		from += " " + e.Have
	}
	return fmt.Sprintf("cannot convert %s to %s: %v", from, e.To, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

var (
	errNil      = errors.New("there is no value")
	errNoWay    = errors.New("there is no conversion")
	errDeep     = fmt.Errorf("values stand more than %d deep inside of each other", maxDepth)
	errRange    = errors.New("it is out of range")
	errFraction = errors.New("it has a fraction")
	errNaN      = errors.New("it is not a number")
	errInexact  = errors.New("it would be rounded")
	errWhole    = errors.New("want a whole number in decimal digits")
	errNumber   = errors.New("want a number")
	errBool     = errors.New("want true or false")
	errTime     = errors.New("want a time as in RFC 3339, or milliseconds")
	errDuration = errors.New("want a duration like 1m30s, or milliseconds")
	errMillis   = errors.New("it has parts of a millisecond")
	errUTF8     = errors.New("it is not valid UTF-8")
	errHidden   = errors.New("its fields are not exported")
	errLong     = fmt.Errorf("it has more than %d MB: it can only be read as an io.Reader", Limit>>20)
)

// failed makes the error of a conversion.
func failed(v any, t reflect.Type, err error) error {
	return &Error{reflect.TypeOf(v), t, have(reflect.ValueOf(v)), err}
}

// shown is how many bytes of a text an error shows.
const shown = 20

// have returns what an error shows of a value: numbers, and the beginning of a text.
func have(v reflect.Value) string {
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch {
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10)
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10)
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case v.Kind() == reflect.String:
		return cut(v.String())
	case isBytes(v):
		return cut(string(v.Bytes()[:min(v.Len(), shown+utf8.UTFMax)]))
	}
	return ""
}

func cut(s string) string {
	if len(s) <= shown {
		return strconv.Quote(s)
	}
	n := shown
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return strconv.Quote(s[:n]) + "…"
}
