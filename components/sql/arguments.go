package sql

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/mehari-go/mehari/internal/tagged"
	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/route"
)

// A source is where the values of parameters come from.
type source struct {
	*route.Exchange                // its headers
	scope           language.Scope // of expressions
	body            any            // of names
}

// bind returns the text of the statement and the values of its parameters.
func (s *statement) bind(ctx context.Context, from source) (string, []any, error) {
	if len(s.params) == 0 {
		return s.fixed, nil, nil
	}
	ordered, err := s.inOrder(from.body)
	if err != nil {
		return "", nil, err
	}
	args, lengths := make([]any, 0, len(s.params)), make([]int, len(s.params))
	for i, p := range s.params {
		v, err := p.value(ctx, from, ordered)
		if err != nil {
			return "", nil, err
		}
		if lengths[i] = 1; !p.list {
			args = append(args, v)
			continue
		}
		list, ok := listOf(v)
		if !ok || len(list) == 0 {
			return "", nil, fmt.Errorf("parameter %s: want a list of at least one value, have %T%s", p, v, map[bool]string{true: " without any"}[ok])
		}
		args, lengths[i] = append(args, list...), len(list)
	}
	if s.fixed != "" {
		return s.fixed, args, nil
	}
	return s.text(lengths), args, nil
}

// inOrder returns the values for the parameters that are told by their place.
func (s *statement) inOrder(body any) ([]any, error) {
	if s.ordered == 0 {
		return nil, nil
	}
	list, ok := listOf(body)
	if !ok {
		list = []any{body}
	}
	if len(list) != s.ordered {
		return nil, fmt.Errorf("the statement has %d placeholders, and the body %d values", s.ordered, len(list))
	}
	return list, nil
}

func (p parameter) value(ctx context.Context, from source, ordered []any) (any, error) {
	switch {
	case p.expr != nil:
		v, err := p.expr.Eval(ctx, from.scope)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", p, err)
		}
		return v, nil
	case p.name == "":
		return ordered[p.at], nil
	}
	if v, ok := member(from.body, p.name); ok {
		return v, nil
	}
	for name, v := range from.Headers() {
		if strings.EqualFold(name, p.name) {
			return v, nil
		}
	}
	return nil, fmt.Errorf("parameter %s: there is no %q in the body, which is %T, and no such header", p, p.name, from.body)
}

// seen is an exchange with another body.
type seen struct {
	language.Scope
	body any
}

// Value implements [language.Scope].
func (s seen) Value(kind language.Kind, name string) any {
	if kind == language.Body {
		return s.body
	}
	return s.Scope.Value(kind, name)
}

// member returns what a map, a struct or what points to one has by a name: as it is written, or
// else in other case. The fields of a struct have the names that they have in JSON.
func member(v any, name string) (any, bool) {
	switch m := v.(type) {
	case nil:
		return nil, false
	case map[string]any:
		if x, ok := m[name]; ok {
			return x, true
		}
		for key, x := range m {
			if strings.EqualFold(key, name) {
				return x, true
			}
		}
		return nil, false
	case language.Object:
		return m.Member(name)
	}
	r := reflect.ValueOf(v)
	for r.Kind() == reflect.Pointer && !r.IsNil() {
		r = r.Elem()
	}
	switch {
	case r.Kind() == reflect.Map && r.Type().Key().Kind() == reflect.String:
		if x := r.MapIndex(reflect.ValueOf(name).Convert(r.Type().Key())); x.IsValid() {
			return x.Interface(), true
		}
	case r.Kind() == reflect.Struct:
		var found []int
		for _, f := range tagged.Fields(r.Type(), "json") {
			if f.Name == name || found == nil && strings.EqualFold(f.Name, name) {
				found = f.Index
			}
		}
		if found != nil {
			return r.FieldByIndex(found).Interface(), true
		}
	}
	return nil, false
}

// listOf returns the values of a slice or an array. Bytes are one value.
func listOf(v any) ([]any, bool) {
	if list, ok := v.([]any); ok {
		return list, true
	}
	r := reflect.ValueOf(v)
	if k := r.Kind(); k != reflect.Slice && k != reflect.Array || r.Type().Elem().Kind() == reflect.Uint8 {
		return nil, false
	}
	list := make([]any, r.Len())
	for i := range list {
		list[i] = r.Index(i).Interface()
	}
	return list, true
}
