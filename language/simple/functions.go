package simple

import (
	"reflect"

	"github.com/mehari-go/mehari/language"
)

// A constructor reads what follows the name of a function, up to the "}" that ends
// it, and returns the function.
type constructor func(p *parser, name string) (node, error)

// A function is an entry in the table of functions.
type function struct {
	name      string
	construct constructor
}

// functions returns the table of all functions of the language.
func functions() []function {
	return []function{
		{"body", part(value{kind: language.Body})},
		{"bodyType", part(bodyType{})},
		{"date", date},
		{"date-with-timezone", dateWithTimezone},
		{"exception", exception},
		{"exchangeId", part(textValue{kind: language.ExchangeID})},
		{"exchangeProperty", named(language.Property)},
		{"fromRouteId", part(textValue{kind: language.FromRouteID})},
		{"header", named(language.Header)},
		{"headers", named(language.Header)},
		{"routeId", part(textValue{kind: language.RouteID})},
	}
}

// lookup returns the constructor of the function of a name, or nil and a hint.
func lookup(name string) (constructor, string) {
	all := functions()
	names := make([]string, 0, len(all))
	for _, f := range all {
		if f.name == name {
			return f.construct, ""
		}
		names = append(names, f.name)
	}
	return nil, hint(name, names)
}

// part constructs a function that takes nothing.
func part(n node) constructor {
	return func(*parser, string) (node, error) { return n, nil }
}

// named constructs a function that takes the name of a header or property.
func named(kind language.Kind) constructor {
	return func(p *parser, function string) (node, error) {
		name, err := p.key(function)
		return value{kind, name}, err
	}
}

func exception(p *parser, name string) (node, error) {
	if !p.at(".") {
		return value{kind: language.Exception}, nil
	}
	start := p.pos
	if member := p.until(" \t\r\n"); member != ".message" {
		return nil, p.errorf(start, `want ".message" or "}" after %q, there is %q`, name, member)
	}
	return textValue{kind: language.Exception}, nil
}

// value is a part of the message as it is.
type value struct {
	kind language.Kind
	name string
}

func (v value) append(dst []byte, s language.Scope) ([]byte, error) {
	return appendValue(dst, s.Value(v.kind, v.name)), nil
}

func (v value) eval(s language.Scope) (any, error) { return s.Value(v.kind, v.name), nil }

// textValue is a part of the message as a string, or nil.
type textValue value

func (t textValue) append(dst []byte, s language.Scope) ([]byte, error) {
	return value(t).append(dst, s)
}

func (t textValue) eval(s language.Scope) (any, error) {
	v := s.Value(t.kind, t.name)
	switch v.(type) {
	case nil, string:
		return v, nil
	}
	return string(appendValue(nil, v)), nil
}

// bodyType is the type of the body as a string, or nil.
type bodyType struct{}

func (bodyType) append(dst []byte, s language.Scope) ([]byte, error) {
	if body := s.Value(language.Body, ""); body != nil {
		dst = append(dst, reflect.TypeOf(body).String()...)
	}
	return dst, nil
}

func (bodyType) eval(s language.Scope) (any, error) {
	if body := s.Value(language.Body, ""); body != nil {
		return reflect.TypeOf(body).String(), nil
	}
	return nil, nil
}
