package route

import (
	"context"
	"fmt"
	"maps"

	"github.com/mehari-go/mehari/language"
)

// scope shows an exchange to the languages of expressions.
type scope Exchange

// Scope shows the exchange to an expression that a component has compiled, such as a
// template of language/simple in one of its options. It belongs to who owns the exchange.
func (ex *Exchange) Scope() language.Scope { return (*scope)(ex) }

// Value implements [language.Scope].
func (s *scope) Value(kind language.Kind, name string) any {
	ex := (*Exchange)(s)
	switch kind {
	case language.Body:
		return ex.Body
	case language.Header:
		return ex.Header(name)
	case language.Headers:
		return maps.Collect(ex.Headers())
	case language.Property:
		return ex.Property(name)
	case language.Properties:
		return maps.Collect(ex.Properties())
	case language.Variable:
		return ex.Variable(name)
	case language.Variables:
		return maps.Collect(ex.Variables())
	case language.ExchangeID:
		return ex.ID()
	case language.RouteID:
		return ex.RouteID()
	case language.FromRouteID:
		return ex.FromRouteID()
	case language.Exception:
		err, _ := Caught.Get(ex)
		if step, ok := err.(*StepError); ok {
			return step.Err // where it was met is for logs
		}
		if err != nil {
			return err
		}
	case language.Placeholder:
		if ex.at != nil {
			if v, err := ex.at.properties.resolve("{{" + name + "}}"); err == nil {
				return v
			}
		}
	case language.Registered:
		if ex.at != nil {
			return ex.at.engine.config.Registry[name]
		}
	}
	return nil
}

// Text implements [language.TextScope] for what may be kept as a text: headers
// and properties.
func (s *scope) Text(kind language.Kind, name string) (string, bool) {
	ex := (*Exchange)(s)
	var fs *fields
	switch kind {
	case language.Header:
		fs = &ex.headers
	case language.Property:
		fs = &ex.properties
	default:
		return "", false
	}
	ex.guard()
	n := named(name)
	if f := fs.find(&n); f != nil && f.isText {
		return f.text, true
	}
	return "", false
}

// Set implements [language.Setter].
func (s *scope) Set(kind language.Kind, name string, value any) error {
	ex := (*Exchange)(s)
	switch {
	case kind == language.Header && value == nil:
		ex.RemoveHeader(name)
	case kind == language.Header:
		if err := checkName(inHeaders, name); err != nil {
			return err
		}
		ex.SetHeader(name, value)
	case kind == language.Variable && value == nil:
		ex.RemoveVariable(name)
	case kind == language.Variable:
		ex.SetVariable(name, value)
	default:
		return fmt.Errorf("a %s cannot be set", kind)
	}
	return nil
}

// compile compiles an expression in some language, or returns nil.
func (b *Builder) compile(source language.Source) language.Expression {
	e, err := source.Compile()
	switch {
	case err != nil:
		b.Errorf("%s: %w", source, err)
		return nil
	case e == nil:
		b.Errorf("%s: %T compiles to nothing", source, source)
	}
	return e
}

// source builds a value of an expression in some language.
func (b *Builder) source(source language.Source) value {
	e := b.compile(source)
	if e == nil {
		return value{eval: noValue}
	}
	return value{eval: func(ctx context.Context, ex *Exchange) (any, error) {
		v, err := e.Eval(ctx, (*scope)(ex))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", source, err)
		}
		return v, nil
	}}
}

// condition builds a predicate of an expression in some language.
func (b *Builder) condition(source language.Source) Predicate {
	e := b.compile(source)
	if e == nil {
		return never
	}
	holds := func(ctx context.Context, s *scope) (bool, error) {
		v, err := e.Eval(ctx, s)
		if err != nil {
			return false, err
		}
		return truth(v)
	}
	if p, ok := e.(language.Predicate); ok {
		holds = func(ctx context.Context, s *scope) (bool, error) { return p.Holds(ctx, s) }
	}
	return func(ctx context.Context, ex *Exchange) (bool, error) {
		ok, err := holds(ctx, (*scope)(ex))
		if err != nil {
			return false, fmt.Errorf("%s: %w", source, err)
		}
		return ok, nil
	}
}

// never is the predicate where there is none.
func never(context.Context, *Exchange) (bool, error) { return false, nil }

// truth takes a bool, or the text of one, as a condition.
func truth(v any) (bool, error) {
	switch v {
	case true, "true":
		return true, nil
	case false, "false":
		return false, nil
	}
	if text, ok := v.(string); ok {
		return false, fmt.Errorf("want true or false, have the text %.60q", text)
	}
	return false, fmt.Errorf("want true or false, have a value of type %T", v)
}
