package simple

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
)

// A typed is a type that is known by name: how to tell it, and how to make it of other
// values. Without to, nothing is made of others.
type typed struct {
	name string
	is   func(v any) bool
	to   func(v any) (any, bool)
}

// typeNamed returns the type of a name: one of ours, Go's or Camel's, or the text of any
// Go type, such as *shop.Order.
func typeNamed(name string) (typed, bool) {
	short := strings.TrimPrefix(strings.TrimPrefix(name, "java.lang."), "java.util.")
	switch short {
	case "string", "String":
		return typed{"string", isA[string], toText}, true
	case "bool", "boolean", "Boolean":
		return typed{"bool", isA[bool], toBool}, true
	case "int", "Integer", "integer":
		return typed{"int", isInteger, toInt}, true
	case "int64", "long", "Long":
		return typed{"int64", isInteger, toInt64}, true
	case "float64", "double", "Double", "float", "Float":
		return typed{"float64", isFloating, toFloat}, true
	case "number", "Number":
		return typed{"number", func(v any) bool { return scalarOf(v).isNumber() }, toNumber}, true
	case "[]byte", "byte[]":
		return typed{"[]byte", isA[[]byte], toBytes}, true
	case "time.Time", "Date":
		return typed{"time.Time", isA[time.Time], toTime}, true
	case "map", "Map":
		return typed{"map", isKind(reflect.Map), nil}, true
	case "list", "List", "slice":
		return typed{"list", func(v any) bool { return !isA[[]byte](v) && isKind(reflect.Slice)(v) }, toList}, true
	case "error", "Exception", "Throwable":
		return typed{"error", isA[error], nil}, true
	}
	if short != name || strings.ContainsAny(name, " \t\r\n'\"") || name == "" {
		return typed{}, false
	}
	if !strings.ContainsAny(name, ".[]*") && !isBasic(name) {
		return typed{}, false // not the type of a package
	}
	return typed{name, func(v any) bool { return reflect.TypeOf(v).String() == name }, nil}, true
}

// isBasic tells whether a name is that of a type of the language itself.
func isBasic(name string) bool {
	for k := reflect.Bool; k <= reflect.Complex128; k++ {
		if k.String() == name {
			return true
		}
	}
	return name == "byte" || name == "rune"
}

func unknownType(name string) string {
	return fmt.Sprintf("unknown type %q, known are string, bool, int, int64, float64, number, []byte, time.Time, map, list, error and the types of packages such as *shop.Order", name)
}

func isA[T any](v any) bool { _, ok := v.(T); return ok }

func isKind(kind reflect.Kind) func(any) bool {
	return func(v any) bool { return reflect.TypeOf(v).Kind() == kind }
}

func isInteger(v any) bool { rv := reflect.ValueOf(v); return rv.CanInt() || rv.CanUint() }

func isFloating(v any) bool { return reflect.ValueOf(v).CanFloat() }

// convert makes a t of a value. It loses nothing: what does not fit is an error. Nil
// stays nil.
func (t typed) convert(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	if t.to != nil {
		if to, ok := t.to(v); ok {
			return to, nil
		}
	} else if t.is(v) {
		return v, nil
	}
	return nil, fmt.Errorf("cannot convert %T to %s: it is %s", v, t.name, about(v))
}

func toText(v any) (any, bool)  { return textOf(v), true }
func toBytes(v any) (any, bool) { return []byte(textOf(v)), true }

func toBool(v any) (any, bool) {
	b, ok := scalarOf(v).bool()
	return b, ok
}

func toInt(v any) (any, bool) {
	n, ok := wholeNumber(scalarOf(v))
	return int(n), ok && n >= math.MinInt && n <= math.MaxInt
}

func toInt64(v any) (any, bool) {
	n, ok := wholeNumber(scalarOf(v))
	return n, ok
}

func toFloat(v any) (any, bool) {
	n, ok := scalarOf(v).number()
	return asFloat(n), ok
}

func asFloat(n scalar) float64 {
	switch n.kind {
	case isFloat:
		return n.float()
	case isUint:
		return float64(n.bits)
	}
	return float64(n.int())
}

func toNumber(v any) (any, bool) {
	n, ok := scalarOf(v).number()
	return n.value(), ok
}

// value returns a number as an int64, a uint64 or a float64.
func (s scalar) value() any {
	switch s.kind {
	case isFloat:
		return s.float()
	case isUint:
		return s.bits
	}
	return s.int()
}

func toTime(v any) (any, bool) {
	s := scalarOf(v)
	if t, ok := s.time(); ok {
		return t, true
	}
	n, ok := wholeNumber(s)
	return time.UnixMilli(n), ok
}

func toList(v any) (any, bool) { return elements(v), true }

// typeArg checks an argument that is the name of a type. Which argument it is may depend
// on how many there are.
func typeArg(which func(args int) int) func(p *parser, at int, args []node) error {
	return func(p *parser, at int, args []node) error {
		i := which(len(args))
		if i < 0 {
			return nil
		}
		name, ok := args[i].(literal)
		if !ok {
			return p.errorf(at, "want the name of a type, which does not depend on the message")
		}
		t, ok := typeNamed(string(name))
		if !ok {
			return p.errorf(at, "%s", unknownType(string(name)))
		}
		args[i] = constant{t}
		return nil
	}
}

// typeOf returns the type that typeArg has put in the place of its name.
func typeOf(n node) typed { return n.(constant).value.(typed) }
