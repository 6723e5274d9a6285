package jsonpath

import (
	"cmp"
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
)

// A condition is a logical expression (2.3.5.1).
type condition interface {
	holds(e *evaluation, current any) bool
}

type or []condition

func (o or) holds(e *evaluation, current any) bool {
	for _, c := range o {
		if c.holds(e, current) {
			return true
		}
	}
	return false
}

type and []condition

func (a and) holds(e *evaluation, current any) bool {
	for _, c := range a {
		if !c.holds(e, current) {
			return false
		}
	}
	return true
}

type not struct{ condition }

func (n not) holds(e *evaluation, current any) bool { return !n.condition.holds(e, current) }

// exists is a query as a test.
type exists struct{ *query }

func (x exists) holds(e *evaluation, current any) bool {
	if x.singular {
		_, none := x.one(e, current).(nothing)
		return !none
	}
	return len(x.nodes(e, current)) > 0
}

// nothing is the result of an operand that has none.
type nothing struct{}

// An operand is what can be compared.
type operand interface {
	value(e *evaluation, current any) any
}

type literal struct{ v any }

func (l literal) value(*evaluation, any) any { return l.v }

func (q *query) value(e *evaluation, current any) any {
	if q.singular {
		return q.one(e, current)
	}
	if nodes := q.nodes(e, current); len(nodes) == 1 {
		return nodes[0]
	}
	return nothing{}
}

type comparison struct {
	left, right operand
	op          string
}

func (c comparison) holds(e *evaluation, current any) bool {
	left, right := c.left.value(e, current), c.right.value(e, current)
	switch c.op {
	case "==":
		return equal(left, right)
	case "!=":
		return !equal(left, right)
	case "<":
		return less(left, right)
	case "<=":
		return less(left, right) || equal(left, right)
	case ">":
		return less(right, left)
	default:
		return less(right, left) || equal(left, right)
	}
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equal(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k := range a {
			other, ok := b[k]
			if !ok || !equal(a[k], other) {
				return false
			}
		}
		return true
	case int, float64, json.Number:
		order, ok := compare(a, b)
		return ok && order == 0
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b) && a == b
}

func less(a, b any) bool {
	if a, ok := a.(string); ok {
		b, ok := b.(string)
		return ok && strings.Compare(a, b) < 0
	}
	order, ok := compare(a, b)
	return ok && order < 0
}

// compare compares numbers exactly.
func compare(a, b any) (int, bool) {
	if a, ok := a.(int); ok {
		if b, ok := b.(int); ok {
			return cmp.Compare(a, b), true
		}
	}
	x, y := exact(a), exact(b)
	if x == nil || y == nil {
		return 0, false
	}
	return x.Cmp(y), true
}

// exact returns a number, or nil for anything else.
func exact(v any) *big.Float {
	switch v := v.(type) {
	case int:
		return new(big.Float).SetInt64(int64(v))
	case float64:
		if v != v {
			return nil
		}
		return big.NewFloat(v)
	case json.Number:
		if n, ok := new(big.Int).SetString(string(v), 10); ok {
			return new(big.Float).SetInt(n)
		}
	}
	return nil
}
