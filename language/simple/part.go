package simple

import (
	"reflect"
	"strings"

	"github.com/mehari-go/mehari/language"
)

// The functions that are parts of the message.

// whole constructs a function that is a part of the message without a name, or something
// inside of it.
func whole(kind language.Kind) constructor {
	return func(p *parser, _ string) (node, error) { return p.inside(&value{kind: kind}) }
}

// inside reads the path behind a part of the message.
func (p *parser) inside(root *value) (node, error) {
	steps, err := p.path()
	if err != nil || len(steps) == 0 {
		return root, err
	}
	return &inside{[]choice{{root, steps}}}, nil
}

// text constructs a function that is a part of the message as a text.
func text(kind language.Kind) constructor {
	return func(*parser, string) (node, error) { return textValue{value{kind: kind}}, nil }
}

// named constructs a function that takes the name of a header, property or variable, and
// is something inside of it where a path follows.
func named(kind, all language.Kind) constructor {
	return func(p *parser, function string) (node, error) {
		if all != kind && !p.at(".:[") {
			return &value{kind: all}, nil
		}
		if rest, ok := strings.CutPrefix(p.rest(), ".size"); ok && all != kind && strings.IndexAny(rest+"}", ".:?[") != 0 {
			return p.inside(&value{kind: all})
		}
		quoted := p.at("[")
		name, err := p.key(function)
		if err != nil {
			return nil, err
		}
		var steps path
		if !quoted && p.at("(") { // of a method
			dot := strings.LastIndexByte(name, '.')
			if dot <= 0 {
				return nil, p.wanted(`"}" after %q`, function+"."+name)
			}
			st := &step{name: name[dot+1:]}
			if err := p.parentheses(st.name); err != nil {
				return nil, err
			}
			st.source = name[dot:] + "()"
			name, steps = name[:dot], path{st}
		}
		rest, err := p.path()
		if err != nil {
			return nil, err
		}
		steps = append(steps, rest...)
		whole := &value{kind, name}
		if !quoted && strings.Contains(name, ".") {
			return dotted(whole, steps), nil
		}
		if len(steps) == 0 {
			return whole, nil
		}
		return &inside{[]choice{{whole, steps}}}, nil
	}
}

// dotted returns the node of a name with dots, of which each may begin a path.
func dotted(root *value, steps path) node {
	in := &inside{[]choice{{root, steps}}}
	name := root.name
	for {
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			return in
		}
		steps = append(path{{source: name[dot:], name: name[dot+1:]}}, steps...)
		name = name[:dot]
		in.choices = append(in.choices, choice{&value{root.kind, name}, steps})
	}
}

// in constructs the function of Camel's first years: in.body, in.header.x.
func inMessage(p *parser, name string) (node, error) {
	if !p.take('.') {
		return nil, p.wanted(`".body" or ".header" after %q`, name)
	}
	start := p.pos
	switch part := p.until(" \t\r\n.:?[](){'\","); part {
	case "body":
		return whole(language.Body)(p, part)
	case "header", "headers":
		return named(language.Header, language.Header)(p, part)
	}
	p.pos = start
	return nil, p.wanted(`"body" or "header" after %q`, name+".")
}

// exception constructs the error of the exchange, its message, or what is inside of it.
func exception(p *parser, _ string) (node, error) {
	rest, ok := strings.CutPrefix(p.rest(), ".message")
	if ok && strings.IndexAny(rest+"}", " \t\r\n}") == 0 {
		p.pos += len(".message")
		return textValue{value{kind: language.Exception}}, nil
	}
	return p.inside(&value{kind: language.Exception})
}

// textValue is a part of the message as a string, or nil.
type textValue struct{ value }

func (t textValue) append(ctx ctx, dst []byte, s scope) ([]byte, error) {
	return t.value.append(ctx, dst, s)
}

func (t textValue) eval(_ ctx, s scope) (any, error) {
	v := s.Value(t.kind, t.name)
	switch v.(type) {
	case nil, string:
		return v, nil
	}
	return string(appendValue(nil, v)), nil
}

// bodyType is the type of the body as a string, or nil.
func bodyType(_ ctx, s scope, _ []node) (any, error) {
	if body := s.Value(language.Body, ""); body != nil {
		return reflect.TypeOf(body).String(), nil
	}
	return nil, nil
}

// bodyOneLine is the text of the body without line breaks.
func bodyOneLine(_ ctx, s scope, _ []node) (any, error) {
	text := textOf(s.Value(language.Body, ""))
	return strings.NewReplacer("\r\n", "", "\n", "", "\r", "").Replace(text), nil
}
