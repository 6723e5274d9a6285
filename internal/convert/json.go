package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// setComposite stores src in a slice, a map or a struct.
func setComposite(dst, src reflect.Value, depth int) error {
	if isBytes(dst) {
		b, err := bytesOf(src.Interface())
		if err == nil {
			dst.SetBytes(b)
		}
		return err
	}
	if isText(src) {
		b, err := bytesOf(src.Interface())
		if err != nil {
			return err
		}
		return unmarshalJSON(b, dst)
	}
	src = pointed(src)
	if src.Type().AssignableTo(dst.Type()) {
		dst.Set(src)
		return nil
	}
	switch from, to := src.Kind(), dst.Kind(); {
	case (from == reflect.Slice || from == reflect.Array) && to == reflect.Slice:
		return setSlice(dst, src, depth)
	case from == reflect.Map && to == reflect.Map && src.Type().Key().AssignableTo(dst.Type().Key()):
		return setMap(dst, src, depth)
	case from == reflect.Struct && to == reflect.Struct:
		return setBySame(dst, src)
	case from == reflect.Map && to == reflect.Struct, from == reflect.Struct && to == reflect.Map:
		b, err := marshalJSON(src)
		if err != nil {
			return err
		}
		return unmarshalJSON(b, dst)
	}
	return errNoWay
}

func setSlice(dst, src reflect.Value, depth int) error {
	if src.Kind() == reflect.Slice && src.IsNil() {
		dst.SetZero()
		return nil
	}
	all := reflect.MakeSlice(dst.Type(), src.Len(), src.Len())
	for i := range src.Len() {
		v := src.Index(i).Interface()
		if err := set(all.Index(i), v, depth+1); err != nil {
			return nested("element "+strconv.Itoa(i), v, all.Index(i), err)
		}
	}
	dst.Set(all)
	return nil
}

func setMap(dst, src reflect.Value, depth int) error {
	if src.IsNil() {
		dst.SetZero()
		return nil
	}
	all := reflect.MakeMapWithSize(dst.Type(), src.Len())
	for k, v := range src.Seq2() {
		value := reflect.New(dst.Type().Elem()).Elem()
		if err := set(value, v.Interface(), depth+1); err != nil {
			return nested(fmt.Sprintf("key %.40q", fmt.Sprint(k)), v.Interface(), value, err)
		}
		all.SetMapIndex(k, value)
	}
	dst.Set(all)
	return nil
}

// nested adds where inside of a value the error is.
func nested(where string, v any, dst reflect.Value, err error) error {
	if err == errDeep {
		return err
	}
	if _, ok := errors.AsType[*Error](err); !ok {
		err = failed(v, dst.Type(), err)
	}
	return fmt.Errorf("%s: %w", where, err)
}

// marshalJSON refuses what encoding/json would replace or leave out without a word.
func marshalJSON(v reflect.Value) ([]byte, error) {
	if v.Kind() == reflect.Struct && isHidden(v.Type()) {
		return nil, errHidden
	}
	b, err := json.Marshal(addressed(v))
	if err == nil && hasReplaced(b) {
		err = errUTF8
	}
	return b, err
}

// isHidden tells whether JSON shows nothing of a struct because it has no exported fields.
func isHidden(t reflect.Type) bool {
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() || f.Anonymous {
			return false
		}
	}
	return t.NumField() > 0 && !reflect.PointerTo(t).Implements(jsonEncoder)
}

// hasReplaced tells whether encoding/json has written \ufffd in the place of a byte that
// is not UTF-8: the character itself it writes as it is.
func hasReplaced(b []byte) bool {
	for {
		i := bytes.Index(b, []byte(`\ufffd`))
		if i < 0 {
			return false
		}
		before := bytes.TrimRight(b[:i], `\`)
		if (i-len(before))%2 == 0 {
			return true
		}
		b = b[i+1:]
	}
}

// unmarshalJSON stores the one value that b is in dst.
func unmarshalJSON(b []byte, dst reflect.Value) error {
	if !utf8.Valid(b) {
		return errUTF8
	}
	fresh := reflect.New(dst.Type())
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	err := d.Decode(fresh.Interface())
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("there is more than one JSON value")
		}
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errors.New("unexpected end of JSON")
	}
	if err != nil {
		return err
	}
	plain(fresh.Elem())
	dst.Set(fresh.Elem())
	return nil
}

// plain replaces each json.Number in an interface by a number of Go that is the same.
func plain(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			return
		}
		switch x := v.Interface().(type) {
		case json.Number:
			v.Set(reflect.ValueOf(plainNumber(x)))
		case map[string]any:
			for k, e := range x {
				x[k] = plainValue(e)
			}
		case []any:
			for i, e := range x {
				x[i] = plainValue(e)
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			plain(v.Elem())
		}
	case reflect.Struct:
		for f, field := range v.Fields() {
			if f.IsExported() {
				plain(field)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			plain(v.Index(i))
		}
	case reflect.Map:
		for k, e := range v.Seq2() {
			fresh := reflect.New(e.Type()).Elem()
			fresh.Set(e)
			plain(fresh)
			v.SetMapIndex(k, fresh)
		}
	}
}

func plainValue(v any) any {
	plain(reflect.ValueOf(&v).Elem())
	return v
}

func plainNumber(n json.Number) any {
	if f, err := n.Float64(); err == nil {
		if strings.ContainsAny(n.String(), ".eE") {
			return f
		}
		var exact float64
		if i, err := n.Int64(); err == nil && setInt(reflect.ValueOf(&exact).Elem(), i) == nil {
			return exact
		}
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	if u, err := strconv.ParseUint(n.String(), 10, 64); err == nil {
		return u
	}
	return n
}
