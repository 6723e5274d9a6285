package bolt

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"time"
)

// A Type is a type of values of which a repository knows how to store them: see [TypeOf]
// and [JSON].
type Type struct {
	name   string
	goType reflect.Type
	encode func(any) ([]byte, error)
	decode func([]byte) (any, error)
}

// TypeOf makes values of type T be stored by means of two functions. The name is stored
// with them: it must stay the same as long as there are some.
func TypeOf[T any](name string, encode func(T) ([]byte, error), decode func([]byte) (T, error)) Type {
	t := Type{name: name, goType: reflect.TypeFor[T]()}
	if encode != nil && decode != nil {
		t.encode = func(v any) ([]byte, error) { return encode(v.(T)) }
		t.decode = func(b []byte) (any, error) { return decode(b) }
	}
	return t
}

// JSON makes values of type T be stored as JSON, with what encoding/json makes of them.
func JSON[T any](name string) Type {
	return TypeOf(name, func(v T) ([]byte, error) { return json.Marshal(v) }, func(b []byte) (v T, err error) {
		err = json.Unmarshal(b, &v)
		return v, err
	})
}

// The kinds of values, as they are stored: these numbers must stay as they are.
const (
	isNil = iota
	isFalse
	isTrue
	isString
	isBytes
	isInt
	isInt8
	isInt16
	isInt32
	isInt64
	isUint
	isUint8
	isUint16
	isUint32
	isUint64
	isFloat32
	isFloat64
	isTime
	isDuration
	isList
	isMap
	isOther
)

// maxDepth bounds lists and maps inside of each other, on both ways.
const maxDepth = 100

// A codec turns values into bytes and back.
type codec struct {
	byType map[reflect.Type]Type
	byName map[string]Type
}

func newCodec(types []Type) (*codec, error) {
	c := &codec{map[reflect.Type]Type{}, map[string]Type{}}
	var errs []error
	for _, t := range types {
		switch {
		case t.name == "" || t.encode == nil:
			errs = append(errs, fmt.Errorf("bolt: type %v: want a name and two functions", t.goType))
		case c.byName[t.name].name != "" || c.byType[t.goType].name != "":
			errs = append(errs, fmt.Errorf("bolt: type %v, name %q: given twice", t.goType, t.name))
		default:
			c.byType[t.goType], c.byName[t.name] = t, t
		}
	}
	return c, errors.Join(errs...)
}

// append appends v to b.
func (c *codec) append(b []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("lists and maps stand more than %d deep inside of each other", maxDepth)
	}
	signed := func(kind byte, n int64) ([]byte, error) { return binary.AppendVarint(append(b, kind), n), nil }
	unsigned := func(kind byte, n uint64) ([]byte, error) { return binary.AppendUvarint(append(b, kind), n), nil }
	switch v := v.(type) {
	case nil:
		return append(b, isNil), nil
	case bool:
		if v {
			return append(b, isTrue), nil
		}
		return append(b, isFalse), nil
	case string:
		return appendText(append(b, isString), v), nil
	case []byte:
		return appendText(append(b, isBytes), v), nil
	case int:
		return signed(isInt, int64(v))
	case int8:
		return signed(isInt8, int64(v))
	case int16:
		return signed(isInt16, int64(v))
	case int32:
		return signed(isInt32, int64(v))
	case int64:
		return signed(isInt64, v)
	case uint:
		return unsigned(isUint, uint64(v))
	case uint8:
		return unsigned(isUint8, uint64(v))
	case uint16:
		return unsigned(isUint16, uint64(v))
	case uint32:
		return unsigned(isUint32, uint64(v))
	case uint64:
		return unsigned(isUint64, v)
	case float32:
		return unsigned(isFloat32, uint64(math.Float32bits(v)))
	case float64:
		return unsigned(isFloat64, math.Float64bits(v))
	case time.Duration:
		return signed(isDuration, int64(v))
	case time.Time:
		t, err := v.MarshalBinary()
		return appendText(append(b, isTime), t), err
	case []any:
		b = binary.AppendUvarint(append(b, isList), uint64(len(v)))
		for i, x := range v {
			var err error
			if b, err = c.append(b, x, depth+1); err != nil {
				return nil, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return b, nil
	case map[string]any:
		b = binary.AppendUvarint(append(b, isMap), uint64(len(v)))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			var err error
			if b, err = c.append(appendText(b, key), v[key], depth+1); err != nil {
				return nil, fmt.Errorf("[%q]: %w", key, err)
			}
		}
		return b, nil
	}
	t, ok := c.byType[reflect.TypeOf(v)]
	if !ok {
		return nil, fmt.Errorf("a value of type %T cannot be stored: give bolt.Options.Types a bolt.JSON or bolt.TypeOf of it", v)
	}
	text, err := t.encode(v)
	if err != nil {
		return nil, fmt.Errorf("%T: %w", v, err)
	}
	return appendText(appendText(append(b, isOther), t.name), text), nil
}

