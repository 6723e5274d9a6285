package content

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mehari-go/mehari/internal/jsonvalue"
)

var errDeep = fmt.Errorf("nested deeper than %d levels", jsonvalue.MaxDepth)

// Numbers tells what becomes of the numbers of JSON that is parsed.
type Numbers int

const (
	// Ints makes integers an int and other numbers a float64.
	Ints Numbers = iota
	// Floats makes a float64 of all numbers but of integers beyond 2^53, which it could
	// not hold: they are an int.
	Floats
)

// JSON returns the value of JSON that body is: nil, a bool, a string, a number, a []any or
// a map[string]any. Text is parsed. Of other values, those that are JSON already are
// returned as they are, and the rest is what [json.Marshal] makes of it. Integers that do
// not fit into an int are a [json.Number]. The value may share memory with body.
func JSON(body any, numbers Numbers) (any, error) {
	b, ok, err := Text(body)
	if err != nil {
		return nil, err
	}
	if !ok {
		v, err := value(body, numbers)
		if err != nil {
			return nil, fmt.Errorf("body is %T, which has no form in JSON: %w", body, err)
		}
		return v, nil
	}
	v, err := numbers.decode(b)
	if err != nil {
		return nil, fmt.Errorf("body is not JSON: %w", err)
	}
	return v, nil
}

// Fields returns headers, properties or variables as values of JSON. Those that have no
// form in JSON are left out; []byte is text and an error its message.
func Fields(fields any, numbers Numbers) map[string]any {
	m, _ := fields.(map[string]any)
	out := make(map[string]any, len(m))
	for name, v := range m {
		switch b := v.(type) {
		case []byte:
			v = string(b)
		case error:
			v = b.Error()
		}
		if v, err := value(v, numbers); err == nil {
			out[name] = v
		}
	}
	return out
}

func value(v any, numbers Numbers) (any, error) {
	v, _, err := numbers.convert(v, 0)
	return v, err
}

func (n Numbers) decode(b []byte) (v any, err error) {
	if err := jsonvalue.Unmarshal(b, &v, jsonvalue.Options{UseNumber: true}); err != nil {
		return nil, err
	}
	return n.settle(v)
}

// settle replaces the numbers of a tree that nobody else has.
func (n Numbers) settle(v any) (_ any, err error) {
	switch v := v.(type) {
	case json.Number:
		return n.number(v)
	case []any:
		for i := range v {
			if v[i], err = n.settle(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k, e := range v {
			switch e.(type) {
			case json.Number, []any, map[string]any:
				if v[k], err = n.settle(e); err != nil {
					return nil, err
				}
			}
		}
	}
	return v, nil
}

const exact = 1 << 53 // the integers to here have a float64 each

func (n Numbers) number(text json.Number) (any, error) {
	if i, err := strconv.Atoi(string(text)); err == nil {
		if n == Floats && i >= -exact && i <= exact {
			return float64(i), nil
		}
		return i, nil
	}
	if digits := strings.TrimPrefix(string(text), "-"); digits != "" && strings.Trim(digits, "0123456789") == "" {
		return text, nil
	}
	f, err := text.Float64()
	if math.IsInf(f, 0) {
		return nil, fmt.Errorf("the number %s is too large", text)
	}
	if err != nil {
		return nil, fmt.Errorf("%q is not a number", string(text))
	}
	return f, nil
}

// convert tells whether the value it returns is another one.
func (n Numbers) convert(v any, depth int) (any, bool, error) {
	if depth > jsonvalue.MaxDepth {
		return nil, false, errDeep
	}
	switch v := v.(type) {
	case nil, bool, string, int, float64:
		return v, false, nil
	case int8:
		return int(v), true, nil
	case int16:
		return int(v), true, nil
	case int32:
		return int(v), true, nil
	case int64:
		return whole(v), true, nil
	case uint8:
		return int(v), true, nil
	case uint16:
		return int(v), true, nil
	case uint32:
		return whole(v), true, nil
	case uint64:
		return whole(v), true, nil
	case uint:
		return whole(v), true, nil
	case float32:
		return float64(v), true, nil
	case json.Number:
		x, err := n.number(v)
		return x, true, err
	case []any:
		return n.list(v, depth)
	case map[string]any:
		return n.object(v, depth)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, false, err
	}
	v, err = n.decode(b)
	return v, true, err
}

func whole[T int64 | uint32 | uint64 | uint](v T) any {
	if i := int(v); i >= 0 == (v >= 0) && T(i) == v {
		return i
	}
	return json.Number(fmt.Sprint(v))
}

func (n Numbers) list(l []any, depth int) (any, bool, error) {
	copied := false
	for i, e := range l {
		v, changed, err := n.convert(e, depth+1)
		if err != nil {
			return nil, false, err
		}
		if changed && !copied {
			l, copied = slices.Clone(l), true
		}
		if changed {
			l[i] = v
		}
	}
	return l, copied, nil
}

func (n Numbers) object(m map[string]any, depth int) (any, bool, error) {
	out := m
	copied := false
	for k, e := range m {
		v, changed, err := n.convert(e, depth+1)
		if err != nil {
			return nil, false, err
		}
		if changed && !copied {
			out, copied = maps.Clone(m), true
		}
		if changed {
			out[k] = v
		}
	}
	return out, copied, nil
}
