package simple

import (
	"context"

	"github.com/mehari-go/mehari/language"
)

// A node is a piece of a template or of a predicate.
type node interface {
	// eval returns the value of the node with the type that it has.
	eval(ctx context.Context, s language.Scope) (any, error)
}

// A writer is a node that writes its text without making a value of it first.
type writer interface {
	// append appends the text of the node to dst. After an error what it returns is
	// not used.
	append(ctx context.Context, dst []byte, s language.Scope) ([]byte, error)
}

// A judge is a node that holds or does not, without making a value of that first.
type judge interface {
	holds(ctx context.Context, s language.Scope) (bool, error)
}

// write appends the text of n to dst.
func write(ctx context.Context, n node, dst []byte, s language.Scope) ([]byte, error) {
	if w, ok := n.(writer); ok {
		return w.append(ctx, dst, s)
	}
	v, err := n.eval(ctx, s)
	if err != nil {
		return nil, err
	}
	return appendValue(dst, v), nil
}

// holds tells whether n holds, as a condition.
func holds(ctx context.Context, n node, s language.Scope) (bool, error) {
	if j, ok := n.(judge); ok {
		return j.holds(ctx, s)
	}
	v, err := n.eval(ctx, s)
	if err != nil {
		return false, err
	}
	return truth(v), nil
}

// A test is a node whose value is a bool.
type test func(ctx context.Context, s language.Scope) (bool, error)

func (t test) eval(ctx context.Context, s language.Scope) (any, error) { return t(ctx, s) }

func (t test) holds(ctx context.Context, s language.Scope) (bool, error) { return t(ctx, s) }

// literal is text, its escapes resolved.
type literal string

func (l literal) append(_ context.Context, dst []byte, _ language.Scope) ([]byte, error) {
	return append(dst, l...), nil
}

func (l literal) eval(context.Context, language.Scope) (any, error) { return string(l), nil }

// constant is a value that is not text: a number, true, false or null.
type constant struct{ value any }

func (c constant) eval(context.Context, language.Scope) (any, error) { return c.value, nil }

// boxed returns a text as a constant, so that its value is not made each time.
func boxed(n node) node {
	if l, ok := n.(literal); ok {
		return constant{string(l)}
	}
	return n
}

// constantOf returns the value of n if that is always the same.
func constantOf(n node) (any, bool) {
	switch n := n.(type) {
	case literal:
		return string(n), true
	case constant:
		return n.value, true
	}
	return nil, false
}

// joined is text with functions in it.
type joined []node

func (j joined) append(ctx context.Context, dst []byte, s language.Scope) (_ []byte, err error) {
	for _, part := range j {
		if dst, err = write(ctx, part, dst, s); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (j joined) eval(ctx context.Context, s language.Scope) (any, error) {
	return asText{j}.eval(ctx, s)
}

// join makes one node of parts: the only one as it is, so that its value keeps its type.
func join(parts []node) node {
	switch len(parts) {
	case 0:
		return literal("")
	case 1:
		return parts[0]
	}
	return joined(parts)
}
