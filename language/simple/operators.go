package simple

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/mehari-go/mehari/language"
)

type (
	ctx   = context.Context
	scope = language.Scope
)

// An operatorFunc makes a node of an operator and what stands on its sides. The right
// one begins at a place in the source.
type operatorFunc func(p *parser, at int, left, right node) (node, error)

// operatorNamed returns the operator of a name, or nil.
func operatorNamed(name string) operatorFunc {
	switch name {
	case "==":
		return equalTo(false)
	case "=~":
		return equalTo(true)
	case "equals":
		return textual(func(left, right string) bool { return left == right })
	case ">":
		return ordered(func(c int) bool { return c > 0 }, false)
	case ">=":
		return ordered(func(c int) bool { return c >= 0 }, true)
	case "<":
		return ordered(func(c int) bool { return c < 0 }, false)
	case "<=":
		return ordered(func(c int) bool { return c <= 0 }, true)
	case "contains":
		return containing(false)
	case "~~":
		return containing(true)
	case "startsWith":
		return textual(strings.HasPrefix)
	case "endsWith":
		return textual(strings.HasSuffix)
	case "regex":
		return matching
	case "in":
		return in
	case "is":
		return is
	case "range":
		return within
	}
	return nil
}

// values evaluates both sides.
func values(ctx ctx, s scope, left, right node) (l, r any, err error) {
	if l, err = left.eval(ctx, s); err == nil {
		r, err = right.eval(ctx, s)
	}
	return l, r, err
}

func equalTo(fold bool) operatorFunc {
	return func(_ *parser, _ int, left, right node) (node, error) {
		if c, ok := constantOf(right); ok {
			want := scalarOf(c)
			if want.kind == isNil {
				return test(func(ctx ctx, s scope) (bool, error) {
					l, err := left.eval(ctx, s)
					return err == nil && isNothing(l), err
				}), nil
			}
			if v, ok := left.(*value); ok && want.kind == isText && !fold {
				return fieldIs{v, want}, nil
			}
			return test(func(ctx ctx, s scope) (bool, error) {
				l, err := left.eval(ctx, s)
				return err == nil && equal(scalarOf(l), want, fold), err
			}), nil
		}
		return test(func(ctx ctx, s scope) (bool, error) {
			l, r, err := values(ctx, s, left, right)
			return err == nil && equal(scalarOf(l), scalarOf(r), fold), err
		}), nil
	}
}

// fieldIs compares a part of the message with a text, which is what most predicates do.
type fieldIs struct {
	of   *value
	want scalar
}

func (f fieldIs) eval(ctx ctx, s scope) (any, error) { return f.holds(ctx, s) }

func (f fieldIs) holds(_ ctx, s scope) (bool, error) {
	if t, ok := s.(language.TextScope); ok {
		if text, ok := t.Text(f.of.kind, f.of.name); ok {
			return equal(scalar{kind: isText, text: text}, f.want, false), nil
		}
	}
	return equal(scalarOf(s.Value(f.of.kind, f.of.name)), f.want, false), nil
}

// ordered compares sizes. Nothing is greater or less than nil, and nil only as great as
// itself.
func ordered(fits func(int) bool, same bool) operatorFunc {
	return func(_ *parser, _ int, left, right node) (node, error) {
		constant, isConstant := constantOf(right)
		r := scalarOf(constant)
		return test(func(ctx ctx, s scope) (bool, error) {
			v, err := left.eval(ctx, s)
			if err != nil {
				return false, err
			}
			l, r := scalarOf(v), r
			if !isConstant {
				if v, err = right.eval(ctx, s); err != nil {
					return false, err
				}
				r = scalarOf(v)
			}
			if l.kind == isNil || r.kind == isNil {
				return same && l.kind == r.kind, nil
			}
			c, err := compare(l, r)
			return err == nil && c != unordered && fits(c), err
		}), nil
	}
}

// textual compares the texts of both sides.
func textual(fits func(left, right string) bool) operatorFunc {
	return func(_ *parser, _ int, left, right node) (node, error) {
		return test(func(ctx ctx, s scope) (bool, error) {
			l, r, err := values(ctx, s, left, right)
			if err != nil || l == nil || r == nil {
				return err == nil && l == nil && r == nil, err
			}
			return fits(textOf(l), textOf(r)), nil
		}), nil
	}
}

