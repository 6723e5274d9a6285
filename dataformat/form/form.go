// Package form is the data format of HTML forms: application/x-www-form-urlencoded, as in
// "item=tea&size=2". Every name may have more than one value.
//
// It takes and gives [url.Values] or another map[string][]string, a map[string]string, a
// map with other values, and a struct with form tags. A *any is given url.Values. Values
// are text and become the type of their field if nothing is lost by that; a slice takes
// all values of a name. Names for which a struct has no field are passed over.
package form

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"unicode/utf8"

	"github.com/mehari-go/mehari/internal/convert"
	"github.com/mehari-go/mehari/internal/octets"
	"github.com/mehari-go/mehari/internal/tagged"
)

// Format is the data format.
type Format struct {
	// MaxSize is how many bytes are read; 0 means 10 MB, as in net/http, -1 no limit.
	MaxSize int64
}

// String returns "form".
func (Format) String() string { return "form" }

var errUTF8 = errors.New("it is not valid UTF-8")

// Marshal writes v, sorted by name. A nil has no value.
func (f Format) Marshal(w io.Writer, v any) error {
	values, err := valuesOf(v)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, values.Encode())
	return err
}

func valuesOf(v any) (url.Values, error) {
	if values, ok := v.(url.Values); ok {
		return values, nil
	}
	values := url.Values{}
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	switch {
	case rv.Kind() == reflect.Struct:
		for _, f := range tagged.Fields(rv.Type(), "form") {
			if err := add(values, f.Name, rv.FieldByIndex(f.Index)); err != nil {
				return nil, err
			}
		}
	case rv.Kind() == reflect.Map && rv.Type().Key().Kind() == reflect.String:
		for k, v := range rv.Seq2() {
			if err := add(values, k.String(), v); err != nil {
				return nil, err
			}
		}
	default:
		return nil, fmt.Errorf("want url.Values, another map or a struct, have %T", v)
	}
	return values, nil
}

// add adds the values that a field has.
func add(values url.Values, name string, v reflect.Value) error {
	for v.Kind() == reflect.Interface || v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return nil
		}
		if v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct {
			break // it may have a method for its text
		}
		v = v.Elem()
	}
	if isList(v.Type()) {
		for i := range v.Len() {
			if err := add(values, name, v.Index(i)); err != nil {
				return err
			}
		}
		return nil
	}
	text, err := convert.As[string](v.Interface())
	if err == nil && !utf8.ValidString(text) {
		err = errUTF8
	}
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	values.Add(name, text)
	return nil
}

// isList tells whether a type takes several values.
func isList(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() != reflect.Uint8
}

// Unmarshal reads a form.
func (f Format) Unmarshal(r io.Reader, into any) error {
	if f.MaxSize == 0 {
		f.MaxSize = 10 << 20
	}
	b, err := octets.ReadFor(into, r, f.MaxSize)
	if err != nil {
		return err
	}
	values, err := url.ParseQuery(string(b))
	if err != nil {
		return err
	}
	for name, list := range values {
		for _, value := range append(list, name) {
			if !utf8.ValidString(value) {
				return fmt.Errorf("%q: %w", name, errUTF8)
			}
		}
	}
	return store(reflect.ValueOf(into).Elem(), values)
}

func store(to reflect.Value, values url.Values) error {
	t := to.Type()
	switch {
	case reflect.TypeFor[url.Values]().AssignableTo(t):
		to.Set(reflect.ValueOf(values))
		return nil
	case t.Kind() == reflect.Pointer:
		p := reflect.New(t.Elem())
		if err := store(p.Elem(), values); err != nil {
			return err
		}
		to.Set(p)
		return nil
	case t.Kind() == reflect.Struct:
		for _, f := range tagged.Fields(t, "form") {
			if err := set(to.FieldByIndex(f.Index), f.Name, values[f.Name]); err != nil {
				return err
			}
		}
		return nil
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		all := reflect.MakeMapWithSize(t, len(values))
		for name, list := range values {
			v := reflect.New(t.Elem()).Elem()
			if err := set(v, name, list); err != nil {
				return err
			}
			all.SetMapIndex(reflect.ValueOf(name).Convert(t.Key()), v)
		}
		to.Set(all)
		return nil
	}
	return fmt.Errorf("want a pointer to url.Values, to another map, to a struct or to an any, have *%s", t)
}

// set stores the values that a name has.
func set(to reflect.Value, name string, list []string) error {
	t := to.Type()
	switch {
	case len(list) == 0:
		return nil
	case t.Kind() == reflect.Interface && len(list) > 1 && reflect.TypeOf(list).Implements(t):
		to.Set(reflect.ValueOf(list))
		return nil
	case isList(t):
		v, err := convert.To(list, t)
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		to.Set(reflect.ValueOf(v))
		return nil
	case len(list) > 1:
		return fmt.Errorf("%q: there are %d values, want one", name, len(list))
	}
	v, err := convert.To(list[0], t)
	if err != nil {
		return fmt.Errorf("%q: %w", name, err)
	}
	to.Set(reflect.ValueOf(v))
	return nil
}
