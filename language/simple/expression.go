package simple

import "strings"

// The grammar, from what binds least to what binds most. Operators have blanks around
// them; inside of ${ } functions stand without a ${ } of their own, which is what bare
// means below.
//
//	expression  logical [? expression : expression]
//	logical     elvis {&& elvis | || elvis}, from left to right
//	elvis       comparison [?: comparison]
//	comparison  chain [operator chain]
//	chain       operand {~> function | ?~> function}
//	operand     'text' | "text" | number | true | false | null | [!]function[++|--]

const (
	maxNested    = 50   // functions and texts inside of each other
	maxOperators = 1000 // in one text
)

// expression reads an expression with all operators.
func (p *parser) expression(bare bool) (node, error) {
	n, err := p.logical(bare)
	if err != nil || !p.operator("?") {
		return n, err
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	yes, err := p.expression(bare)
	if err != nil {
		return nil, err
	}
	if !p.operator(":") {
		return nil, p.wanted(`":" with blanks around it after "?"`)
	}
	no, err := p.expression(bare)
	return ternary{n, boxed(yes), boxed(no)}, err
}

// enter counts how deep the place is.
func (p *parser) enter() error {
	if p.depth++; p.depth > maxNested {
		return p.errorf(p.pos, "want at most %d functions and texts inside of each other", maxNested)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) logical(bare bool) (node, error) {
	n, err := p.elvisOf(bare)
	for err == nil {
		and := p.operator("&&")
		if !and && !p.operator("||") {
			break
		}
		var right node
		right, err = p.elvisOf(bare)
		n = logical{n, right, and}
	}
	return n, err
}

func (p *parser) elvisOf(bare bool) (node, error) {
	n, err := p.comparison(bare)
	if err != nil {
		return nil, err
	}
	return p.elvis(n, func() (node, error) { return p.comparison(bare) })
}

// elvis reads "?: value" behind n, if it is there.
func (p *parser) elvis(n node, right func() (node, error)) (node, error) {
	if !p.operator("?:") {
		return n, nil
	}
	other, err := right()
	return elvis{n, boxed(other)}, err
}

func (p *parser) comparison(bare bool) (node, error) {
	left, err := p.chain(bare)
	if err != nil {
		return nil, err
	}
	start := p.pos
	op, not := p.binary()
	if op == nil {
		return left, nil
	}
	if _, ok := left.(negated); ok {
		return nil, p.errorf(start, `want "&&", "||" or the end after a function with "!": it says the opposite of a function, not of a comparison`)
	}
	at := p.pos
	right, err := p.chain(bare)
	if err != nil {
		return nil, err
	}
	if _, ok := right.(negated); ok {
		return nil, p.errorf(at, `"!" cannot stand after an operator`)
	}
	n, err := op(p, at, boxed(left), boxed(right))
	if err == nil && not {
		n = negate(n)
	}
	return n, err
}

// chain reads an operand and the functions that its value is passed to.
func (p *parser) chain(bare bool) (node, error) {
	n, err := p.operand(bare)
	for err == nil {
		safe := p.operator("?~>")
		if !safe && !p.operator("~>") {
			break
		}
		if p.opening() == 0 && !bare {
			return nil, p.wanted("a function such as ${trim()} to pass the value to")
		}
		p.piped++
		var to node
		to, err = p.operand(bare)
		p.piped--
		n = chain{n, to, safe}
	}
	return n, err
}

// operator reads one that stands between blanks, and the blanks.
func (p *parser) operator(name string) bool {
	start := p.pos
	if p.spaces(); p.pos > start && p.word() == name {
		p.pos += len(name)
		p.spaces()
		p.operators++
		return true
	}
	p.pos = start
	return false
}

// word returns what comes next, up to a blank or the end.
func (p *parser) word() string {
	rest := p.rest()
	if end := strings.IndexAny(rest, " \t\r\n"); end >= 0 {
		return rest[:end]
	}
	return rest
}

// binary reads an operator of the table, which may be negated, or returns nil.
func (p *parser) binary() (op operatorFunc, not bool) {
	start := p.pos
	if p.spaces(); p.pos == start {
		return nil, false
	}
	name := p.word()
	if name == "not" { // as in "not in": so they were written once
		p.pos += len(name)
		p.spaces()
		if name = "!" + p.word(); len(name) > 1 {
			p.pos--
		}
	}
	if op, not = operatorNamed(name), false; op == nil {
		op, not = negatedOperator(name), true
	}
	if op == nil {
		p.pos = start
		return nil, false
	}
	p.pos += len(name)
	p.spaces()
	p.operators++
	return op, not
}

// negatedOperator returns the operator whose opposite has a name, or nil.
func negatedOperator(name string) operatorFunc {
	base, ok := strings.CutPrefix(name, "!")
	switch {
	case name == "!=":
		return operatorNamed("==")
	case ok && base != "" && (base == "=~" || base == "~~" || base[0] >= 'a'):
		return operatorNamed(base)
	}
	return nil
}

// operand reads a value.
func (p *parser) operand(bare bool) (node, error) {
	if p.operators > maxOperators {
		return nil, p.errorf(p.pos, "want at most %d operators", maxOperators)
	}
	start := p.pos
	if p.at(`'"`) {
		return p.quoted()
	}
	not := false
	for p.take('!') {
		not = !not
		if !bare {
			break
		}
	}
	negates := p.pos > start
	var n node
	var err error
	switch {
	case p.opening() > 0:
		if n, err = p.function(p.opening()); err == nil {
			n = p.unary(n)
		}
	case negates && !bare:
		return nil, p.wanted(`a function such as ${isEmpty()} right after "!"`)
	default:
		var ok bool
		if n, ok = p.number(); !ok {
			n, ok = p.keyword()
		}
		if ok {
			return n, nil
		}
		if !bare {
			return nil, p.wanted("a text in quotes, a number, true, false, null or a function such as ${body}")
		}
		if n, err = p.named(); err == nil {
			n = p.unary(n)
		}
	}
	if err != nil || !negates {
		return n, err
	}
	if !not {
		return test(func(ctx ctx, s scope) (bool, error) { return holds(ctx, n, s) }), nil
	}
	return negated{n}, nil
}

// unary reads "++" or "--", which stands right behind a function.
func (p *parser) unary(n node) node {
	rest := p.rest()
	if !strings.HasPrefix(rest, "++") && !strings.HasPrefix(rest, "--") || len(rest) > 2 && strings.IndexByte(" \t\r\n,)}", rest[2]) < 0 {
		return n
	}
	p.pos += 2
	if rest[0] == '+' {
		return stepped{n, 1}
	}
	return stepped{n, -1}
}

// number reads a number, or a range such as 1..5, which is a text.
func (p *parser) number() (node, bool) {
	rest := p.rest()
	end := strings.IndexAny(rest, " \t\r\n,)}")
	if end < 0 {
		end = len(rest)
	}
	text := rest[:end]
	if !isNumber(text) {
		if _, _, ok := parseRange(text); ok {
			p.pos += end
			return literal(text), true
		}
		return nil, false
	}
	p.pos += end
	n, ok := parseNumber(text)
	if !ok || n.kind == isFloat && !strings.Contains(text, ".") {
		return literal(text), true // of more digits than a number can have
	}
	return constant{n.value()}, true
}

// keyword reads true, false or null.
func (p *parser) keyword() (node, bool) {
	for _, k := range []struct {
		name  string
		value any
	}{{"true", true}, {"false", false}, {"null", nil}} {
		rest, ok := strings.CutPrefix(p.rest(), k.name)
		if ok && (rest == "" || strings.IndexByte(" \t\r\n,)}", rest[0]) >= 0) {
			p.pos += len(k.name)
			return constant{k.value}, true
		}
	}
	return nil, false
}

// quoted reads a text in quotes, in which there may be functions.
func (p *parser) quoted() (node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start, quote := p.pos, p.src[p.pos:p.pos+1]
	p.pos++
	n, err := p.text(quote)
	if err != nil {
		return nil, err
	}
	if !p.take(quote[0]) {
		return nil, p.errorf(start, "want a second %s to end the text", quote)
	}
	if _, ok := n.(literal); ok {
		return n, nil
	}
	return asText{n}, nil
}

// text reads text with functions in it, up to one of the stops.
func (p *parser) text(stops string) (node, error) {
	var parts []node
	var text []byte
	for !p.done() && !p.at(stops) {
		if p.opening() == 0 {
			text = append(text, p.char())
			continue
		}
		if len(text) > 0 {
			parts, text = append(parts, literal(text)), nil
		}
		f, err := p.function(p.opening())
		if err != nil {
			return nil, err
		}
		parts = append(parts, f)
	}
	if len(text) > 0 {
		parts = append(parts, literal(text))
	}
	return join(parts), nil
}
