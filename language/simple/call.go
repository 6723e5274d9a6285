package simple

import (
	"fmt"
	"math"
	"strings"

	"github.com/mehari-go/mehari/language"
)

// A run is what a function with arguments does.
type run func(ctx ctx, s scope, args []node) (any, error)

// A call is a function with its arguments.
type call struct {
	name string
	run  run
	args []node
}

func (c *call) eval(ctx ctx, s scope) (any, error) {
	v, err := c.run(ctx, s, c.args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	return v, nil
}

// A signature says what a function takes.
type signature struct {
	usage string // its arguments, as the error for others shows them
	least int
	most  int
	body  place // where the body stands in if there is one argument less than most
	holds int   // which argument is a condition, from 1
	check func(p *parser, at int, args []node) error
}

// A place is that of an argument which is the body unless it is given.
type place uint8

const (
	nowhere place = iota
	first
	final
)

// many is how many arguments a function takes that takes any number.
const many = 1000

// function constructs a function that takes arguments.
func function(sig signature, do run) constructor {
	return func(p *parser, name string) (node, error) {
		start := p.pos
		args, err := p.arguments(name, sig.holds)
		if err != nil {
			return nil, err
		}
		if len(args) < sig.least || len(args) > sig.most {
			return nil, p.errorf(start, "want %s%s, there are %d arguments", name, sig.usage, len(args))
		}
		if len(args) == sig.most-1 {
			switch body := (&value{kind: language.Body}); sig.body {
			case first:
				args = append([]node{body}, args...)
			case final:
				args = append(args, body)
			}
		}
		if sig.check != nil {
			if err := sig.check(p, start, args); err != nil {
				return nil, err
			}
		}
		return &call{name, do, args}, nil
	}
}

// arguments reads "(a, b, c)", which may be missing. The one of a number, from 1, is a
// condition.
func (p *parser) arguments(name string, condition int) ([]node, error) {
	if !p.take('(') {
		return nil, nil
	}
	var args []node
	if p.spaces(); p.take(')') {
		return nil, nil
	}
	for {
		p.spaces()
		var n node
		var err error
		if len(args)+1 == condition {
			n, err = p.expression(false)
		} else {
			n, err = p.argument()
		}
		if err != nil {
			return nil, err
		}
		args = append(args, n)
		p.spaces()
		switch {
		case p.take(')'):
			return args, nil
		case !p.take(','):
			return nil, p.wanted(`"," or ")" after an argument of %q`, name)
		case len(args) == many:
			return nil, p.wanted(`")": %q can have %d arguments`, name, many)
		}
	}
}

// argument reads one that is no condition: a text in quotes, a function, or text that
// needs no quotes.
func (p *parser) argument() (node, error) {
	if p.at(`'"`) {
		n, err := p.quoted()
		if t, ok := n.(asText); ok {
			n = t.of // a function in quotes keeps its type, as in Camel
		}
		return n, err
	}
	start := p.pos
	if p.opening() > 0 {
		n, err := p.chain(false)
		if err != nil {
			return nil, err
		}
		if n, err = p.elvis(n, func() (node, error) { return p.chain(false) }); err != nil {
			return nil, err
		}
		end := p.pos
		if p.spaces(); p.at(",)") {
			return n, nil
		}
		p.pos = end
		rest, err := p.text(",)")
		return joined{n, rest}, err
	}
	if n, ok := p.number(); ok {
		return n, nil
	}
	if n, ok := p.keyword(); ok {
		return n, nil
	}
	if rest, ok := strings.CutPrefix(p.rest(), "$param"); ok && rest != "" && strings.IndexByte(" \t\r\n,)", rest[0]) >= 0 {
		if p.piped == 0 {
			return nil, p.errorf(start, `"$param" is what a chain passes on: want it after "~>"`)
		}
		p.pos += len("$param")
		return param{}, nil
	}
	n, err := p.text(",)")
	if l, ok := n.(literal); ok {
		n = trimmed(p.src[start:p.pos], l)
	}
	return n, err
}

// trimmed takes blanks away at the end that were not written as escapes.
func trimmed(source string, l literal) literal {
	blanks := len(source) - len(strings.TrimRight(source, " \t\r\n"))
	return l[:len(l)-blanks]
}

// textArg returns the text of an argument, and false where it is nil.
func textArg(ctx ctx, s scope, n node) (string, bool, error) {
	v, err := n.eval(ctx, s)
	if err != nil || v == nil {
		return "", false, err
	}
	return textOf(v), true, nil
}

// intArg returns an argument that must be a whole number of the size of an int.
func intArg(ctx ctx, s scope, n node) (int, error) {
	v, err := n.eval(ctx, s)
	if err != nil {
		return 0, err
	}
	i, ok := wholeNumber(scalarOf(v))
	if !ok || i > math.MaxInt32 || i < math.MinInt32 {
		return 0, fmt.Errorf("want a whole number, have %s", about(v))
	}
	return int(i), nil
}

// wholeNumber returns the whole number that a value is, or is the text of.
func wholeNumber(v scalar) (int64, bool) {
	n, ok := v.number()
	switch {
	case !ok || n.kind == isUint:
		return 0, false
	case n.kind == isFloat:
		f := n.float()
		return int64(f), f == math.Trunc(f) && math.Abs(f) < 1<<53
	}
	return n.int(), true
}
