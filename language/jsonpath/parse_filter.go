package jsonpath

import (
	"encoding/json"
	"strconv"
	"strings"
)

func (p *parser) or() condition {
	defer p.deeper()()
	all := or{p.and()}
	for p.operator("||") {
		all = append(all, p.and())
	}
	if len(all) == 1 {
		return all[0]
	}
	return all
}

func (p *parser) and() condition {
	all := and{p.basic()}
	for p.operator("&&") {
		all = append(all, p.basic())
	}
	if len(all) == 1 {
		return all[0]
	}
	return all
}

// operator takes op with the blanks around it.
func (p *parser) operator(op string) bool {
	start := p.pos
	p.blank()
	if !p.eat(op) {
		p.pos = start
		return false
	}
	p.blank()
	return true
}

func (p *parser) basic() condition {
	negated := p.eat("!")
	if negated {
		p.blank()
	}
	var c condition
	if p.eat("(") {
		p.blank()
		c = p.or()
		p.blank()
		if !p.eat(")") {
			p.want(`")", "&&" or "||"`)
		}
	} else {
		c = p.testOrComparison(negated)
	}
	if negated {
		return not{c}
	}
	return c
}

func (p *parser) testOrComparison(negated bool) condition {
	start := p.pos
	left := p.operand()
	for _, op := range []string{"==", "!=", "<=", ">=", "<", ">"} {
		if !p.operator(op) {
			continue
		}
		if negated {
			p.fail(start, "want parentheses around a comparison after \"!\"")
		}
		p.comparable(left, start)
		start = p.pos
		right := p.operand()
		p.comparable(right, start)
		return comparison{left, right, op}
	}
	switch left := left.(type) {
	case *query:
		return exists{left}
	case *function:
		if tests(left.name) {
			return left
		}
	}
	p.blank()
	p.want("a comparison")
	return nil
}

// comparable fails if o is not one value.
func (p *parser) comparable(o operand, start int) {
	switch o := o.(type) {
	case *query:
		if !o.singular {
			p.fail(start, "want a path that leads to one value")
		}
	case *function:
		if tests(o.name) {
			p.fail(start, "%s is a condition, not a value", o.name)
		}
	}
}

func (p *parser) operand() operand {
	switch c := p.next(); {
	case c == '\'' || c == '"':
		return literal{p.quoted()}
	case c == '-' || '0' <= c && c <= '9':
		return literal{p.number()}
	case p.eat("@"):
		return p.nested(true)
	case p.eat("$"):
		return p.nested(false)
	case 'a' <= c && c <= 'z':
		return p.word()
	}
	p.want("a value: \"@\", \"$\", a literal or a function")
	return nil
}

func (p *parser) nested(relative bool) *query {
	defer p.deeper()()
	return p.query(relative)
}

func (p *parser) number() any {
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte("+-.0123456789eE", p.next()) >= 0 {
		p.pos++
	}
	digits := p.text[start:p.pos]
	var v any
	if err := json.Unmarshal([]byte(digits), &v); err != nil {
		p.fail(start, "want a number, have %s", digits)
	}
	if n, err := strconv.Atoi(digits); err == nil {
		return n
	}
	if strings.Trim(digits, "-0123456789") == "" {
		return json.Number(digits)
	}
	return v
}

func (p *parser) word() operand {
	start := p.pos
	for c := p.next(); c == '_' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9'; c = p.next() {
		p.pos++
	}
	word := p.text[start:p.pos]
	if p.next() == '(' {
		return p.function(word, start)
	}
	switch word {
	case "true":
		return literal{true}
	case "false":
		return literal{false}
	case "null":
		return literal{nil}
	}
	p.fail(start, "want true, false, null or a function, have %q", word)
	return nil
}

func (p *parser) function(word string, start int) operand {
	defer p.deeper()()
	values, ok := functions[word]
	if !ok {
		p.fail(start, "unknown function %q: want length, count, match, search or value", word)
	}
	f := &function{name: word}
	p.eat("(")
	p.blank()
	if values == 0 {
		at := p.pos
		if f.nodes, ok = p.operand().(*query); !ok {
			p.fail(at, "want a path for %s", word)
		}
	}
	for i := range values {
		if i > 0 && !p.operator(",") {
			p.want(`"," and a second value`)
		}
		at := p.pos
		arg := p.operand()
		p.comparable(arg, at)
		f.args = append(f.args, arg)
		if pattern, ok := arg.(literal); ok && i == 1 {
			p.pattern(f, pattern, at)
		}
	}
	p.blank()
	if !p.eat(")") {
		p.want(`")"`)
	}
	return f
}

// pattern compiles one that is the same for all documents.
func (p *parser) pattern(f *function, l literal, at int) {
	text, ok := l.v.(string)
	if !ok {
		return // which matches nothing
	}
	compiled, err := f.compile(text)
	if err != nil {
		p.fail(at, "%v", err)
	}
	f.pattern = compiled
}
