package simple

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// members are the members of one type, by all the names that they may be called by.
type members struct {
	of     reflect.Type
	fields map[string][]int
}

// membersOf returns the fields of a struct type. A field is called by the name in its
// json tag, by its own, and by its own without regard to the case of letters.
func membersOf(t reflect.Type) *members {
	m := &members{t, map[string][]int{}}
	for _, name := range []func(reflect.StructField) string{
		func(f reflect.StructField) string { tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); return tag },
		func(f reflect.StructField) string { return f.Name },
		func(f reflect.StructField) string { return strings.ToLower(f.Name) },
	} {
		for _, f := range reflect.VisibleFields(t) {
			if n := name(f); f.IsExported() && n != "" && n != "-" && m.fields[n] == nil {
				m.fields[n] = f.Index
			}
		}
	}
	return m
}

// field returns the field that a name means: also what a getter of that name would give.
func (m *members) field(name string) []int {
	for _, n := range []string{name, getter(name)} {
		if n == "" {
			continue
		}
		for _, n := range []string{n, strings.ToLower(n)} {
			if index := m.fields[n]; index != nil {
				return index
			}
		}
	}
	return nil
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
	if st.kind == member {
		if found, ok, err := callGetter(rv, st.name); ok {
			return found, err
		}
	}
	for rv.Kind() == reflect.Pointer || rv.Kind() == reflect.Interface {
		if rv.IsNil() {
			return nil, nil
		}
		rv = rv.Elem()
	}
	switch rv.Kind() {
	case reflect.Struct:
		if st.kind == element || st.kind == last {
			break
		}
		m := st.found.Load()
		if m == nil || m.of != rv.Type() {
			m = membersOf(rv.Type())
			st.found.Store(m)
		}
		if index := m.field(st.name); index != nil {
			f, err := rv.FieldByIndexErr(index)
			if err != nil {
				return nil, nil // of what is embedded by a pointer that is nil
			}
			return f.Interface(), nil
		}
		return nil, fmt.Errorf("%T has no %s%s", v, st.what(), hint(st.name, memberNames(v, m)))
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
		u, ok := k.Addr().Interface().(encoding.TextUnmarshaler)
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

// callGetter calls the method that a name means: one that takes nothing and returns a value,
// or a value and an error.
func callGetter(rv reflect.Value, name string) (any, bool, error) {
	base := name
	if got := getter(name); got != "" {
		base = got
	}
	for _, n := range []string{name, upper(name), "Get" + upper(base), "Is" + upper(base), upper(base)} {
		m := rv.MethodByName(n)
		if !m.IsValid() || !isGetter(m.Type()) {
			continue
		}
		out := m.Call(nil)
		if len(out) == 2 && !out[1].IsNil() {
			return nil, true, fmt.Errorf("%s: %w", n, out[1].Interface().(error))
		}
		return out[0].Interface(), true, nil
	}
	return nil, false, nil
}

// isGetter tells whether a method of a type can be called by a path.
func isGetter(t reflect.Type) bool {
	return t.NumIn() == 0 && (t.NumOut() == 1 || t.NumOut() == 2 && t.Out(1) == reflect.TypeFor[error]())
}

// memberNames returns how the members of v are called, the most likely name of each.
func memberNames(v any, m *members) []string {
	names := map[string]bool{}
	for _, f := range reflect.VisibleFields(m.of) {
		if !f.IsExported() || f.Anonymous {
			continue
		}
		name := f.Name
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag != "" && tag != "-" {
			name = tag
		}
		names[name] = true
	}
	t := reflect.TypeOf(v)
	for i := range t.NumMethod() {
		if m := t.Method(i); m.IsExported() && m.Type.NumIn() == 1 && m.Type.NumOut() >= 1 {
			names[lower(m.Name)] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}
