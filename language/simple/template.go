package simple

import (
	"context"
	"errors"
	"fmt"

	"github.com/mehari-go/mehari/language"
)

// A Template is text with functions, ready to be evaluated. It does not change and
// may be used by many goroutines at once. The zero value is the empty text.
type Template struct {
	source string
	node   node // nil is the empty text
}

var _ language.Expression = (*Template)(nil)

// maxErrors is how many mistakes are told at once.
const maxErrors = 20

// Parse reads a template. The error has a [SyntaxError] for each function that is
// not right, up to 20, joined by [errors.Join].
func Parse(text string) (*Template, error) {
	p := parser{src: text}
	parts, errs := p.template()
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Template{text, join(parts)}, nil
}

// template reads text with functions up to its end.
func (p *parser) template() (parts []node, errs []error) {
	var text []byte
	for !p.done() && len(errs) < maxErrors {
		if p.opening() == 0 {
			text = append(text, p.char())
			continue
		}
		if len(text) > 0 {
			parts, text = append(parts, literal(text)), nil
		}
		f, err := p.chained()
		if err != nil {
			errs = append(errs, err)
			p.pos = p.begun
			p.pos += p.opening()
			p.skip()
			continue
		}
		parts = append(parts, f)
	}
	if len(text) > 0 {
		parts = append(parts, literal(text))
	}
	return parts, errs
}

// chained reads a function in a template, and the operators that may follow one there.
func (p *parser) chained() (node, error) {
	n, err := p.chain(false)
	if err != nil {
		return nil, err
	}
	return p.elvis(n, func() (node, error) { return p.chain(false) })
}

// Append appends the text of the template for s to dst. On an error, which names
// the function and what it met, dst is returned as it was.
//
// Strings, bytes and numbers take no memory but that of dst. A time is written as in
// RFC 3339, nil as nothing, and what has no text of its own as [fmt.Append] does it.
func (t *Template) Append(ctx context.Context, dst []byte, s language.Scope) ([]byte, error) {
	if t.node == nil {
		return dst, nil
	}
	out, err := write(ctx, t.node, dst, s)
	if err != nil {
		return dst, fmt.Errorf("simple: %w", err)
	}
	return out, nil
}

// Eval returns the value of the template for s: if it is one function and nothing
// else, what the function returns, such as a body with its own type; otherwise the
// text, a string.
func (t *Template) Eval(ctx context.Context, s language.Scope) (any, error) {
	if _, ok := t.node.(joined); ok || t.node == nil {
		text, err := t.Append(ctx, nil, s)
		if err != nil {
			return nil, err
		}
		return string(text), nil
	}
	v, err := t.node.eval(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("simple: %w", err)
	}
	return v, nil
}

// Constant returns the text of a template without functions, and false for one that
// has any.
func (t *Template) Constant() (string, bool) {
	l, ok := t.node.(literal)
	return string(l), ok || t.node == nil
}

// String returns the text that was parsed.
func (t *Template) String() string { return t.source }
