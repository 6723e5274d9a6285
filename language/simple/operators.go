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

// operand evaluates a side to compare it. A header that is a text, which is what most
// predicates look at, is not made an any for it.
func operand(ctx ctx, s scope, n node) (scalar, error) {
	if v, ok := n.(*value); ok {
		if t, ok := s.(language.TextScope); ok {
			if text, ok := t.Text(v.kind, v.name); ok {
				return scalar{kind: isText, text: text}, nil
			}
		}
	}
	v, err := n.eval(ctx, s)
	if err != nil {
		return scalar{}, err
	}
	return scalarOf(v), nil
}

// comparing makes an operator that looks at both sides.
func comparing(fits func(l, r scalar) (bool, error)) operatorFunc {
	return func(_ *parser, _ int, left, right node) (node, error) {
		c, isConstant := constantOf(right)
		fixed := scalarOf(c)
		return test(func(ctx ctx, s scope) (bool, error) {
			l, err := operand(ctx, s, left)
			if err != nil {
				return false, err
			}
			r := fixed
			if !isConstant {
				if r, err = operand(ctx, s, right); err != nil {
					return false, err
				}
			}
			return fits(l, r)
		}), nil
	}
}

func equalTo(fold bool) operatorFunc {
	same := comparing(func(l, r scalar) (bool, error) { return equal(l, r, fold), nil })
	return func(p *parser, at int, left, right node) (node, error) {
		if c, ok := constantOf(right); ok && c == nil {
			return test(func(ctx ctx, s scope) (bool, error) {
				l, err := left.eval(ctx, s)
				return err == nil && isNothing(l), err
			}), nil
		}
		if v, ok := left.(*value); ok && !fold {
			if c, ok := constantOf(right); ok && isA[string](c) {
				return partIs{v, scalarOf(c)}, nil
			}
		}
		return same(p, at, left, right)
	}
}

// partIs compares a part of the message with a text, as most predicates do.
type partIs struct {
	of   *value
	want scalar
}

func (p partIs) eval(ctx ctx, s scope) (any, error) { return p.holds(ctx, s) }

func (p partIs) holds(ctx ctx, s scope) (bool, error) {
	if t, ok := s.(language.TextScope); ok {
		if text, ok := t.Text(p.of.kind, p.of.name); ok {
			return equalTexts(text, p.want.text, false), nil
		}
	}
	v := s.Value(p.of.kind, p.of.name)
	if text, ok := v.(string); ok {
		return equalTexts(text, p.want.text, false), nil
	}
	return equal(scalarOf(v), p.want, false), nil
}

// ordered compares sizes. Nothing is greater or less than nil, and nil only as great as
// itself.
func ordered(fits func(int) bool, same bool) operatorFunc {
	return comparing(func(l, r scalar) (bool, error) {
		if l.kind == isNil || r.kind == isNil {
			return same && l.kind == r.kind, nil
		}
		c, err := compare(l, r)
		return err == nil && c != unordered && fits(c), err
	})
}

// textual compares the texts of both sides.
func textual(fits func(left, right string) bool) operatorFunc {
	return comparing(func(l, r scalar) (bool, error) {
		if l.kind == isNil || r.kind == isNil {
			return l.kind == r.kind, nil
		}
		return fits(l.asText(), r.asText()), nil
	})
}

func containing(fold bool) operatorFunc {
	return comparing(func(l, r scalar) (bool, error) {
		if l.kind == isNil || r.kind == isNil {
			return l.kind == r.kind, nil
		}
		return contains(l, r, fold), nil
	})
}

// contains tells whether a text has another in it, a list an element, or a map a key.
func contains(whole, part scalar, fold bool) bool {
	has := strings.Contains
	if fold {
		has = func(text, part string) bool { return strings.Contains(strings.ToLower(text), strings.ToLower(part)) }
	}
	items, ok := itemsOf(whole.any)
	if !ok || whole.kind != isOther {
		return has(whole.asText(), part.asText())
	}
	for _, item := range items {
		if element := scalarOf(item); equal(element, part, fold) || fold && has(element.asText(), part.asText()) {
			return true
		}
	}
	return false
}

// in tells whether the right side, a list or a text with commas, has the left in it.
func in(_ *parser, _ int, left, right node) (node, error) {
	var known []scalar
	c, isConstant := constantOf(right)
	if isConstant {
		known = scalarsOf(c)
	}
	return test(func(ctx ctx, s scope) (bool, error) {
		value, err := operand(ctx, s, left)
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
		l, err := operand(ctx, s, left)
		if err != nil {
			return false, err
		}
		lowest, highest := lowest, highest
		if !isConstant {
			r, err := operand(ctx, s, right)
			if err != nil {
				return false, err
			}
			var ok bool
			if lowest, highest, ok = parseRange(r.asText()); !ok {
				return false, fmt.Errorf("range: want a text such as 100..199, have %s", r.about())
			}
		}
		v, ok := l.number()
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
		l, err := operand(ctx, s, left)
		if err != nil || l.kind == isNil {
			return false, err
		}
		re := fixed
		if re == nil {
			r, err := operand(ctx, s, right)
			if err != nil {
				return false, err
			}
			text := r.asText()
			if len(text) > maxPattern {
				return false, fmt.Errorf("regex: want an expression of at most %d bytes, have %d", maxPattern, len(text))
			}
			if re, err = wholeText(text); err != nil {
				return false, fmt.Errorf("regex: %w", err)
			}
		}
		return re.MatchString(l.asText()), nil
	}), nil
}

// wholeText compiles a regular expression that matches whole texts.
func wholeText(text string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(text); err != nil {
		return nil, err // told without what is put around it
	}
	return regexp.Compile(`\A(?:` + text + `)\z`)
}
