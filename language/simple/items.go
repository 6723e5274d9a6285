package simple

import (
	"reflect"
	"strings"
)

// textOf returns the text of a value.
func textOf(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	return string(appendValue(nil, v))
}

// itemsOf returns the elements of a list, or the keys of a map.
func itemsOf(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case nil, string, []byte:
		return nil, false
	}
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	switch rv.Kind() {
	case reflect.Slice, reflect.Array:
		if rv.Type().Elem().Kind() == reflect.Uint8 {
			return nil, false
		}
		items := make([]any, rv.Len())
		for i := range items {
			items[i] = rv.Index(i).Interface()
		}
		return items, true
	case reflect.Map:
		items := make([]any, 0, rv.Len())
		for _, key := range rv.MapKeys() {
			items = append(items, key.Interface())
		}
		return items, true
	}
	return nil, false
}

// elements returns what a function over lists goes through: the elements of a list, the
// parts of a text between commas, nothing for nil, and for any other value the value.
func elements(v any) []any {
	if v == nil {
		return nil
	}
	if items, ok := itemsOf(v); ok {
		return items
	}
	if s := scalarOf(v); s.kind == isText {
		if s.text == "" {
			return nil
		}
		if strings.Contains(s.text, ",") {
			parts := strings.Split(s.text, ",")
			items := make([]any, len(parts))
			for i, part := range parts {
				items[i] = part
			}
			return items
		}
		return []any{s.text}
	}
	return []any{v}
}
