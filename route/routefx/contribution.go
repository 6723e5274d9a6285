package routefx

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"go.uber.org/fx"

	"github.com/mehari-go/mehari/internal/nearest"
	"github.com/mehari-go/mehari/route"
)

// All stands for every engine, in [For].
const All = "*"

// A Contribution is an option of fx that gives something to an engine: that of [Module],
// unless it stands in [For] or [Named].
type Contribution struct {
	fx.Option
	to func(engine string) fx.Option
}

// For gives contributions to the engine with a name, of [Named], or to [All].
func For(engine string, contributions ...Contribution) fx.Option {
	var options []fx.Option
	for _, c := range contributions {
		options = append(options, c.to(engine))
	}
	return fx.Options(options...)
}

// Routes gives an engine routes. Each of from is a *[route.Route], a slice of them, or a
// constructor of one of both, which may return an error too. Constructors find what they
// need in the container; names and groups are told by a struct with fx.In.
func Routes(from ...any) Contribution {
	return contribute("routes", "", from, reflect.TypeFor[*route.Route](), reflect.TypeFor[[]*route.Route]())
}

// Component gives an engine the component that serves a scheme, or a constructor of it.
// Two for one scheme are an error.
func Component(scheme string, from any) Contribution {
	return contribute("component", scheme, []any{from}, reflect.TypeFor[route.Component]())
}

// Converter gives an engine a [route.Converter], or a constructor of one. Two for the same
// types are an error.
func Converter(from any) Contribution {
	return contribute("converter", "", []any{from}, reflect.TypeFor[route.Converter]())
}

// Policy gives an engine a [route.Policy], which observes all of its routes and exchanges,
// or a constructor of one.
func Policy(from any) Contribution {
	return contribute("policy", "", []any{from}, reflect.TypeFor[route.Policy]())
}

// Registered gives an engine a value or function that expressions know by a name: see
// [route.Config.Registry]. Two with one name are an error. A function is taken for a
// constructor if it has not one of the types that Registry knows.
func Registered(name string, from any) Contribution {
	return contribute("registered", name, []any{from}, reflect.TypeFor[any]())
}

// contribute makes a contribution of values of one of some types, or of constructors.
func contribute(kind, name string, from []any, types ...reflect.Type) Contribution {
	caller := callerOf()
	to := func(engine string) fx.Option {
		var options []fx.Option
		for _, x := range from {
			o := &origin{kind: kind, name: name, engine: engine, place: caller.place, maker: caller.function}
			options = append(options, o.option(x, types))
		}
		return fx.Options(options...)
	}
	return Contribution{to(""), to}
}

// A part is what a contribution has made. They are collected in a value group.
type part struct {
	*origin
	value any
}

// option makes an option of a value or a constructor.
func (o *origin) option(x any, types []reflect.Type) fx.Option {
	return fx.Options(fx.Invoke(o.check), o.provide(x, types, `group:"mehari.parts"`))
}

// provide makes the value known to the container by the id of its origin, and from there
// puts it into a value group of parts. In two steps, because fx then names the constructor and its place where
// a dependency is missing.
func (o *origin) provide(x any, types []reflect.Type, group string) fx.Option {
	constructs, err := constructor(x, types)
	if err != nil {
		return fx.Error(fmt.Errorf("routefx: %s: %w", o, err))
	}
	if constructs {
		o.maker = functionName(x)
	} else {
		value := x
		x = func() any { return value }
	}
	made := reflect.TypeOf(x).Out(0)
	toPart := reflect.MakeFunc(reflect.FuncOf([]reflect.Type{made}, []reflect.Type{reflect.TypeFor[part]()}, false), func(in []reflect.Value) []reflect.Value {
		return []reflect.Value{reflect.ValueOf(part{o, in[0].Interface()})}
	})
	return fx.Provide(
		fx.Annotated{Name: o.id(), Target: x},
		fx.Annotate(toPart.Interface(), fx.ParamTags(fmt.Sprintf("name:%q", o.id())), fx.ResultTags(group)),
	)
}

var (
	anyType   = reflect.TypeFor[any]()
	errorType = reflect.TypeFor[error]()
)

// constructor tells whether x is a constructor of one of some types rather than a value.
func constructor(x any, types []reflect.Type) (bool, error) {
	want := types[0].String()
	if len(types) > 1 {
		want += ", a slice of them"
	}
	want = fmt.Sprintf("want a %s or a constructor of it", want)
	t := reflect.TypeOf(x)
	if t == nil {
		return false, fmt.Errorf("%s, have nil", want)
	}
	made := func(t reflect.Type) bool {
		return slices.ContainsFunc(types, t.AssignableTo)
	}
	switch {
	case t.Kind() != reflect.Func || types[0] != anyType && made(t):
		if !made(t) {
			return false, fmt.Errorf("%s, have a %s", want, t)
		}
		return false, nil
	case types[0] == anyType && isFunction(x):
		return false, nil
	case reflect.ValueOf(x).IsNil():
		return false, fmt.Errorf("%s, have a nil %s", want, t)
	case t.NumOut() == 0 || t.NumOut() > 2 || t.NumOut() == 2 && t.Out(1) != errorType || !made(t.Out(0)) || t.Out(0) == errorType:
		return false, fmt.Errorf("%s, which may return an error too, have a %s", want, t)
	}
	return true, nil
}

// isFunction tells whether x is what expressions can call.
func isFunction(x any) bool {
	switch x.(type) {
	case func(any) (any, error), func(context.Context, any) (any, error):
		return true
	}
	return false
}

// allEngines are those of the application.
type allEngines struct {
	fx.In
	Engines []engineConfig `group:"mehari.engines"`
}

// check reports an engine that is not there.
func (o *origin) check(in allEngines) error {
	var have []string
	for _, e := range in.Engines {
		if o.engine == e.name || o.engine == All {
			return nil
		}
		if e.name != "" {
			have = append(have, e.name)
		}
	}
	switch {
	case len(in.Engines) == 0:
		return fmt.Errorf("routefx: %s: the application has no engine: add routefx.Module", o)
	case o.engine == "":
		return fmt.Errorf("routefx: %s: it is for the engine of routefx.Module, which the application lacks: add that, or give it to another by routefx.For", o)
	}
	return fmt.Errorf("routefx: %s: no engine %q %s", o, o.engine, nearest.Hint(o.engine, have))
}
