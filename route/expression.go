package route

import (
	"context"
	"reflect"
	"strings"

	"github.com/mehari-go/mehari/language"
)

// An Expression computes a value from an exchange. An error is the exchange's.
type Expression func(ctx context.Context, ex *Exchange) (any, error)

// A Predicate tells whether something holds for an exchange. An error is the exchange's.
type Predicate func(ctx context.Context, ex *Exchange) (bool, error)

// An Expr is what a step takes where a value is wanted. These are evaluated for each
// exchange:
//
//   - an [Expression], such as one made by [Func]
//   - a func(context.Context, *Exchange) (any, error), func(*Exchange) (any, error) or
//     func(*Exchange) any
//   - text in the simple language: [Simple]
//   - text in another one: any [language.Source], such as those of the packages under
//     language
//   - a [Key]: the value of that header or property
//
// Any other value stands for itself, such as "routed" or 42. Text that looks like the
// simple language, and functions of other kinds, are refused when the route is built.
type Expr any

// A Cond is what a step takes where a condition is wanted: a [Predicate], such as one
// made by [Where] or [Is], a func(context.Context, *Exchange) (bool, error),
// func(*Exchange) (bool, error) or func(*Exchange) bool, text in the simple language
// ([Simple]) or in another one (any [language.Source]), or a bool. The value of a text
// must be a bool, or the text true or false, unless its language has rules of its own
// (a [language.Predicate]).
type Cond any

// Func makes an expression of a typed function of the body.
func Func[In, Out any](f func(context.Context, In) (Out, error)) Expression {
	if f == nil {
		return nil
	}
	return func(ctx context.Context, ex *Exchange) (any, error) {
		in, err := BodyAs[In](ex)
		if err != nil {
			return nil, err
		}
		return f(ctx, in)
	}
}

// Where makes a predicate of a test on the body. It does not hold for a body of
// another type.
func Where[T any](test func(T) bool) Predicate {
	if test == nil {
		return nil
	}
	return func(_ context.Context, ex *Exchange) (bool, error) {
		v, ok := ex.Body.(T)
		return ok && test(v), nil
	}
}

// Constant is an expression whose value is v, also where v is text that looks like the
// simple language or is a function.
func Constant(v any) Expr { return constant{v} }

type constant struct{ value any }

// An expression of a kind of its own builds itself.
type expr interface {
	expression(b *Builder) value
}

// A value is a built Expr: an expression, or a constant where eval is nil.
type value struct {
	eval     Expression
	constant any
}

func (v value) get(ctx context.Context, ex *Exchange) (any, error) {
	if v.eval == nil {
		return v.constant, nil
	}
	return v.eval(ctx, ex)
}

func (c constant) expression(*Builder) value { return value{constant: c.value} }

func (k Key[T]) expression(b *Builder) value {
	if k.key == nil {
		return b.unfit("zero key: want one made by route.NewKey, route.NewProperty or route.NewVariable")
	}
	return value{eval: func(_ context.Context, ex *Exchange) (any, error) { return k.value(ex), nil }}
}

// Expression builds e, for steps that take an [Expr].
func (b *Builder) Expression(e Expr) Expression { return b.value(e).get }

func (b *Builder) value(e Expr) value {
	switch e := e.(type) {
	case expr:
		return e.expression(b)
	case language.Source:
		return b.source(e)
	case Expression:
		return b.function(e, e == nil)
	case func(context.Context, *Exchange) (any, error):
		return b.function(e, e == nil)
	case func(*Exchange) (any, error):
		return b.function(func(_ context.Context, ex *Exchange) (any, error) { return e(ex) }, e == nil)
	case func(*Exchange) any:
		return b.function(func(_ context.Context, ex *Exchange) (any, error) { return e(ex), nil }, e == nil)
	case string:
		if strings.Contains(e, "${") || strings.Contains(e, "{{") {
			return b.unfit("the text %s would not be evaluated: use route.Simple, or route.Constant to have it as it is", text(e))
		}
	case cond, *Block, *Case, *Route, Handler, Step:
		return b.unfit("want a value or an expression, have %T", e)
	}
	if t := reflect.TypeOf(e); t != nil && t.Kind() == reflect.Func {
		return b.unfit("want a func(context.Context, *route.Exchange) (any, error) or one of route.Expr's other kinds, have %T", e)
	}
	return value{constant: e}
}

func (b *Builder) function(e Expression, isNil bool) value {
	if isNil {
		return b.unfit("nil function")
	}
	return value{eval: e}
}

// unfit is [Builder.Errorf] for where a value goes on.
func (b *Builder) unfit(format string, args ...any) value {
	b.Errorf(format, args...)
	return value{eval: noValue}
}

func noValue(context.Context, *Exchange) (any, error) { return nil, nil }

// A condition of a kind of its own builds itself.
type cond interface{ predicate(b *Builder) Predicate }

// Predicate builds c, for steps that take a [Cond].
func (b *Builder) Predicate(c Cond) Predicate {
	isNil, p := false, Predicate(nil)
	switch c := c.(type) {
	case cond:
		p = c.predicate(b)
	case language.Source:
		p = b.condition(c)
	case Predicate:
		isNil, p = c == nil, c
	case func(context.Context, *Exchange) (bool, error):
		isNil, p = c == nil, c
	case func(*Exchange) (bool, error):
		isNil, p = c == nil, func(_ context.Context, ex *Exchange) (bool, error) { return c(ex) }
	case func(*Exchange) bool:
		isNil, p = c == nil, func(_ context.Context, ex *Exchange) (bool, error) { return c(ex), nil }
	case bool:
		p = func(context.Context, *Exchange) (bool, error) { return c, nil }
	default:
		b.Errorf("want a route.Predicate or one of route.Cond's other kinds, have %T", c)
	}
	if isNil {
		b.Errorf("nil function")
	}
	return p
}

// isQuick tells whether c runs no code that is not ours, and cannot panic.
func isQuick(c Cond) bool { q, ok := c.(quick); return ok && q.quick() }
