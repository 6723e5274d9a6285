package simple

import (
	"cmp"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A found is the field of one type that a step names, nil if there is none.
type found struct {
	in    reflect.Type
	field []int
}

// find looks for the field that a name means: one is called by the name in its json tag,
// by its own, by its own without regard to the case of letters, or as its getter would be.
// Methods are not looked for: reflection on them makes the linker keep all methods of all
// types, which made small programs greater by 40 %. See [language.Object].
func find(t reflect.Type, name string) *found {
	f := &found{in: t}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct {
		if f.field = fieldOf(t, name); f.field == nil {
			f.field = fieldOf(t, getter(name))
		}
	}
	return f
}

// fieldOf returns the field of a struct that a name means, or nil.
func fieldOf(t reflect.Type, name string) []int {
	if name == "" {
		return nil
	}
	for _, fits := range []func(reflect.StructField) bool{
		func(f reflect.StructField) bool { return jsonName(f) == name },
		func(f reflect.StructField) bool { return f.Name == name },
		func(f reflect.StructField) bool { return strings.EqualFold(f.Name, name) },
	} {
		for _, f := range reflect.VisibleFields(t) {
			if f.IsExported() && fits(f) {
				return f.Index
			}
		}
	}
	return nil
}

// jsonName returns the name that a field has in JSON by its tag, or "".
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "-" {
		return ""
	}
	return name
}

// getter returns what a getter such as getName or isReady gets, or "".
func getter(name string) string {
	for _, prefix := range []string{"get", "Get", "is", "Is"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			if r, _ := utf8.DecodeRuneInString(rest); unicode.IsUpper(r) {
				return lower(rest)
			}
		}
	}
	return ""
}

func lower(name string) string { return change(name, unicode.ToLower) }
func upper(name string) string { return change(name, unicode.ToUpper) }

// change changes the first letter.
func change(name string, to func(rune) rune) string {
	r, size := utf8.DecodeRuneInString(name)
	return string(to(r)) + name[size:]
}

// reflected is [step.take] for types that are not known.
func (st *step) reflected(v any) (any, error) {
	rv := reflect.ValueOf(v)
	if st.kind == member || st.kind == key {
		f := st.found.Load()
		if f == nil || f.in != rv.Type() {
			f = find(rv.Type(), st.name)
			st.found.Store(f)
		}
		if f.field != nil {
			return fieldValue(rv, f.field)
		}
	}
	for rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return nil, nil
		}
		rv = rv.Elem()
	}
	switch rv.Kind() {
	case reflect.Struct:
		return nil, fmt.Errorf("%T has no %s%s", v, st.what(), hint(st.name, memberNames(rv.Type())))
	case reflect.Map:
		if st.kind == last {
			break
		}
		found, ok, err := lookUp(rv, st.name)
		if err != nil || ok || st.kind != member || !isMeasure(st.name) {
			return found, err
		}
	case reflect.Slice, reflect.Array:
		if st.kind == element || st.kind == last {
			i, err := st.position(rv.Len())
			if err != nil {
				return nil, err
			}
			return rv.Index(i).Interface(), nil
		}
		if st.kind == key {
			return nil, fmt.Errorf("%T has no key %q: want an element such as [0], [last] or [last-1]", v, st.name)
		}
	}
	if n, ok := measure(rv, st); ok {
		return n, nil
	}
	return nil, fmt.Errorf("%T has no %s", v, st.what())
}

// isMeasure tells whether a name is what all lists, maps and texts have.
func isMeasure(name string) bool { return name == "size" || name == "length" || name == "isEmpty" }

// measure returns how much there is in a list, a map or a text.
func measure(rv reflect.Value, st *step) (any, bool) {
	if st.kind != member || !isMeasure(st.name) {
		return nil, false
	}
	switch rv.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map, reflect.String:
	default:
		return nil, false
	}
	if st.name == "isEmpty" {
		return rv.Len() == 0, true
	}
	return rv.Len(), true
}

// lookUp returns what a map has under a key that is written as a text.
func lookUp(rv reflect.Value, name string) (any, bool, error) {
	kind := rv.Type().Key()
	k := reflect.New(kind).Elem()
	var err error
	switch {
	case kind.Kind() == reflect.String:
		k.SetString(name)
	case kind.Kind() == reflect.Interface && kind.NumMethod() == 0:
		k.Set(reflect.ValueOf(name))
		if n, ok := parseNumber(name); ok && n.kind == isInt && !rv.MapIndex(k).IsValid() {
			k.Set(reflect.ValueOf(int(n.int())))
		}
	case k.CanInt():
		var n int64
		if n, err = strconv.ParseInt(name, 10, kind.Bits()); err == nil {
			k.SetInt(n)
		}
	case k.CanUint():
		var n uint64
		if n, err = strconv.ParseUint(name, 10, kind.Bits()); err == nil {
			k.SetUint(n)
		}
	default:
		u, ok := reflect.TypeAssert[encoding.TextUnmarshaler](k.Addr())
		if err = errors.ErrUnsupported; ok {
			err = u.UnmarshalText([]byte(name))
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("%s has no key %q: its keys are of type %s", rv.Type(), name, kind)
	}
	if found := rv.MapIndex(k); found.IsValid() {
		return found.Interface(), true, nil
	}
	return nil, false, nil
}

// fieldValue returns a field of a struct, or of that to which a pointer leads.
func fieldValue(rv reflect.Value, index []int) (any, error) {
	for rv.Kind() == reflect.Pointer {
		if rv.IsNil() {
			return nil, nil
		}
		rv = rv.Elem()
	}
	f, err := rv.FieldByIndexErr(index)
	if err != nil {
		return nil, nil // of what is embedded by a pointer that is nil
	}
	return f.Interface(), nil
}

// memberNames returns how the fields of a struct are called, by the most likely name.
func memberNames(of reflect.Type) []string {
	names := []string{}
	for _, f := range reflect.VisibleFields(of) {
		if f.IsExported() && !f.Anonymous {
			names = append(names, cmp.Or(jsonName(f), f.Name))
		}
	}
	slices.Sort(names)
	return names
}
