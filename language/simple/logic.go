package simple

import (
	"fmt"
	"math"

	"github.com/mehari-go/mehari/language"
)

// logical is && or ||.
type logical struct {
	left, right node
	and         bool
}

func (l logical) eval(ctx ctx, s scope) (any, error) { return l.holds(ctx, s) }

func (l logical) holds(ctx ctx, s scope) (bool, error) {
	ok, err := holds(ctx, l.left, s)
	if err != nil || ok != l.and {
		return ok, err
	}
	return holds(ctx, l.right, s)
}

// negated is the opposite of a function.
type negated struct{ node }

func (n negated) eval(ctx ctx, s scope) (any, error) { return n.holds(ctx, s) }

func (n negated) holds(ctx ctx, s scope) (bool, error) {
	ok, err := holds(ctx, n.node, s)
	return err == nil && !ok, err
}

// negate returns the opposite of a comparison, which, other than that of a function, may
// stand anywhere.
func negate(n node) node {
	return test(func(ctx ctx, s scope) (bool, error) {
		ok, err := holds(ctx, n, s)
		return err == nil && !ok, err
	})
}

// ternary is "condition ? yes : no".
type ternary struct{ condition, yes, no node }

func (t ternary) eval(ctx ctx, s scope) (any, error) {
	ok, err := holds(ctx, t.condition, s)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return t.yes.eval(ctx, s)
	}
	return t.no.eval(ctx, s)
}

// elvis is "value ?: other".
type elvis struct{ value, other node }

func (e elvis) eval(ctx ctx, s scope) (any, error) {
	v, err := e.value.eval(ctx, s)
	if err != nil || truth(v) && !isZero(v) {
		return v, err
	}
	return e.other.eval(ctx, s)
}

// isZero tells whether v is the number 0.
func isZero(v any) bool {
	n := scalarOf(v)
	return n.isNumber() && compareNumbers(n, scalar{kind: isInt}) == 0
}

// stepped is "function++" or "function--".
type stepped struct {
	of node
	by int64
}

func (t stepped) eval(ctx ctx, s scope) (any, error) {
	v, err := t.of.eval(ctx, s)
	if err != nil {
		return nil, err
	}
	n, ok := scalarOf(v).number()
	switch {
	case !ok:
		return nil, fmt.Errorf("%s: want a number, have %s", t.operator(), about(v))
	case n.kind == isFloat:
		return n.float() + float64(t.by), nil
	case n.kind != isInt || t.by > 0 && n.int() == math.MaxInt64 || t.by < 0 && n.int() == math.MinInt64:
		return nil, fmt.Errorf("%s: %s does not fit an int64", t.operator(), textOf(v))
	}
	return n.int() + t.by, nil
}

func (t stepped) operator() string {
	if t.by > 0 {
		return "++"
	}
	return "--"
}

// chain is "value ~> function": the function sees the value as the body.
type chain struct {
	value, to node
	safe      bool // nil ends it
}

func (c chain) eval(ctx ctx, s scope) (any, error) {
	v, err := c.value.eval(ctx, s)
	if err != nil || v == nil && c.safe {
		return nil, err
	}
	return c.to.eval(ctx, &inner{s, v, v})
}

// inner is a scope with another body.
type inner struct {
	language.Scope
	body  any
	piped any // what $param is
}

func (i *inner) Value(kind language.Kind, name string) any {
	if kind == language.Body {
		return i.body
	}
	return i.Scope.Value(kind, name)
}

// each returns s with the body of one element of a list.
func each(s scope, body any) *inner {
	if i, ok := s.(*inner); ok {
		return &inner{s, body, i.piped}
	}
	return &inner{s, body, nil}
}

// outer returns the scope that is not ours.
func outer(s scope) scope {
	for {
		i, ok := s.(*inner)
		if !ok {
			return s
		}
		s = i.Scope
	}
}

// param is $param: what a chain passes on.
type param struct{}

func (param) eval(_ ctx, s scope) (any, error) {
	if i, ok := s.(*inner); ok {
		return i.piped, nil
	}
	return nil, nil
}

// asText is the text of a node, in quotes.
type asText struct{ of node }

func (t asText) append(ctx ctx, dst []byte, s scope) ([]byte, error) {
	return write(ctx, t.of, dst, s)
}

func (t asText) eval(ctx ctx, s scope) (any, error) {
	text, err := write(ctx, t.of, nil, s)
	if err == nil && len(text) > maxText {
		err = errTooLong
	}
	if err != nil {
		return nil, err
	}
	return string(text), nil
}
