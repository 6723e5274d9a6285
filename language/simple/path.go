package simple

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/mehari-go/mehari/language"
)

// A path leads from a value to one inside of it: ".address.lines[0]".
type path []*step

// A step is one part of a path.
type step struct {
	source string // as it was written
	name   string // of a member, or the key
	index  int    // of an element; for last, how many before it
	kind   stepKind
	safe   bool // what is not there is nil
	found  atomic.Pointer[found]
}

type stepKind uint8

const (
	member stepKind = iota
	key
	element
	last
)

// path reads a path, which may be empty.
func (p *parser) path() (path, error) {
	var steps path
	for {
		start := p.pos
		st := &step{}
		if rest := p.rest(); strings.HasPrefix(rest, "?.") || strings.HasPrefix(rest, "?[") {
			st.safe = true
			p.pos++
		}
		var err error
		switch {
		case p.take('.'):
			st.name = p.name(" \t\r\n.:?[](){'\",")
			if st.name == "" {
				return nil, p.wanted("a name")
			}
			err = p.parentheses(st.name)
		case p.take('['):
			err = p.subscript(st)
		default:
			return steps, nil
		}
		if err != nil {
			return nil, err
		}
		st.source = p.src[start:p.pos]
		steps = append(steps, st)
	}
}

// parentheses reads the "()" that a method may have.
func (p *parser) parentheses(name string) error {
	if !p.take('(') {
		return nil
	}
	p.spaces()
	if !p.take(')') {
		return p.wanted(`")": a method that takes something, as %q may, cannot be called`, name)
	}
	return nil
}

// subscript reads what stands in brackets.
func (p *parser) subscript(st *step) error {
	start := p.pos
	name, err := p.bracketKey()
	if err != nil {
		return err
	}
	st.kind, st.name = key, name
	text := strings.TrimSpace(p.src[start : p.pos-1])
	if text != name {
		return nil // it was in quotes
	}
	if rest, ok := strings.CutPrefix(name, "last"); ok {
		rest = strings.TrimSpace(rest)
		if rest == "" {
			st.kind = last
			return nil
		}
		if digits, ok := strings.CutPrefix(rest, "-"); ok && isDigits(strings.TrimSpace(digits)) {
			n, err := strconv.Atoi(strings.TrimSpace(digits))
			if err != nil {
				return p.errorf(start, "want a smaller number than %s", digits)
			}
			st.kind, st.index = last, n
		}
		return nil
	}
	if isDigits(name) {
		if st.index, err = strconv.Atoi(name); err != nil {
			return p.errorf(start, "want a smaller number than %s", name)
		}
		st.kind = element
	}
	return nil
}

// String returns the path as it was written, up to the n-th step.
func (p path) String(n int) string {
	var b strings.Builder
	for _, st := range p[:n] {
		b.WriteString(st.source)
	}
	return b.String()
}

// walk follows the path from root, which errors call by how it was written. A root that is
// nil gives nil.
func (p path) walk(root any, name interface{ source() string }) (any, error) {
	v := root
	for i, st := range p {
		if isNothing(v) {
			if i == 0 || st.safe || p[i-1].safe {
				return nil, nil
			}
			return nil, fmt.Errorf("%s%s is nil and has no %s (with %q it gives nil)", name.source(), p.String(i), st.what(), "?"+strings.TrimPrefix(st.source, "?"))
		}
		next, err := st.take(v)
		switch {
		case err == nil:
			v = next
		case st.safe:
			return nil, nil
		default:
			return nil, fmt.Errorf("%s%s: %w", name.source(), p.String(i), err)
		}
	}
	return v, nil
}

// isNothing tells whether v is nil or a nil pointer.
func isNothing(v any) bool {
	switch v.(type) {
	case nil:
		return true
	case map[string]any, []any, string:
		return false
	}
	rv := reflect.ValueOf(v)
	return rv.Kind() == reflect.Pointer && rv.IsNil()
}

func (st *step) what() string {
	switch st.kind {
	case member:
		return fmt.Sprintf("member %q", st.name)
	case key:
		return fmt.Sprintf("key %q", st.name)
	}
	return "element " + strings.TrimPrefix(st.source, "?")
}

// take returns the part of v that the step names.
func (st *step) take(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		if st.kind != last {
			if found, ok := v[st.name]; ok || st.kind != member || !isMeasure(st.name) {
				return found, nil
			}
		}
	case map[string]string:
		if found, ok := v[st.name]; ok && st.kind != last {
			return found, nil
		}
	case []any:
		if i, err := st.position(len(v)); st.kind == element || st.kind == last {
			if err != nil {
				return nil, err
			}
			return v[i], nil
		}
	case language.Object:
		if st.kind == member || st.kind == key {
			if found, ok := v.Member(st.name); ok {
				return found, nil
			}
		}
	}
	return st.reflected(v)
}

// position returns which of n elements the step names.
func (st *step) position(n int) (int, error) {
	i := st.index
	if st.kind == last {
		i = n - 1 - st.index
	}
	if i < 0 || i >= n {
		return 0, fmt.Errorf("there is no element %s, there are %d", strings.TrimPrefix(st.source, "?"), n)
	}
	return i, nil
}

// A value is a part of the message as it is.
type value struct {
	kind language.Kind
	name string
}

func (v *value) eval(_ ctx, s scope) (any, error) { return s.Value(v.kind, v.name), nil }

func (v *value) append(_ ctx, dst []byte, s scope) ([]byte, error) {
	if t, ok := s.(language.TextScope); ok {
		if text, ok := t.Text(v.kind, v.name); ok {
			return append(dst, text...), nil
		}
	}
	return appendValue(dst, s.Value(v.kind, v.name)), nil
}

// source returns the value as it was written.
func (v *value) source() string {
	if v.name == "" {
		return v.kind.String()
	}
	return v.kind.String() + "." + v.name
}

// inside is something inside of a part of the message. Where it could also be a part
// with dots in its name, the longest name that is there counts.
type inside struct {
	choices []choice
}

type choice struct {
	root *value
	path path
}

func (in *inside) eval(_ ctx, s scope) (any, error) {
	for i := range in.choices {
		c := &in.choices[i]
		if v := s.Value(c.root.kind, c.root.name); v != nil {
			return c.path.walk(v, c.root)
		}
	}
	return nil, nil
}

// of is something inside of what a function gives.
type of struct {
	node node
	name string
	path path
}

func (o *of) eval(ctx ctx, s scope) (any, error) {
	v, err := o.node.eval(ctx, s)
	if err != nil {
		return nil, err
	}
	return o.path.walk(v, o)
}

func (o *of) source() string { return o.name }
