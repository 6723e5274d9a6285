package simple

import (
	"errors"
	"fmt"

	"github.com/mehari-go/mehari/language"
)

// A Template is text with functions, ready to be evaluated. It does not change and
// may be used by many goroutines at once. The zero value is the empty text.
type Template struct {
	source string
	parts  []node
}

// A node is a piece of a template: a literal or a function.
type node interface {
	// append appends the text of the node to dst. After an error what it returns is
	// not used.
	append(dst []byte, s language.Scope) ([]byte, error)
	// eval returns the value of the node with the type that it has.
	eval(s language.Scope) (any, error)
}

// literal is the text between functions, its escapes resolved.
type literal string

func (l literal) append(dst []byte, _ language.Scope) ([]byte, error) { return append(dst, l...), nil }
func (l literal) eval(language.Scope) (any, error)                    { return string(l), nil }

// Parse reads a template. The error has a [SyntaxError] for each function that is
// not right, joined by [errors.Join].
func Parse(text string) (*Template, error) {
	var (
		t    = &Template{source: text}
		p    = parser{src: text}
		lit  []byte
		errs []error
	)
	flush := func() {
		if len(lit) > 0 {
			t.parts = append(t.parts, literal(lit))
			lit = nil
		}
	}
	for !p.done() {
		n := p.opening()
		if n == 0 {
			lit = append(lit, p.char())
			continue
		}
		flush()
		f, err := p.function(n)
		if err != nil {
			errs = append(errs, err)
			p.skip()
			continue
		}
		t.parts = append(t.parts, f)
	}
	flush()
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return t, nil
}

// Append appends the text of the template for s to dst. On an error, which names
// the function and what it met, dst is returned as it was.
//
// Strings, bytes and numbers take no memory but that of dst. A time is written as in
// RFC 3339, nil as nothing, and what has no text of its own as [fmt.Append] does it.
func (t *Template) Append(dst []byte, s language.Scope) ([]byte, error) {
	out := dst
	for _, part := range t.parts {
		var err error
		if out, err = part.append(out, s); err != nil {
			return dst, fmt.Errorf("simple: %w", err)
		}
	}
	return out, nil
}

// Eval returns the value of the template for s: if it is one function and nothing
// else, what the function returns, such as a body with its own type; otherwise the
// text, a string.
func (t *Template) Eval(s language.Scope) (any, error) {
	if len(t.parts) == 1 {
		v, err := t.parts[0].eval(s)
		if err != nil {
			return nil, fmt.Errorf("simple: %w", err)
		}
		return v, nil
	}
	text, err := t.Append(nil, s)
	if err != nil {
		return nil, err
	}
	return string(text), nil
}

// Constant returns the text of a template without functions, and false for one that
// has any.
func (t *Template) Constant() (string, bool) {
	if len(t.parts) == 0 {
		return "", true
	}
	l, ok := t.parts[0].(literal)
	return string(l), ok && len(t.parts) == 1
}

// String returns the text that was parsed.
func (t *Template) String() string { return t.source }
