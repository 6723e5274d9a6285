package convert

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/mehari-go/mehari/internal/jsonvalue"
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
	return jsonvalue.Marshal(addressed(v), "", false)
}

// isHidden tells whether JSON shows nothing of a struct because it has no exported fields.
func isHidden(t reflect.Type) bool {
	for f := range t.Fields() {
		if f.IsExported() || f.Anonymous {
			return false
		}
	}
	return t.NumField() > 0 && !reflect.PointerTo(t).Implements(jsonEncoder)
}

// unmarshalJSON stores the one value that b is in dst.
func unmarshalJSON(b []byte, dst reflect.Value) error {
	fresh := reflect.New(dst.Type())
	err := jsonvalue.Unmarshal(b, fresh.Interface(), jsonvalue.Options{})
	if err == nil {
		dst.Set(fresh.Elem())
	}
	return err
}
