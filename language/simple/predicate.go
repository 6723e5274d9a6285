package simple

import (
	"context"
	"fmt"
	"strings"

	"github.com/mehari-go/mehari/language"
)

// A Predicate is a condition such as "${header.type} == 'gold' && ${body.amount} > 100",
// ready to be evaluated. It does not change and may be used by many goroutines at once.
// The zero value never holds.
type Predicate struct {
	source string
	node   node
}

var _ language.Predicate = (*Predicate)(nil)

// ParsePredicate reads a predicate. The error is a [SyntaxError]. An empty text never
// holds, as in Camel.
func ParsePredicate(text string) (*Predicate, error) {
	p := parser{src: text}
	if p.spaces(); p.done() {
		return &Predicate{source: text}, nil
	}
	n, err := p.expression(false)
	if err != nil {
		return nil, err
	}
	if p.spaces(); !p.done() {
		return nil, p.wanted("an operator with blanks around it, or the end" + p.meant())
	}
	return &Predicate{text, n}, nil
}

// meant tells which operator may be meant by what is written as in other languages.
func (p *parser) meant() string {
	operators := map[string]string{
		"=": "==", "===": "==", "eq": "==", "<>": "!=", "!==": "!=", "ne": "!=", "and": "&&", "&": "&&", "or": "||", "|": "||",
		"gt": ">", "lt": "<", "=>": ">=", "=<": "<=", "starts": "startsWith", "ends": "endsWith", "matches": "regex", "like": "regex",
	}
	if operator := operators[strings.ToLower(p.word())]; operator != "" {
		return fmt.Sprintf(" (did you mean %s?)", operator)
	}
	return ""
}

// Holds tells whether the predicate holds for s. A value that is not a bool holds unless
// it is nil, an empty or blank text, the text false, or an empty list or map.
func (p *Predicate) Holds(ctx context.Context, s language.Scope) (bool, error) {
	if p.node == nil {
		return false, nil
	}
	ok, err := holds(ctx, p.node, s)
	if err != nil {
		return false, fmt.Errorf("simple: %w", err)
	}
	return ok, nil
}

// Eval returns what [Predicate.Holds] does, as a value.
func (p *Predicate) Eval(ctx context.Context, s language.Scope) (any, error) {
	ok, err := p.Holds(ctx, s)
	if err != nil {
		return nil, err
	}
	return ok, nil
}

// Constant returns the outcome of a predicate that is always the same, and false for one
// that looks at the message.
func (p *Predicate) Constant() (holds, ok bool) {
	if p.node == nil {
		return false, true
	}
	v, ok := constantOf(p.node)
	return ok && truth(v), ok
}

// String returns the text that was parsed.
func (p *Predicate) String() string { return p.source }
