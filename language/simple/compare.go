package simple

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A scalar is a value made ready to be compared.
type scalar struct {
	kind kind
	bits uint64 // of a number or a bool
	text string
	any  any // of a time, of what is none of the others, and of what has a String method
}

type kind uint8

const (
	isNil kind = iota
	isText
	isBool
	isInt
	isUint // too great for an int64
	isFloat
	isTime
	isOther
)

func (s scalar) int() int64     { return int64(s.bits) }
func (s scalar) float() float64 { return math.Float64frombits(s.bits) }
func (s scalar) isNumber() bool { return s.kind >= isInt && s.kind <= isFloat }

func intScalar(i int64) scalar { return scalar{kind: isInt, bits: uint64(i)} }

func uintScalar(u uint64) scalar {
	if u <= math.MaxInt64 {
		return scalar{kind: isInt, bits: u}
	}
	return scalar{kind: isUint, bits: u}
}

func floatScalar(f float64) scalar { return scalar{kind: isFloat, bits: math.Float64bits(f)} }

// scalarOf looks at a value. Pointers are followed.
func scalarOf(v any) scalar {
	switch v := v.(type) {
	case nil:
		return scalar{}
	case string:
		return scalar{kind: isText, text: v}
	case []byte:
		return scalar{kind: isText, text: string(v)}
	case bool:
		if v {
			return scalar{kind: isBool, bits: 1}
		}
		return scalar{kind: isBool}
	case int:
		return intScalar(int64(v))
	case int64:
		return intScalar(v)
	case float64:
		return floatScalar(v)
	case time.Time:
		return scalar{kind: isTime, any: v}
	case json.Number:
		if n, ok := parseNumber(string(v)); ok {
			return n
		}
		return scalar{kind: isText, text: string(v)}
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() == reflect.Pointer && rv.IsNil() {
		return scalar{}
	}
	s := scalarOfKind(rv, v)
	switch v.(type) {
	case error, fmt.Stringer:
		if s.kind == isOther {
			return scalar{kind: isText, text: textOf(v), any: v}
		}
		s.any = v // a number with a name
	}
	return s
}

// scalarOfKind looks at what a value is made of.
func scalarOfKind(rv reflect.Value, v any) scalar {
	switch {
	case rv.Kind() == reflect.Pointer && rv.Elem().CanInterface() && rv.Elem().Kind() != reflect.Struct:
		return scalarOf(rv.Elem().Interface())
	case rv.CanInt():
		return intScalar(rv.Int())
	case rv.CanUint():
		return uintScalar(rv.Uint())
	case rv.CanFloat():
		return floatScalar(rv.Float())
	case rv.Kind() == reflect.String:
		return scalar{kind: isText, text: rv.String()}
	case rv.Kind() == reflect.Bool:
		return scalarOf(rv.Bool())
	case rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8:
		return scalar{kind: isText, text: string(rv.Bytes())}
	}
	return scalar{kind: isOther, any: v}
}

// number returns s as a number, if it is one or the text of one.
func (s scalar) number() (scalar, bool) {
	switch {
	case s.isNumber():
		return s, true
	case s.kind == isText:
		return parseNumber(s.text)
	case s.kind == isTime:
		return intScalar(s.any.(time.Time).UnixMilli()), true
	}
	return scalar{}, false
}

// isNumber tells whether text is a decimal number.
func isNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	whole, fraction, dot := strings.Cut(digits, ".")
	return isDigits(whole) && (!dot || isDigits(fraction))
}

func isDigits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}

// parseNumber reads a decimal number, which may have an exponent.
func parseNumber(text string) (scalar, bool) {
	text = strings.TrimSpace(text)
	mantissa := text
	if i := strings.IndexAny(text, "eE"); i > 0 && isDigits(strings.TrimLeft(text[i+1:], "+-")) {
		mantissa = text[:i]
	}
	if !isNumber(mantissa) {
		return scalar{}, false
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return intScalar(i), true
	}
	if u, err := strconv.ParseUint(text, 10, 64); err == nil {
		return uintScalar(u), true
	}
	f, err := strconv.ParseFloat(text, 64)
	return floatScalar(f), err == nil
}

// parseRange reads "lowest..highest".
func parseRange(text string) (lowest, highest scalar, ok bool) {
	from, to, cut := strings.Cut(text, "..")
	if !cut || !isNumber(from) || !isNumber(to) {
		return scalar{}, scalar{}, false
	}
	lowest, okLow := parseNumber(from)
	highest, okHigh := parseNumber(to)
	return lowest, highest, okLow && okHigh
}

// unordered is how NaN compares.
const unordered = 2

// compareNumbers compares exactly, also an integer with a float that cannot hold it.
func compareNumbers(a, b scalar) int {
	switch {
	case a.kind == isFloat && b.kind == isFloat:
		return compareFloats(a.float(), b.float())
	case a.kind == isFloat:
		if c := compareWithFloat(b, a.float()); c != unordered {
			return -c
		}
		return unordered
	case b.kind == isFloat:
		return compareWithFloat(a, b.float())
	case a.kind != b.kind: // one is too great for an int64
		return cmp.Compare(a.kind, b.kind)
	case a.kind == isInt:
		return cmp.Compare(a.int(), b.int())
	}
	return cmp.Compare(a.bits, b.bits)
}

func compareFloats(a, b float64) int {
	if math.IsNaN(a) || math.IsNaN(b) {
		return unordered
	}
	return cmp.Compare(a, b)
}

// compareWithFloat compares an integer with a float.
func compareWithFloat(a scalar, f float64) int {
	switch {
	case math.IsNaN(f):
		return unordered
	case f >= 1<<64:
		return -1
	case f < -1<<63:
		return 1
	}
	whole, fraction := math.Modf(f)
	var c int
	switch {
	case whole >= 1<<63:
		c = compareNumbers(a, uintScalar(uint64(whole)))
	default:
		c = compareNumbers(a, intScalar(int64(whole)))
	}
	if c == 0 {
		return cmp.Compare(0, fraction)
	}
	return c
}

