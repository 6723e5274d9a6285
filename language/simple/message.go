package simple

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/mehari-go/mehari/language"
)

func bodyAs(_ ctx, s scope, args []node) (any, error) {
	return typeOf(args[0]).convert(s.Value(language.Body, ""))
}

func mandatoryBodyAs(_ ctx, s scope, args []node) (any, error) {
	body := s.Value(language.Body, "")
	if body == nil {
		return nil, fmt.Errorf("want a %s, the body is nil", typeOf(args[0]).name)
	}
	return typeOf(args[0]).convert(body)
}

func convertTo(ctx ctx, s scope, args []node) (any, error) {
	v, err := args[0].eval(ctx, s)
	if err != nil {
		return nil, err
	}
	return typeOf(args[1]).convert(v)
}

// partAs is a header or variable as a type.
func partAs(kind language.Kind) run {
	return func(ctx ctx, s scope, args []node) (any, error) {
		name, _, err := textArg(ctx, s, args[0])
		if err != nil {
			return nil, err
		}
		return typeOf(args[1]).convert(s.Value(kind, name))
	}
}

// set stores a header or variable. Its value is nil.
func set(kind language.Kind) run {
	return func(ctx ctx, s scope, args []node) (any, error) {
		setter, ok := outer(s).(language.Setter)
		if !ok {
			return nil, errors.New("the message cannot be changed here")
		}
		name, ok, err := textArg(ctx, s, args[0])
		if err != nil {
			return nil, err
		}
		if !ok || name == "" {
			return nil, errors.New("want a name")
		}
		v, err := args[len(args)-1].eval(ctx, s)
		if err == nil && len(args) == 3 {
			v, err = typeOf(args[1]).convert(v)
		}
		if err != nil {
			return nil, err
		}
		return nil, setter.Set(kind, name, v)
	}
}

// messageTimestamp is when the message came to be, as its component says, in
// milliseconds since 1970.
func messageTimestamp(_ ctx, s scope, _ []node) (any, error) {
	if n, ok := wholeNumber(scalarOf(s.Value(language.Header, "CamelMessageTimestamp"))); ok {
		return n, nil
	}
	return int64(0), nil
}

// kindOfType is null, number, string, boolean, array or object, as of JSON.
func kindOfType(ctx ctx, s scope, args []node) (any, error) {
	v, err := args[0].eval(ctx, s)
	return kindName(v), err
}

func kindName(v any) string {
	switch s := scalarOf(v); {
	case s.kind == isNil:
		return "null"
	case s.kind == isText && !isA[[]byte](v):
		return "string"
	case s.kind == isBool:
		return "boolean"
	case s.isNumber():
		return "number"
	}
	switch reflect.TypeOf(v).Kind() {
	case reflect.Slice, reflect.Array:
		return "array"
	}
	return "object"
}

// length is how many bytes the text of a value has.
func length(ctx ctx, s scope, args []node) (any, error) {
	v, err := args[0].eval(ctx, s)
	if b, ok := v.([]byte); ok {
		return len(b), err
	}
	return len(textOf(v)), err
}

func throwException(ctx ctx, s scope, args []node) (any, error) {
	message, _, err := textArg(ctx, s, args[0])
	if err == nil {
		err = errors.New(message)
	}
	return nil, err
}

// callRegistered calls a function of the program.
func callRegistered(ctx ctx, s scope, args []node) (any, error) {
	name, _, err := textArg(ctx, s, args[0])
	if err != nil {
		return nil, err
	}
	v, err := args[1].eval(ctx, s)
	if err != nil {
		return nil, err
	}
	switch f := s.Value(language.Registered, name).(type) {
	case func(context.Context, any) (any, error):
		return f(ctx, v)
	case func(any) (any, error):
		return f(v)
	case func(any) any:
		return f(v), nil
	case nil:
		return nil, fmt.Errorf("nothing is registered as %q", name)
	default:
		return nil, fmt.Errorf("want a func(context.Context, any) (any, error) registered as %q, there is a %T", name, f)
	}
}

// placeholder constructs "properties:key:default".
func placeholder(p *parser, function string) (node, error) {
	key, err := p.placeholderKey(function)
	if err != nil {
		return nil, err
	}
	var other node
	if p.take(':') {
		if other, err = p.text("}"); err != nil {
			return nil, err
		}
	}
	return &call{function, func(ctx ctx, s scope, args []node) (any, error) {
		name, _, err := textArg(ctx, s, args[0])
		if err != nil {
			return nil, err
		}
		if v := s.Value(language.Placeholder, name); v != nil {
			return v, nil
		}
		if len(args) == 1 {
			return nil, fmt.Errorf("there is no property %q, and no default", name)
		}
		return args[1].eval(ctx, s)
	}, arguments(key, other)}, nil
}

func arguments(a, b node) []node {
	if b == nil {
		return []node{a}
	}
	return []node{a, b}
}

// placeholderExists constructs "propertiesExist:key" or "propertiesExist:!key".
func placeholderExists(p *parser, function string) (node, error) {
	start := p.pos
	key, err := p.placeholderKey(function)
	if err != nil {
		return nil, err
	}
	not := len(p.src) > start+1 && p.src[start+1] == '!'
	return test(func(ctx ctx, s scope) (bool, error) {
		name, _, err := textArg(ctx, s, key)
		if not && err == nil {
			name = name[1:]
		}
		return err == nil && (s.Value(language.Placeholder, name) != nil) != not, err
	}), nil
}

func (p *parser) placeholderKey(function string) (node, error) {
	if !p.take(':') {
		return nil, p.wanted(`":key" after %q`, function)
	}
	key, err := p.text(":}")
	if l, ok := key.(literal); ok && l == "" {
		return nil, p.wanted("a key")
	}
	return key, err
}
