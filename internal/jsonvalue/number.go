package jsonvalue

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// plain replaces each json.Number in what p points to that stands in an any by a number of
// Go that is the same.
func plain(p any) { walk(reflect.ValueOf(p).Elem()) }

func walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			if x := number(v.Interface()); x != nil {
				v.Set(reflect.ValueOf(x))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem())
		}
	case reflect.Struct:
		for f, field := range v.Fields() {
			if f.IsExported() {
				walk(field)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			walk(v.Index(i))
		}
	case reflect.Map:
		for k, e := range v.Seq2() {
			fresh := reflect.New(e.Type()).Elem()
			fresh.Set(e)
			walk(fresh)
			v.SetMapIndex(k, fresh)
		}
	}
}

// number returns what an any holds with its numbers replaced, nil where nothing changes.
func number(v any) any {
	switch v := v.(type) {
	case json.Number:
		return numberOf(v)
	case map[string]any:
		for k, e := range v {
			if x := number(e); x != nil {
				v[k] = x
			}
		}
	case []any:
		for i, e := range v {
			if x := number(e); x != nil {
				v[i] = x
			}
		}
	}
	return nil
}

// numberOf returns n as a float64 if it has a fraction or that is the same.
func numberOf(n json.Number) any {
	s := n.String()
	f, err := n.Float64()
	if err == nil && strings.ContainsAny(s, ".eE") {
		return f
	}
	if i, err := n.Int64(); err == nil {
		if f < 1<<63 && int64(f) == i {
			return f
		}
		return i
	}
	if u, err := strconv.ParseUint(s, 10, 64); err == nil {
		if f < 1<<64 && uint64(f) == u {
			return f
		}
		return u
	}
	return n
}
