package route

import (
	"context"
	"reflect"
)

// A Key is a header or a property with a known type.
type Key[T any] struct {
	name     name
	property bool
}

// NewKey returns the key of the header called name.
func NewKey[T any](name string) Key[T] { return Key[T]{name: named(name)} }

// NewProperty returns the key of the property called name.
func NewProperty[T any](name string) Key[T] { return Key[T]{name: named(name), property: true} }

// Name is the name of the header or property.
func (k Key[T]) Name() string { return k.name.text }

func (k *Key[T]) in(ex *Exchange) *fields {
	ex.guard()
	if k.property {
		return &ex.properties
	}
	return &ex.headers
}

// Get returns the value and whether it was there with that type.
func (k Key[T]) Get(ex *Exchange) (T, bool) {
	var v T
	f := k.in(ex).find(&k.name)
	if f == nil {
		return v, false
	}
	if f.isText {
		if s, ok := any(&v).(*string); ok {
			*s = f.text
			return v, true
		}
		v, ok := any(f.text).(T)
		return v, ok
	}
	v, ok := f.value.(T)
	return v, ok
}

// Set stores v in ex.
func (k Key[T]) Set(ex *Exchange, v T) {
	if s, ok := any(&v).(*string); ok {
		k.in(ex).setText(&k.name, *s)
		return
	}
	k.in(ex).set(&k.name, v)
}

// Is holds where the header or property is there and equals want.
func Is[T comparable](k Key[T], want T) Cond { return keyIs[T]{k, want} }

type keyIs[T comparable] struct {
	key  Key[T]
	want T
}

func (i keyIs[T]) predicate() Predicate {
	if want, ok := any(i.want).(string); ok { // the most common kind
		return func(_ context.Context, ex *Exchange) (bool, error) {
			f := i.key.in(ex).find(&i.key.name)
			return f != nil && (f.isText && f.text == want || !f.isText && f.value == any(want)), nil
		}
	}
	return func(_ context.Context, ex *Exchange) (bool, error) {
		v, ok := i.key.Get(ex)
		return ok && v == i.want, nil
	}
}

func typeName[T any]() string { return reflect.TypeFor[T]().String() }
