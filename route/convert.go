package route

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/mehari-go/mehari/internal/convert"
)

// A Converter makes values of one type of those of another. It is made by [ConverterOf]
// and registered in [Config.Converters].
type Converter struct {
	in, out reflect.Type
	convert func(ctx context.Context, v any) (any, error) // nil if there was no function
}

// ConverterOf makes a [Converter] of a typed function. If In is an interface, it is for all
// types that implement it and have no converter of their own. Many goroutines may call it
// at once.
func ConverterOf[In, Out any](f func(context.Context, In) (Out, error)) Converter {
	c := Converter{in: reflect.TypeFor[In](), out: reflect.TypeFor[Out]()}
	if f != nil {
		c.convert = func(ctx context.Context, v any) (any, error) { return f(ctx, v.(In)) }
	}
	return c
}

// Types returns what the converter takes and what it makes; nil for the zero value.
func (c Converter) Types() (in, out reflect.Type) { return c.in, c.out }

// As returns v as a T: as it is if it is one, or as one of [Config.Converters] makes it, or
// by the rules that hold for everything, under which nothing is lost: text becomes
// numbers, times and, as JSON, structs and maps, and all of them text; a number becomes
// another type of number that holds it. The error names both types. What ex has to do
// with it is that it is in a route of the engine that has the converters.
//
//	id, err := route.As[int64](ctx, ex, ex.Header("id"))
func As[T any](ctx context.Context, ex *Exchange, v any) (T, error) {
	if same, ok := v.(T); ok {
		return same, nil
	}
	if c := ex.converters(); c != nil {
		if out, ok, err := c.try(ctx, v, reflect.TypeFor[T]()); ok {
			t, _ := out.(T) // nil may be one
			return t, err
		}
	}
	return convert.As[T](v)
}

// converters are those of the engine where the exchange is, nil if there are none.
func (ex *Exchange) converters() *converters {
	ex.guard()
	if ex.at == nil {
		return nil
	}
	return ex.at.engine.converters
}

// convertTo returns v as a t.
func (ex *Exchange) convertTo(ctx context.Context, v any, t reflect.Type) (any, error) {
	if v != nil && reflect.TypeOf(v) == t {
		return v, nil
	}
	if c := ex.converters(); c != nil {
		if out, ok, err := c.try(ctx, v, t); ok {
			return out, err
		}
	}
	return convert.To(v, t)
}

// converters are registered, by what they take and what they make.
type converters struct {
	types map[[2]reflect.Type]Converter
	wide  []Converter // that take an interface
}

// newConverters returns nil if there are none.
func newConverters(list []Converter) (*converters, error) {
	if len(list) == 0 {
		return nil, nil
	}
	c := &converters{types: map[[2]reflect.Type]Converter{}}
	var errs []error
	for i, next := range list {
		pair := [2]reflect.Type{next.in, next.out}
		var err error
		switch _, taken := c.types[pair]; {
		case next.in == nil:
			err = errors.New("want one made by route.ConverterOf")
		case next.convert == nil:
			err = fmt.Errorf("nil function from %s to %s", next.in, next.out)
		case next.in.AssignableTo(next.out):
			err = fmt.Errorf("a value of type %s is a %s already", next.in, next.out)
		case taken:
			err = fmt.Errorf("there is another from %s to %s", next.in, next.out)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("route: Config.Converters[%d]: %w", i, err))
			continue
		}
		c.types[pair] = next
		if next.in.Kind() == reflect.Interface {
			c.wide = append(c.wide, next)
		}
	}
	return c, errors.Join(errs...)
}

// try tells whether a converter is registered, and what it makes of v.
func (c *converters) try(ctx context.Context, v any, t reflect.Type) (out any, ok bool, err error) {
	if v == nil {
		return nil, false, nil
	}
	in := reflect.TypeOf(v)
	if in.AssignableTo(t) {
		return v, true, nil
	}
	found, ok := c.types[[2]reflect.Type{in, t}]
	for i := 0; !ok && i < len(c.wide); i++ {
		found = c.wide[i]
		ok = found.out == t && in.Implements(found.in)
	}
	if !ok {
		return nil, false, nil
	}
	if out, err = found.convert(ctx, v); err != nil {
		return nil, true, &convert.Error{From: in, To: t, Err: err}
	}
	return out, true, nil
}