// equal compares a value with another, which is taken as what the first is: see the
// package comment.
func equal(l, r scalar, fold bool) bool {
	switch {
	case l.kind == isNil || r.kind == isNil:
		return l.kind == r.kind
	case l.kind == isText && r.kind == isText:
		return equalTexts(l.text, r.text, fold)
	case l.isNumber() || r.isNumber():
		a, okLeft := l.number()
		b, okRight := r.number()
		if okLeft && okRight {
			return compareNumbers(a, b) == 0
		}
		return (l.any != nil || r.any != nil) && equalTexts(l.asText(), r.asText(), fold)
	case l.kind == isBool || r.kind == isBool:
		a, okLeft := l.bool()
		b, okRight := r.bool()
		return okLeft && okRight && a == b
	case l.kind == isTime || r.kind == isTime:
		a, okLeft := l.time()
		b, okRight := r.time()
		return okLeft && okRight && a.Equal(b)
	case l.kind == isOther && r.kind == isOther:
		return reflect.DeepEqual(l.any, r.any)
	}
	return equalTexts(l.asText(), r.asText(), fold)
}

// asText returns the text of a value.
func (s scalar) asText() string {
	switch {
	case s.kind == isText:
		return s.text
	case s.any != nil:
		return textOf(s.any)
	case s.kind == isBool:
		return strconv.FormatBool(s.bits == 1)
	case s.isNumber():
		return textOf(s.value())
	}
	return ""
}

func (s scalar) bool() (value, ok bool) {
	switch {
	case s.kind == isBool:
		return s.bits == 1, true
	case s.kind == isText && strings.EqualFold(s.text, "true"):
		return true, true
	}
	return false, s.kind == isText && strings.EqualFold(s.text, "false")
}

// time returns s as a time, if it is one or the text of one.
func (s scalar) time() (time.Time, bool) {
	if s.kind == isTime {
		return s.any.(time.Time), true
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s.text); err == nil && s.kind == isText {
			return t, true
		}
	}
	return time.Time{}, false
}

// equalTexts compares two texts, as numbers where both are nothing but digits.
func equalTexts(l, r string, fold bool) bool {
	if l == r || fold && strings.EqualFold(l, r) {
		return true
	}
	c, ok := compareDigits(l, r)
	return ok && c == 0
}

// compareDigits compares two texts of digits, with or without a minus, of any length.
func compareDigits(l, r string) (int, bool) {
	left, minusLeft := strings.CutPrefix(l, "-")
	right, minusRight := strings.CutPrefix(r, "-")
	if !isDigits(left) || !isDigits(right) {
		return 0, false
	}
	left, right = strings.TrimLeft(left, "0"), strings.TrimLeft(right, "0")
	minusLeft, minusRight = minusLeft && left != "", minusRight && right != ""
	c := cmp.Or(cmp.Compare(len(left), len(right)), cmp.Compare(left, right))
	switch {
	case minusLeft && minusRight:
		return -c, true
	case minusLeft:
		return -1, true
	case minusRight:
		return 1, true
	}
	return c, true
}

// compare tells which of two values, neither of them nil, is greater.
func compare(l, r scalar) (int, error) {
	switch {
	case l.kind == isInt && r.kind == isInt:
		return cmp.Compare(l.int(), r.int()), nil
	case l.isNumber() || r.isNumber():
		a, okLeft := l.number()
		b, okRight := r.number()
		if okLeft && okRight {
			return compareNumbers(a, b), nil
		}
	case l.kind == isTime || r.kind == isTime:
		a, okLeft := l.time()
		b, okRight := r.time()
		if okLeft && okRight {
			return a.Compare(b), nil
		}
	case l.kind == isBool || r.kind == isBool:
		a, okLeft := l.bool()
		b, okRight := r.bool()
		if okLeft && okRight {
			return cmp.Compare(size(a), size(b)), nil
		}
	case l.kind == isText && r.kind == isText:
		if c, ok := compareDigits(l.text, r.text); ok {
			return c, nil
		}
		return cmp.Compare(l.text, r.text), nil
	}
	return 0, fmt.Errorf("cannot tell which is greater: %s or %s", l.about(), r.about())
}

func size(b bool) int {
	if b {
		return 1
	}
	return 0
}

// about says what a value is, not which: it may be secret.
func (s scalar) about() string {
	switch {
	case s.kind == isNil:
		return "nil"
	case s.kind == isText:
		return aboutText(s.text)
	case s.kind == isBool:
		return "a bool"
	case s.isNumber():
		return "a number"
	case s.kind == isTime:
		return "a time"
	}
	return fmt.Sprintf("a value of type %T", s.any)
}

func about(v any) string { return scalarOf(v).about() }

func aboutText(text string) string {
	if text == "" {
		return "an empty text"
	}
	if _, ok := parseNumber(text); ok {
		return "the text of a number"
	}
	return "a text that is no number"
}

// truth tells whether a value holds as a condition: see [Predicate.Holds].
func truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		text := strings.TrimSpace(v)
		return text != "" && !strings.EqualFold(text, "false")
	case []byte:
		text := bytes.TrimSpace(v)
		return len(text) > 0 && !bytes.EqualFold(text, []byte("false"))
	case int, int64, float64, time.Time, error:
		return true
	}
	switch s := scalarOf(v); s.kind {
	case isNil:
		return false
	case isBool:
		return s.bits == 1
	case isText:
		return truth(s.text)
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array:
		return rv.Len() > 0
	}
	return true
}