func containing(fold bool) operatorFunc {
	return func(_ *parser, _ int, left, right node) (node, error) {
		return test(func(ctx ctx, s scope) (bool, error) {
			l, r, err := values(ctx, s, left, right)
			if err != nil || l == nil || r == nil {
				return err == nil && l == nil && r == nil, err
			}
			return contains(l, r, fold), nil
		}), nil
	}
}

// contains tells whether a text has another in it, a list an element, or a map a key.
func contains(whole, part any, fold bool) bool {
	want := scalarOf(part)
	if items, ok := itemsOf(whole); ok {
		for _, item := range items {
			if equal(scalarOf(item), want, fold) || fold && strings.Contains(strings.ToLower(textOf(item)), strings.ToLower(textOf(part))) {
				return true
			}
		}
		return false
	}
	if fold {
		return strings.Contains(strings.ToLower(textOf(whole)), strings.ToLower(textOf(part)))
	}
	return strings.Contains(textOf(whole), textOf(part))
}

// in tells whether the right side, a list or a text with commas, has the left in it.
func in(_ *parser, _ int, left, right node) (node, error) {
	var known []scalar
	c, isConstant := constantOf(right)
	if isConstant {
		known = scalarsOf(c)
	}
	return test(func(ctx ctx, s scope) (bool, error) {
		l, err := left.eval(ctx, s)
		if err != nil {
			return false, err
		}
		known := known
		if !isConstant {
			r, err := right.eval(ctx, s)
			if err != nil {
				return false, err
			}
			known = scalarsOf(r)
		}
		value := scalarOf(l)
		for _, k := range known {
			if equal(value, k, false) {
				return true, nil
			}
		}
		return false, nil
	}), nil
}

func scalarsOf(v any) []scalar {
	var all []scalar
	for _, item := range elements(v) {
		all = append(all, scalarOf(item))
	}
	return all
}

// is tells whether the left side has the type that the right side names.
func is(p *parser, at int, left, right node) (node, error) {
	c, ok := constantOf(right)
	name, isName := c.(string)
	if !ok || !isName || name == "" {
		return nil, p.errorf(at, `want the name of a type in quotes, such as 'string' or '[]byte', after "is"`)
	}
	t, ok := typeNamed(name)
	if !ok {
		return nil, p.errorf(at, "%s", unknownType(name))
	}
	return test(func(ctx ctx, s scope) (bool, error) {
		v, err := left.eval(ctx, s)
		return err == nil && v != nil && t.is(v), err
	}), nil
}

// within tells whether the left side is a number in a range such as 1..5, both ends
// included.
func within(p *parser, at int, left, right node) (node, error) {
	c, isConstant := constantOf(right)
	lowest, highest, ok := parseRange(textOf(c))
	if isConstant && !ok {
		return nil, p.errorf(at, "want a range of numbers such as '100..199', there is %q", textOf(c))
	}
	return test(func(ctx ctx, s scope) (bool, error) {
		l, r, err := values(ctx, s, left, right)
		if err != nil {
			return false, err
		}
		lowest, highest := lowest, highest
		if !isConstant {
			if lowest, highest, ok = parseRange(textOf(r)); !ok {
				return false, fmt.Errorf("range: want a text such as 100..199, have %s", aboutText(textOf(r)))
			}
		}
		v, ok := scalarOf(l).number()
		return ok && compareNumbers(lowest, v) <= 0 && compareNumbers(v, highest) <= 0, nil
	}), nil
}

// maxPattern is the length of the longest regular expression that may come from a
// message, in bytes.
const maxPattern = 1000

// matching tells whether the whole text of the left side matches a regular expression.
func matching(p *parser, at int, left, right node) (node, error) {
	var fixed *regexp.Regexp
	if c, ok := constantOf(right); ok {
		var err error
		if fixed, err = wholeText(textOf(c)); err != nil {
			return nil, p.errorf(at, "%s", err)
		}
	}
	return test(func(ctx ctx, s scope) (bool, error) {
		l, r, err := values(ctx, s, left, right)
		if err != nil || l == nil {
			return false, err
		}
		re := fixed
		if re == nil {
			text := textOf(r)
			if len(text) > maxPattern {
				return false, fmt.Errorf("regex: want an expression of at most %d bytes, have %d", maxPattern, len(text))
			}
			if re, err = wholeText(text); err != nil {
				return false, fmt.Errorf("regex: %w", err)
			}
		}
		return re.MatchString(textOf(l)), nil
	}), nil
}

// wholeText compiles a regular expression that matches whole texts.
func wholeText(text string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(text); err != nil {
		return nil, err // told without what is put around it
	}
	return regexp.Compile(`\A(?:` + text + `)\z`)
}
