// Package convert turns values of one type into values of another, and refuses where
// something would be lost: a number that does not fit, a fraction, a text that is not
// UTF-8. A value that has the type already, or implements it, stays as it is.
//
//	from                     into
//	text                     text; io.Reader; numbers, in decimal digits; bool, "true" or "false" in any case;
//	                         time.Time; time.Duration; a type with UnmarshalText; maps, slices and structs, as JSON
//	whole numbers            whole numbers and floats that hold the same number; text; time.Time, as milliseconds since
//	                         1970; time.Duration, as milliseconds
//	floats                   the same as whole numbers
//	bool                     types of that kind; text
//	time.Time                text, as in RFC 3339; numbers, the milliseconds since 1970 if that is all there is
//	time.Duration            text such as 1m30s; numbers, the milliseconds if that is all there is
//	a type with MarshalText  text, and what can be made of that
//	slices                   slices, element by element; text, as JSON
//	maps                     maps with the same keys, value by value; structs, by way of JSON; text, as JSON
//	structs                  map[string]any, by way of JSON; structs with the same fields; text, as JSON
//	pointers                 what the value that they point to can be; a pointer to anything that can be made
//	nil                      nil, for pointers, interfaces, maps and slices
//
// Text is a string, a []byte or an io.Reader, which is read to its end, and any type of
// those kinds, such as json.RawMessage. A []byte that becomes another type of bytes shares its memory. Text that
// becomes a time is as in RFC 3339, or milliseconds; one that becomes a duration is as
// time.ParseDuration has it, or milliseconds. Numbers in text have no spaces, and whole
// ones no exponent; a fraction becomes the nearest float.
//
// In JSON that becomes an any, a number is a float64 if that holds it, or else an int64 or a
// uint64 or, if none does, a json.Number. Keys of an object for which a struct has no
// field are passed over, as encoding/json does.
package convert

import (
	"encoding"
	"encoding/json"
	"io"
	"reflect"
	"time"
)

// Limit is how many bytes of an [io.Reader] are read when its text is asked for.
const Limit = 64 << 20

// maxDepth bounds slices and maps inside of each other.
const maxDepth = 100

var (
	timeType     = reflect.TypeFor[time.Time]()
	durationType = reflect.TypeFor[time.Duration]()
	readerType   = reflect.TypeFor[io.Reader]()
	textDecoder  = reflect.TypeFor[encoding.TextUnmarshaler]()
	textEncoder  = reflect.TypeFor[encoding.TextMarshaler]()
	jsonEncoder  = reflect.TypeFor[json.Marshaler]()
)

// To returns v as a t. The error is an [*Error].
func To(v any, t reflect.Type) (any, error) {
	if v != nil && reflect.TypeOf(v) == t {
		return v, nil
	}
	out := reflect.New(t).Elem()
	if err := set(out, v, 0); err != nil {
		return nil, failed(v, t, err)
	}
	return out.Interface(), nil
}

// As returns v as a T. The error is an [*Error].
func As[T any](v any) (T, error) {
	if same, ok := v.(T); ok {
		return same, nil
	}
	var out T
	if err := into(&out, v); err != nil {
		return out, failed(v, reflect.TypeFor[T](), err)
	}
	return out, nil
}

// into stores v in what p points to. The most common pairs come first.
func into(p, v any) (err error) {
	switch p := p.(type) {
	case *string:
		*p, err = stringOf(v)
	case *[]byte:
		*p, err = bytesOf(v)
	default:
		return set(reflect.ValueOf(p).Elem(), v, 0)
	}
	if err == errNil {
		return set(reflect.ValueOf(p).Elem(), nil, 0)
	}
	return err
}

// set stores v in dst.
func set(dst reflect.Value, v any, depth int) error {
	src, t := reflect.ValueOf(v), dst.Type()
	switch {
	case depth > maxDepth:
		return errDeep
	case !src.IsValid() || src.Kind() == reflect.Pointer && src.IsNil() && src.Type() != t:
		return setNil(dst)
	case src.Type().AssignableTo(t):
		dst.Set(src)
		return nil
	case t == timeType:
		return setTime(dst, src)
	case t == durationType:
		return setDuration(dst, src)
	case t == readerType:
		return setReader(dst, v)
	case reflect.PointerTo(t).Implements(textDecoder):
		if handled, err := setByText(dst, src); handled {
			return err
		}
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		if err := set(p.Elem(), v, depth+1); err != nil {
			return err
		}
		dst.Set(p)
		return nil
	}
	if dst.CanInt() || dst.CanUint() || dst.CanFloat() {
		return setNumber(dst, src)
	}
	switch t.Kind() {
	case reflect.Bool:
		return setBool(dst, src)
	case reflect.String:
		s, err := stringOf(v)
		dst.SetString(s)
		return err
	case reflect.Slice, reflect.Map, reflect.Struct:
		return setComposite(dst, src, depth)
	}
	return errNoWay
}

func setNil(dst reflect.Value) error {
	switch dst.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map, reflect.Slice:
		dst.SetZero()
		return nil
	}
	return errNil
}

// setByText stores the text of src by UnmarshalText. Sources that are no text are left to
// the other rules.
func setByText(dst, src reflect.Value) (handled bool, err error) {
	if !isText(src) {
		return false, nil
	}
	b, err := bytesOf(src.Interface())
	if err != nil {
		return true, err
	}
	fresh := reflect.New(dst.Type())
	if err := fresh.Interface().(encoding.TextUnmarshaler).UnmarshalText(b); err != nil {
		return true, err
	}
	dst.Set(fresh.Elem())
	return true, nil
}

func setBool(dst, src reflect.Value) error {
	src = pointed(src)
	if src.Kind() == reflect.Bool {
		dst.SetBool(src.Bool())
		return nil
	}
	if !isText(src) {
		return errNoWay
	}
	s, err := stringOf(src.Interface())
	if err != nil {
		return err
	}
	switch {
	case equalFold(s, "true"):
		dst.SetBool(true)
	case equalFold(s, "false"):
		dst.SetBool(false)
	default:
		return errBool
	}
	return nil
}

func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		if s[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// pointed follows pointers that say nothing of text themselves.
func pointed(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer && !v.IsNil() && !v.Type().Implements(textEncoder) && !v.Type().Implements(readerType) {
		v = v.Elem()
	}
	return v
}
