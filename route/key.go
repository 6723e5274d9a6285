package route

import (
	"context"
	"reflect"
)

// A Key is a header or a property with a known type.
type Key[T any] struct {
	name     string
	property bool
}

// NewKey returns the key of the header called name.
func NewKey[T any](name string) Key[T] { return Key[T]{name: name} }

// NewProperty returns the key of the property called name.
func NewProperty[T any](name string) Key[T] { return Key[T]{name: name, property: true} }

// Name is the name of the header or property.
func (k Key[T]) Name() string { return k.name }

func (k Key[T]) in(ex *Exchange) *fields {
	ex.guard()
	if k.property {
		return &ex.properties
	}
	return &ex.headers
}

// Get returns the value and whether it was there with that type.
func (k Key[T]) Get(ex *Exchange) (T, bool) {
	var v T
	f := k.in(ex).find(k.name)
	if f == nil {
		return v, false
	}
	if f.value == (isText{}) {
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
		k.in(ex).setText(k.name, *s)
		return
	}
	k.in(ex).set(k.name, v)
}

// Is returns a predicate that holds where the header or property equals want.
func Is[T comparable](k Key[T], want T) Predicate {
	return func(_ context.Context, ex *Exchange) (bool, error) {
		v, ok := k.Get(ex)
		return ok && v == want, nil
	}
}

func typeName[T any]() string { return reflect.TypeFor[T]().String() }