func appendText[T string | []byte](b []byte, text T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

var errDamaged = errors.New("the stored value is damaged")

// A reader reads what append wrote. After an error it reads nothing any more.
type reader struct {
	*codec
	b   []byte
	err error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.fail(errDamaged)
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) varint() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.fail(errDamaged)
		return 0
	}
	r.b = r.b[size:]
	return n
}

// text returns bytes that share the memory that is read.
func (r *reader) text() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail(errDamaged)
		return nil
	}
	text := r.b[:n]
	r.b = r.b[n:]
	return text
}

// count reads how many values follow, of which each takes at least a byte.
func (r *reader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail(errDamaged)
		return 0
	}
	return int(n)
}

// narrow reads a number that must be one of T.
func narrow[T int | int8 | int16 | int32 | uint | uint8 | uint16 | uint32, W int64 | uint64](r *reader, wide W) any {
	n := T(wide)
	if W(n) != wide {
		r.fail(errDamaged)
	}
	return n
}

func (r *reader) value(depth int) any {
	if len(r.b) == 0 || depth > maxDepth {
		r.fail(errDamaged)
		return nil
	}
	kind := r.b[0]
	r.b = r.b[1:]
	switch kind {
	case isNil:
		return nil
	case isFalse, isTrue:
		return kind == isTrue
	case isString:
		return string(r.text())
	case isBytes:
		return append([]byte{}, r.text()...)
	case isInt:
		return narrow[int](r, r.varint())
	case isInt8:
		return narrow[int8](r, r.varint())
	case isInt16:
		return narrow[int16](r, r.varint())
	case isInt32:
		return narrow[int32](r, r.varint())
	case isInt64:
		return r.varint()
	case isUint:
		return narrow[uint](r, r.uvarint())
	case isUint8:
		return narrow[uint8](r, r.uvarint())
	case isUint16:
		return narrow[uint16](r, r.uvarint())
	case isUint32:
		return narrow[uint32](r, r.uvarint())
	case isUint64:
		return r.uvarint()
	case isFloat32:
		bits, _ := narrow[uint32](r, r.uvarint()).(uint32)
		return math.Float32frombits(bits)
	case isFloat64:
		return math.Float64frombits(r.uvarint())
	case isDuration:
		return time.Duration(r.varint())
	case isTime:
		var t time.Time
		if err := t.UnmarshalBinary(r.text()); err != nil {
			r.fail(fmt.Errorf("%w: %w", errDamaged, err))
		}
		return t
	case isList:
		n := r.count()
		list := make([]any, 0, min(n, 1024))
		for range n {
			list = append(list, r.value(depth+1))
			if r.err != nil {
				return nil
			}
		}
		return list
	case isMap:
		n := r.count()
		m := make(map[string]any, min(n, 1024))
		for range n {
			key := string(r.text())
			m[key] = r.value(depth + 1)
			if r.err != nil {
				return nil
			}
		}
		return m
	case isOther:
		return r.other()
	}
	r.fail(errDamaged)
	return nil
}

func (r *reader) other() any {
	name, text := string(r.text()), r.text()
	if r.err != nil {
		return nil
	}
	t, ok := r.byName[name]
	if !ok {
		r.fail(fmt.Errorf("a value of the type named %q is stored: give bolt.Options.Types one with this name", name))
		return nil
	}
	v, err := t.decode(append([]byte{}, text...))
	if err != nil {
		r.fail(fmt.Errorf("type %q: %w", name, err))
		return nil
	}
	return v
}
