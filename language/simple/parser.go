package simple

import "strings"

// A parser is a place in the source. What it reads is at pos and after.
type parser struct {
	src       string
	pos       int
	begun     int // where the last function began that is in no other
	depth     int // how deep the place is in functions and texts
	piped     int // in how many functions that a chain passes a value to
	operators int // how many there were
}

func (p *parser) done() bool   { return p.pos == len(p.src) }
func (p *parser) rest() string { return p.src[p.pos:] }

// at reports whether the next character is one of chars.
func (p *parser) at(chars string) bool {
	return !p.done() && strings.IndexByte(chars, p.src[p.pos]) >= 0
}

// take reads c if it comes next.
func (p *parser) take(c byte) bool {
	if p.done() || p.src[p.pos] != c {
		return false
	}
	p.pos++
	return true
}

func (p *parser) spaces() {
	for p.at(" \t\r\n") {
		p.pos++
	}
}

// opening returns the length of the opening of a function that comes next, or 0.
func (p *parser) opening() int {
	for _, start := range []string{"${", "$simple{"} {
		if strings.HasPrefix(p.rest(), start) {
			return len(start)
		}
	}
	return 0
}

// char reads a character of text, which may be written as an escape.
func (p *parser) char() byte {
	if c := p.escape(); c != 0 {
		p.pos += 2
		return c
	}
	p.pos++
	return p.src[p.pos-1]
}

// escape returns the character that the escape at the place stands for, or 0.
func (p *parser) escape() byte {
	if rest := p.rest(); len(rest) > 1 && rest[0] == '\\' {
		switch rest[1] {
		case 'n':
			return '\n'
		case 't':
			return '\t'
		case 'r':
			return '\r'
		case '}':
			return '}'
		case '{':
			if before := p.src[:p.pos]; strings.HasSuffix(before, "$") || strings.HasSuffix(before, "$simple") {
				return '{'
			}
		}
	}
	return 0
}

// until reads up to any of the stops, the end of the function or of the source, or
// the opening of another function, and resolves escapes.
func (p *parser) until(stops string) string {
	var text []byte
	for !p.done() && !p.at(stops) && !p.at("}") && p.opening() == 0 {
		text = append(text, p.char())
	}
	return string(text)
}

// skip goes behind the end of a function that was not understood.
func (p *parser) skip() {
	for depth := 1; depth > 0 && !p.done(); {
		if n := p.opening(); n > 0 {
			p.pos += n
			depth++
			continue
		}
		if p.at("}") {
			depth--
		}
		p.char()
	}
}

// function reads "${", an expression and "}". The length of the opening is n.
func (p *parser) function(n int) (node, error) {
	if p.depth == 0 {
		p.begun = p.pos
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	opening := p.src[p.pos : p.pos+n]
	p.pos += n
	p.spaces()
	start := p.pos
	f, err := p.expression(true)
	if err != nil {
		return nil, err
	}
	p.spaces()
	if p.done() {
		return nil, p.wanted(`"}" to close %q`, opening)
	}
	if !p.take('}') {
		return nil, p.wanted(`"}" after %q%s`, strings.TrimSpace(p.src[start:p.pos]), p.meant())
	}
	return f, nil
}

// named reads a function without the "${" and "}" around it.
func (p *parser) named() (node, error) {
	start := p.pos
	name := p.until(" \t\r\n.:?[](){'\",!=<>~&|+")
	if name == "" {
		return nil, p.wanted("the name of a function")
	}
	construct, near := lookup(name)
	if construct == nil {
		return nil, p.errorf(start, "unknown function %q%s", name, near)
	}
	f, err := construct(p, name)
	if err != nil {
		return nil, err
	}
	steps, err := p.path()
	if err != nil || len(steps) == 0 {
		return f, err
	}
	return &of{f, p.src[start:p.pos][:p.pos-start-len(steps.String(len(steps)))], steps}, nil
}

// key reads the name in ".name", ":name", "[name]", "['name']" or `["name"]` behind
// the function of that name.
func (p *parser) key(function string) (string, error) {
	switch {
	case p.take('.'), p.take(':'):
		prefix := ""
		if function == "variable" {
			prefix = p.sharedPrefix()
		}
		key, err := p.plainKey()
		return prefix + key, err
	case p.take('['):
		return p.bracketKey()
	}
	return "", p.wanted(`".name" or "['name']" after %q`, function)
}

// sharedPrefix reads what the name of a variable begins with that exchanges share: global:
// or route: with the id of a route.
func (p *parser) sharedPrefix() string {
	start := p.pos
	switch rest := p.rest(); {
	case strings.HasPrefix(rest, "global:"):
		p.pos += len("global:")
	case strings.HasPrefix(rest, "route:"):
		p.pos += len("route:")
		p.until(" \t\r\n:?[](){'\"")
		if !p.take(':') {
			p.pos = start
		}
	}
	return p.src[start:p.pos]
}

// name reads a name that ends before one of stops, or before a "++" or "--" at its end.
func (p *parser) name(stops string) string {
	name := p.until(stops)
	if strings.HasSuffix(name, "++") || strings.HasSuffix(name, "--") {
		p.pos -= 2
		name = name[:len(name)-2]
	}
	return name
}

func (p *parser) plainKey() (string, error) {
	start := p.pos
	key := p.name(" \t\r\n:?[](){'\"")
	if key == "" || strings.HasSuffix(key, ".") {
		return "", p.wanted("a name")
	}
	if dots := strings.Index("."+p.src[start:p.pos], ".."); dots >= 0 {
		p.pos = start + dots
		return "", p.wanted("a name")
	}
	return key, nil
}

func (p *parser) bracketKey() (string, error) {
	p.spaces()
	var key string
	if p.at(`'"`) {
		quote := p.src[p.pos : p.pos+1]
		p.pos++
		var text []byte
		for !p.done() && !p.at(quote) {
			text = append(text, p.char())
		}
		if p.done() {
			return "", p.wanted("%s to end the name", quote)
		}
		p.pos++
		key = string(text)
	} else {
		key = strings.TrimRight(p.until(`[]'"`), " \t\r\n")
	}
	if key == "" {
		return "", p.wanted("a name")
	}
	p.spaces()
	if !p.take(']') {
		return "", p.wanted(`"]" after the name %q`, key)
	}
	return key, nil
}
