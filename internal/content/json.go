package content

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
)

// MaxDepth is how deep lists and objects may be nested.
const MaxDepth = 1000

var errDeep = fmt.Errorf("nested deeper than %d levels", MaxDepth)

// JSON returns the value of JSON that body is: nil, a bool, a string, an int, a float64,
// a [json.Number] for integers that do not fit into an int, a []any or a map[string]any.
// Text is parsed. Of other values, those that are JSON already are returned as they are,
// and the rest is what [json.Marshal] makes of it. The value may share memory with body.
func JSON(body any) (any, error) {
	r, err := Text(body)
	if err != nil {
		return nil, err
	}
	if r == nil {
		v, err := Value(body)
		if err != nil {
			return nil, fmt.Errorf("body is %T, which has no form in JSON: %w", body, err)
		}
		return v, nil
	}
	v, err := decode(r)
	if err != nil {
		return nil, fmt.Errorf("body is not JSON: %w", err)
	}
	return v, nil
}

// Value is [JSON] where a string is a string.
func Value(v any) (any, error) {
	v, _, err := convert(v, 0)
	return v, err
}

// Fields returns headers, properties or variables as values of JSON. Those that have no
// form in JSON are left out; []byte is text and an error its message.
func Fields(fields any) map[string]any {
	m, _ := fields.(map[string]any)
	out := make(map[string]any, len(m))
	for name, v := range m {
		switch b := v.(type) {
		case []byte:
			v = string(b)
		case error:
			v = b.Error()
		}
		if v, err := Value(v); err == nil {
			out[name] = v
		}
	}
	return out
}

func decode(r io.Reader) (any, error) {
	d := json.NewDecoder(r)
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("there is no text")
		}
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, fmt.Errorf("%w, at byte %d", err, syntax.Offset)
		}
		return nil, err
	}
	end := d.InputOffset()
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("there is more after the end of the value, at byte %d", end)
	}
	return settle(v, 0)
}

// settle replaces the numbers of a tree that nobody else has.
func settle(v any, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, errDeep
	}
	var err error
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case []any:
		for i := range v {
			if v[i], err = settle(v[i], depth+1); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k, e := range v {
			switch e.(type) {
			case json.Number, []any, map[string]any:
				if v[k], err = settle(e, depth+1); err != nil {
					return nil, err
				}
			}
		}
	}
	return v, nil
}

func number(n json.Number) (any, error) {
	if i, err := strconv.Atoi(string(n)); err == nil {
		return i, nil
	}
	digits := []byte(n)
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) > 0 && bytes.Trim(digits, "0123456789") == nil {
		return n, nil
	}
	f, err := n.Float64()
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return nil, fmt.Errorf("%q is not a number", string(n))
	}
	if math.IsInf(f, 0) {
		return nil, fmt.Errorf("the number %s is too large", n)
	}
	return f, nil
}

// convert tells whether the value it returns is another one.
func convert(v any, depth int) (any, bool, error) {
	if depth > MaxDepth {
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
		n, err := number(v)
		return n, true, err
	case []any:
		return list(v, depth)
	case map[string]any:
		return object(v, depth)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, false, err
	}
	v, err = decode(bytes.NewReader(b))
	return v, true, err
}

func whole[T int64 | uint32 | uint64 | uint](n T) any {
	if i := int(n); i >= 0 == (n >= 0) && T(i) == n {
		return i
	}
	return json.Number(fmt.Sprint(n))
}

func list(l []any, depth int) (any, bool, error) {
	copied := false
	for i, e := range l {
		v, changed, err := convert(e, depth+1)
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

func object(m map[string]any, depth int) (any, bool, error) {
	out := m
	copied := false
	for k, e := range m {
		v, changed, err := convert(e, depth+1)
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
