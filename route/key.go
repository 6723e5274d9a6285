package route

import (
	"context"
	"fmt"
	"reflect"
)

// A Key is a header, a property or a variable with a known type. It is made by [NewKey],
// [NewProperty] or [NewVariable], once for all exchanges.
type Key[T any] struct{ *key }

type key struct {
	name  name
	store store
	text  bool // T is string
	other bool // a variable that exchanges share
}

// A store is where an exchange keeps named values.
type store uint8

const (
	inHeaders store = iota
	inProperties
	inVariables
)

func (s store) String() string { return [...]string{"header", "property", "variable"}[s] }

func (s store) plural() string { return [...]string{"headers", "properties", "variables"}[s] }

// NewKey returns the key of the header called name.
func NewKey[T any](name string) Key[T] { return newKey[T](name, inHeaders) }

// NewProperty returns the key of the property called name.
func NewProperty[T any](name string) Key[T] { return newKey[T](name, inProperties) }

// NewVariable returns the key of the variable called name: see [Exchange.Variable].
func NewVariable[T any](name string) Key[T] { return newKey[T](name, inVariables) }

func newKey[T any](name string, in store) Key[T] {
	_, text := any(new(T)).(*string)
	return Key[T]{&key{named(name), in, text, in == inVariables && shared(name)}}
}

// Name is the name of the header, property or variable.
func (k Key[T]) Name() string { return k.name.text }

func (k *key) itself() *key { return k }

// ownKey returns the key that e is, if that is one of an exchange's own values, or nil.
func ownKey(e Expr) *key {
	if k, ok := e.(interface{ itself() *key }); ok && k.itself() != nil && !k.itself().other {
		return k.itself()
	}
	return nil
}

func (k *key) in(ex *Exchange) *fields {
	return ex.fields(k.store)
}

// Get returns the value and whether it was there with that type.
func (k Key[T]) Get(ex *Exchange) (T, bool) {
	var v T
	if k.other {
		v, ok := ex.Variable(k.name.text).(T)
		return v, ok
	}
	f := k.in(ex).find(&k.name)
	switch {
	case f == nil:
		return v, false
	case f.isText && k.text:
		*any(&v).(*string) = f.text
		return v, true
	default:
		v, ok := f.any().(T)
		return v, ok
	}
}

// Set stores v in ex.
func (k Key[T]) Set(ex *Exchange, v T) {
	switch {
	case k.other:
		ex.SetVariable(k.name.text, v)
	case k.text:
		k.in(ex).setText(&k.name, *any(&v).(*string))
	default:
		k.in(ex).set(&k.name, v)
	}
}

// value returns what is under the key, or nil.
func (k *key) value(ex *Exchange) any {
	if k.other {
		return ex.Variable(k.name.text)
	}
	return k.in(ex).get(k.name)
}

// set stores v under the key.
func (k *key) set(ex *Exchange, v any) {
	if k.other {
		ex.SetVariable(k.name.text, v)
		return
	}
	k.in(ex).set(&k.name, v)
}

// Is holds where the header, property or variable is there and equals want.
func Is[T comparable](k Key[T], want T) Cond { return keyIs[T]{k, want} }

type keyIs[T comparable] struct {
	key  Key[T]
	want T
}

func (i keyIs[T]) String() string {
	if i.key.key == nil {
		return "zero key"
	}
	return fmt.Sprintf("%s %q to be %.60q", i.key.store, i.key.Name(), fmt.Sprint(i.want))
}

func (i keyIs[T]) predicate(b *Builder) Predicate {
	if i.key.key == nil {
		b.Errorf("zero key: want one made by route.NewKey, route.NewProperty or route.NewVariable")
		return never
	}
	if t := i.textIs(); t != nil {
		return t.holds
	}
	return func(_ context.Context, ex *Exchange) (bool, error) {
		v, ok := i.key.Get(ex)
		return ok && v == i.want, nil
	}
}

// quick tells whether values of T compare without a panic, which interfaces may not.
func (i keyIs[T]) quick() bool {
	kind := reflect.TypeFor[T]().Kind()
	return kind <= reflect.Complex128 || kind == reflect.String
}

// textIs is i where it compares a text, the most common kind, or nil.
func (i keyIs[T]) textIs() *textIs {
	if want, ok := any(i.want).(string); ok && i.key.key != nil && !i.key.other {
		return &textIs{i.key.key, want}
	}
	return nil
}

type textIs struct {
	key  *key
	want string
}

// holds is the predicate.
func (t *textIs) holds(_ context.Context, ex *Exchange) (bool, error) { return t.matches(ex), nil }

func (t *textIs) matches(ex *Exchange) bool {
	have, ok := t.key.find(ex)
	return ok && have == t.want
}

// find returns the text under the key.
func (k *key) find(ex *Exchange) (text string, ok bool) {
	f := k.in(ex).find(&k.name)
	if f == nil {
		return "", false
	}
	if f.isText {
		return f.text, true
	}
	text, ok = f.value.(string)
	return text, ok
}

// asTextIs returns what c is if it compares a key with a text, or nil.
func asTextIs(c Cond) *textIs {
	if i, ok := c.(interface{ textIs() *textIs }); ok {
		return i.textIs()
	}
	return nil
}

func typeName[T any]() string { return reflect.TypeFor[T]().String() }
