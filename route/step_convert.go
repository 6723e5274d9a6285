package route

import (
	"context"
	"fmt"
	"reflect"
)

// ConvertOptions are options of [Route.ConvertHeaderTo] and its like.
type ConvertOptions struct {
	// ToName is the header or variable that gets the result, "" for the same one. The
	// body has no name.
	ToName string

	// Optional makes nil of what cannot be converted. By default that is an error:
	// Camel's mandatory.
	Optional bool
}

// ConvertBodyTo converts the body to a type, such as reflect.TypeFor[int](), by
// [Config.Converters] or by the rules of [As]. A nil body stays nil.
func (c *chain[Self]) ConvertBodyTo(t reflect.Type, opts ...ConvertOptions) Self {
	return c.add(convertBodyStep{t, opts})
}

// ConvertHeaderTo converts a header like [Route.ConvertBodyTo]. Nothing happens to one that
// is not there or nil.
func (c *chain[Self]) ConvertHeaderTo(name string, t reflect.Type, opts ...ConvertOptions) Self {
	return c.add(convertFieldStep{inHeaders, name, t, opts})
}

// ConvertVariableTo converts a variable like [Route.ConvertBodyTo]. Nothing happens to one
// that is not there or nil.
func (c *chain[Self]) ConvertVariableTo(name string, t reflect.Type, opts ...ConvertOptions) Self {
	return c.add(convertFieldStep{inVariables, name, t, opts})
}

type convertBodyStep struct {
	t    reflect.Type
	opts []ConvertOptions
}

func (s convertBodyStep) String() string { return "convert body" + toType(s.t) }

func (s convertBodyStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	if s.t == nil {
		b.Errorf("want a type: reflect.TypeFor[int]()")
	}
	if o.ToName != "" {
		b.Errorf("ToName %q: the body has no name", o.ToName)
	}
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		if ex.Body == nil {
			return nil
		}
		v, err := ex.convertTo(ctx, ex.Body, s.t)
		if err != nil && !o.Optional {
			ex.wasRead()
			return err
		}
		ex.Body = v
		return nil
	})
}

type convertFieldStep struct {
	in   store
	name string
	t    reflect.Type
	opts []ConvertOptions
}

func (s convertFieldStep) String() string {
	return fmt.Sprintf("convert %s %q", s.in, s.name) + toType(s.t)
}

func (s convertFieldStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	if s.name == "" {
		b.Errorf("want a name")
	}
	if s.t == nil {
		b.Errorf("want a type: reflect.TypeFor[int]()")
	}
	from, to := newKeyIn(s.in, s.name), newKeyIn(s.in, s.name)
	if o.ToName != "" {
		to = newKeyIn(s.in, o.ToName)
	}
	isText, inPlace := s.t == reflect.TypeFor[string](), o.ToName == ""
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		if isText && inPlace && !from.other {
			if f := from.in(ex).find(&from.name); f != nil && f.isText {
				return nil // and no memory to find that out
			}
		}
		v := from.value(ex)
		if v == nil {
			return nil
		}
		out, err := ex.convertTo(ctx, v, s.t)
		if err != nil && !o.Optional {
			return err
		}
		to.set(ex, out)
		return nil
	})
}

// newKeyIn returns the key of a name that the step itself was given.
func newKeyIn(in store, text string) *key {
	return &key{name: named(text), store: in, other: in == inVariables && shared(text)}
}

func toType(t reflect.Type) string {
	if t == nil {
		return ""
	}
	return " to " + t.String()
}
