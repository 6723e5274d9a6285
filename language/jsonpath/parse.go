package jsonpath

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/mehari-go/mehari/internal/place"
)

const (
	maxNesting = 100
	maxInteger = 1<<53 - 1 // 2.1: what all implementations can count
)

// A parser reads a text from left to right. It gives up with a panic of a mistake.
type parser struct {
	text    string
	pos     int
	nesting int
}

type mistake struct {
	offset int
	reason string
}

func (p *parser) fail(offset int, format string, args ...any) {
	panic(mistake{offset, fmt.Sprintf(format, args...)})
}

// want fails where something else was wanted.
func (p *parser) want(format string, args ...any) {
	have := "the end"
	if p.pos < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		have = strconv.Quote(string(r))
		if r == utf8.RuneError && size == 1 {
			have = "a byte that is not UTF-8"
		}
	}
	p.fail(p.pos, "want %s, have %s", fmt.Sprintf(format, args...), have)
}

// parse reads a whole text.
func parse(text string) (q *query, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case mistake:
			q, err = nil, place.Error(text, r.offset, r.reason)
		default:
			panic(r)
		}
	}()
	p := &parser{text: text}
	if !p.eat("$") {
		p.want(`"$"`)
	}
	q = p.query(false)
	if p.pos < len(text) {
		p.want("the end, a dot or a bracket")
	}
	return q, nil
}

// eat takes s if it is next.
func (p *parser) eat(s string) bool {
	if !strings.HasPrefix(p.text[p.pos:], s) {
		return false
	}
	p.pos += len(s)
	return true
}

func (p *parser) next() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *parser) blank() {
	for strings.IndexByte(" \t\n\r", p.next()) >= 0 && p.pos < len(p.text) {
		p.pos++
	}
}

// deeper bounds what calls itself.
func (p *parser) deeper() func() {
	if p.nesting++; p.nesting > maxNesting {
		p.fail(p.pos, "nested deeper than %d levels", maxNesting)
	}
	return func() { p.nesting-- }
}

// query reads the segments.
func (p *parser) query(relative bool) *query {
	q := &query{relative: relative, singular: true}
	for {
		start := p.pos
		p.blank()
		var s segment
		switch {
		case p.eat(".."):
			s = segment{true, p.afterDot(true)}
		case p.eat("."):
			s = segment{false, p.afterDot(false)}
		case p.next() == '[':
			s = segment{false, p.brackets()}
		default:
			p.pos = start // blanks belong to what follows
			return q
		}
		q.singular = q.singular && s.singular()
		q.segments = append(q.segments, s)
	}
}

func (p *parser) afterDot(descendant bool) []selector {
	switch {
	case p.eat("*"):
		return []selector{wildcard{}}
	case descendant && p.next() == '[':
		return p.brackets()
	}
	start := p.pos
	for i, r := range p.text[start:] {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || r >= 0x80 && r != utf8.RuneError
		if !letter && (i == 0 || r < '0' || r > '9') {
			break
		}
		p.pos = start + i + utf8.RuneLen(r)
	}
	if p.pos == start {
		p.want("a name or \"*\" after the dot")
	}
	return []selector{name(p.text[start:p.pos])}
}

func (p *parser) brackets() []selector {
	p.eat("[")
	var all []selector
	for {
		p.blank()
		all = append(all, p.selector())
		p.blank()
		switch {
		case p.eat("]"):
			return all
		case !p.eat(","):
			p.want(`"," or "]"`)
		}
	}
}

func (p *parser) selector() selector {
	switch c := p.next(); {
	case c == '\'' || c == '"':
		return name(p.quoted())
	case p.eat("*"):
		return wildcard{}
	case p.eat("?"):
		p.blank()
		return filter{p.or()}
	case c == ':' || c == '-' || '0' <= c && c <= '9':
		return p.indexOrSpan()
	}
	p.want("a name in quotes, an index, a slice, \"*\" or a filter")
	return nil
}

func (p *parser) indexOrSpan() selector {
	start := p.optional()
	end := p.pos
	p.blank()
	if !p.eat(":") {
		p.pos = end
		return index(*start)
	}
	p.blank()
	s := span{start: start, end: p.optional(), step: 1}
	end = p.pos
	p.blank()
	if !p.eat(":") {
		p.pos = end
		return s
	}
	p.blank()
	if step := p.optional(); step != nil {
		s.step = *step
	}
	return s
}

// optional reads an integer, or returns nil where there is none.
func (p *parser) optional() *int {
	start := p.pos
	p.eat("-")
	for p.next() >= '0' && p.next() <= '9' {
		p.pos++
	}
	digits := p.text[start:p.pos]
	switch n, err := strconv.ParseInt(digits, 10, 64); {
	case digits == "":
		return nil
	case digits == "-":
		p.want("a digit")
	case strings.TrimLeft(digits, "-0") != strings.TrimLeft(digits, "-") && digits != "0":
		p.fail(start, "want an integer without leading zeros, have %s", digits)
	case err != nil || n > maxInteger || n < -maxInteger:
		p.fail(start, "want an integer from %d to %d, have %s", -maxInteger, maxInteger, digits)
	default:
		return new(int(max(min(n, math.MaxInt/2), math.MinInt/2))) // no list is that long
	}
	return nil
}

// quoted reads a string (2.3.1.1).
func (p *parser) quoted() string {
	start, quote := p.pos, p.next()
	p.pos++
	var b strings.Builder
	for {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		switch {
		case size == 0:
			p.fail(start, "the string has no end")
		case r == utf8.RuneError && size == 1, r < ' ':
			p.fail(p.pos, "want a character or an escape in a string, have the byte %#02x", p.next())
		case r == rune(quote):
			p.pos++
			return b.String()
		case r == '\\':
			p.pos++
			b.WriteRune(p.escape(quote))
		default:
			p.pos += size
			b.WriteRune(r)
		}
	}
}

func (p *parser) escape(quote byte) rune {
	at := p.pos
	c := p.next()
	p.pos++
	if i := strings.IndexByte(`bfnrt/\`, c); i >= 0 && c != 0 {
		return rune("\b\f\n\r\t/\\"[i])
	}
	switch {
	case c == quote:
		return rune(quote)
	case c != 'u':
		p.fail(at-1, "unknown escape")
	}
	r := p.hex(at)
	switch {
	case r >= 0xdc00 && r <= 0xdfff:
		p.fail(at-1, "the second half of a pair of surrogates without the first")
	case r >= 0xd800 && r <= 0xdbff:
		if !p.eat(`\u`) {
			p.fail(at-1, "the first half of a pair of surrogates without the second")
		}
		low := p.hex(at)
		if low < 0xdc00 || low > 0xdfff {
			p.fail(at-1, "the first half of a pair of surrogates without the second")
		}
		r = (r-0xd800)<<10 + low - 0xdc00 + 0x10000
	}
	return r
}

func (p *parser) hex(at int) rune {
	digits := p.text[p.pos:min(p.pos+4, len(p.text))]
	n, err := strconv.ParseUint(digits, 16, 16)
	if err != nil || len(digits) < 4 {
		p.fail(at-1, "want four hexadecimal digits")
	}
	p.pos += 4
	return rune(n)
}
