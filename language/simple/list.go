package simple

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
)

// The functions over lists and maps. None changes what it is given: each makes a new one.

func listFunctions() []entry {
	return []entry{
		{"collate", function(signature{usage: "(size) or (value, size)", least: 1, most: 2, body: first}, collate)},
		{"createEmpty", function(signature{usage: "(kind)", least: 1, most: 1, check: checkEmpty}, createEmpty)},
		{"distinct", function(anyArguments, distinct)},
		{"empty", function(signature{usage: "(kind)", least: 1, most: 1, check: checkEmpty}, createEmpty)},
		{"filter", function(signature{usage: "(value, condition)", least: 2, most: 2, holds: 2}, filter)},
		{"forEach", function(signature{usage: "(value, function)", least: 2, most: 2}, forEach)},
		{"join", function(signature{usage: "(separator), (separator, prefix) or (separator, prefix, value)", most: 3}, joinItems)},
		{"list", function(anyArguments, list)},
		{"listAdd", function(signature{usage: "(element) or (list, element)", least: 1, most: 2, body: first}, listAdd)},
		{"listRemove", function(signature{usage: "(element) or (list, element)", least: 1, most: 2, body: first}, listRemove)},
		{"map", function(signature{usage: "(key, value, …)", most: many, check: checkPairs}, makeMap)},
		{"mapAdd", function(signature{usage: "(key, value) or (map, key, value)", least: 2, most: 3, body: first}, mapAdd)},
		{"mapRemove", function(signature{usage: "(key) or (map, key)", least: 1, most: 2, body: first}, mapRemove)},
		{"newEmpty", function(signature{usage: "(kind)", least: 1, most: 1, check: checkEmpty}, createEmpty)},
		{"reverse", function(anyArguments, changed(slices.Reverse[[]any]))},
		{"shuffle", function(anyArguments, changed(func(items []any) {
			rand.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
		}))},
		{"size", function(bodyOrOne, sizeOf)},
		{"skip", function(signature{usage: "(number) or (value, number)", least: 1, most: 2, body: first}, skip)},
		{"sort", function(signature{usage: "(), (reverse), (value) or (value, reverse)", most: 2}, sorted)},
		{"split", function(signature{usage: "(), (separator) or (value, separator)", most: 2}, split)},
	}
}

// bodyNode is the body as an argument.
var bodyNode node = &value{}

func list(ctx ctx, s scope, args []node) (any, error) {
	items := make([]any, len(args))
	for i, arg := range args {
		v, err := arg.eval(ctx, s)
		if err != nil {
			return nil, err
		}
		items[i] = v
	}
	return items, nil
}

// itemsArg returns the elements of an argument in a list of its own.
func itemsArg(ctx ctx, s scope, n node) ([]any, error) {
	v, err := n.eval(ctx, s)
	return slices.Clone(elements(v)), err
}

// changed makes a function of one that changes a list in place.
func changed(change func([]any)) run {
	return func(ctx ctx, s scope, args []node) (any, error) {
		items, err := all(ctx, s, args)
		if err != nil {
			return nil, err
		}
		items = slices.Clone(items)
		change(items)
		return items, nil
	}
}

func distinct(ctx ctx, s scope, args []node) (any, error) {
	items, err := all(ctx, s, args)
	if err != nil {
		return nil, err
	}
	known := map[any]bool{}
	different := make([]any, 0, len(items))
	for _, item := range items {
		id := item
		if v := reflect.ValueOf(item); item != nil && !v.Comparable() {
			id = fmt.Sprintf("%T %#v", item, item)
		}
		if !known[id] {
			known[id] = true
			different = append(different, item)
		}
	}
	return different, nil
}

func filter(ctx ctx, s scope, args []node) (any, error) {
	items, err := itemsArg(ctx, s, args[0])
	if err != nil {
		return nil, err
	}
	kept := make([]any, 0, len(items))
	for _, item := range items {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		ok, err := holds(ctx, args[1], each(s, item))
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, item)
		}
	}
	return kept, nil
}

func forEach(ctx ctx, s scope, args []node) (any, error) {
	items, err := itemsArg(ctx, s, args[0])
	if err != nil {
		return nil, err
	}
	made := make([]any, 0, len(items))
	for _, item := range items {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		v, err := args[1].eval(ctx, each(s, item))
		if err != nil {
			return nil, err
		}
		if v != nil {
			made = append(made, v)
		}
	}
	return made, nil
}

func joinItems(ctx ctx, s scope, args []node) (any, error) {
	separator, prefix, value := ",", "", bodyNode
	var err error
	if len(args) > 0 {
		if separator, _, err = textArg(ctx, s, args[0]); err != nil {
			return nil, err
		}
	}
	if len(args) > 1 {
		if prefix, _, err = textArg(ctx, s, args[1]); err != nil {
			return nil, err
		}
	}
	if len(args) > 2 {
		value = args[2]
	}
	items, err := itemsArg(ctx, s, value)
	if err != nil {
		return nil, err
	}
	var text []byte
	for i, item := range items {
		if i > 0 {
			text = append(text, separator...)
		}
		if text = appendValue(append(text, prefix...), item); len(text) > maxText {
			return nil, errTooLong
		}
	}
	return string(text), nil
}

func split(ctx ctx, s scope, args []node) (any, error) {
	value, separator := bodyNode, ","
	var err error
	if len(args) == 2 {
		value = args[0]
	}
	if len(args) > 0 {
		if separator, _, err = textArg(ctx, s, args[len(args)-1]); err != nil {
			return nil, err
		}
	}
	text, ok, err := textArg(ctx, s, value)
	if err != nil || !ok {
		return nil, err
	}
	parts := strings.Split(text, separator)
	for len(parts) > 1 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1] // as in Java
	}
	return parts, nil
}

// sorted orders elements as the operators do.
func sorted(ctx ctx, s scope, args []node) (any, error) {
	value, reverse := bodyNode, false
	for i, arg := range args {
		c, ok := constantOf(arg)
		b, isBool := scalarOf(c).bool()
		if ok && isBool && i == len(args)-1 {
			reverse = b
			continue
		}
		value = arg
	}
	items, err := itemsArg(ctx, s, value)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(items, func(a, b any) int {
		x, y := scalarOf(a), scalarOf(b)
		if x.kind == isNil || y.kind == isNil {
			return int(min(x.kind, 1)) - int(min(y.kind, 1)) // nil comes first
		}
		c, errCompare := compare(x, y)
		if errCompare != nil {
			err = errCompare
		}
		if c == unordered {
			c = 0
		}
		if reverse {
			return -c
		}
		return c
	})
	if err != nil {
		return nil, err
	}
	return items, nil
}

func collate(ctx ctx, s scope, args []node) (any, error) {
	items, err := itemsArg(ctx, s, args[0])
	if err != nil {
		return nil, err
	}
	n, err := intArg(ctx, s, args[1])
	if err != nil {
		return nil, err
	}
	if n < 1 {
		return nil, fmt.Errorf("want a size of at least 1, have %d", n)
	}
	groups := make([]any, 0, (len(items)+n-1)/n)
	for group := range slices.Chunk(items, n) {
		groups = append(groups, group)
	}
	return groups, nil
}

func skip(ctx ctx, s scope, args []node) (any, error) {
	items, err := itemsArg(ctx, s, args[0])
	if err != nil {
		return nil, err
	}
	n, err := intArg(ctx, s, args[1])
	return items[min(max(n, 0), len(items)):], err
}

func sizeOf(ctx ctx, s scope, args []node) (any, error) {
	v, err := args[0].eval(ctx, s)
	if err != nil || isNothing(v) {
		return 0, err
	}
	rv := reflect.ValueOf(v)
	switch rv.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return rv.Len(), nil
	}
	return 1, nil
}

func listAdd(ctx ctx, s scope, args []node) (any, error) {
	items, err := itemsArg(ctx, s, args[0])
	if err != nil {
		return nil, err
	}
	v, err := args[1].eval(ctx, s)
	if err == nil && v != nil {
		items = append(items, v)
	}
	return items, err
}

// listRemove removes the element at a place, the last one, or one that is equal.
func listRemove(ctx ctx, s scope, args []node) (any, error) {
	items, err := itemsArg(ctx, s, args[0])
	if err != nil {
		return nil, err
	}
	v, err := args[1].eval(ctx, s)
	if err != nil {
		return nil, err
	}
	want := scalarOf(v)
	var i int
	switch {
	case want.kind == isInt:
		i = int(min(max(want.int(), -1), int64(len(items))))
	case want.kind == isText && want.text == "last":
		i = len(items) - 1
	default:
		i = slices.IndexFunc(items, func(item any) bool { return equal(scalarOf(item), want, false) })
	}
	if i >= 0 && i < len(items) {
		items = slices.Delete(items, i, i+1)
	}
	return items, nil
}

func checkPairs(p *parser, at int, args []node) error {
	if len(args)%2 != 0 {
		return p.errorf(at, "want a value for each key, there are %d arguments", len(args))
	}
	return nil
}

func makeMap(ctx ctx, s scope, args []node) (any, error) {
	m := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		if err := put(ctx, s, m, args[i], args[i+1]); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func put(ctx ctx, s scope, m map[string]any, key, value node) error {
	k, _, err := textArg(ctx, s, key)
	if err != nil {
		return err
	}
	m[k], err = value.eval(ctx, s)
	return err
}

// mapArg returns a copy of a map with texts as keys.
func mapArg(ctx ctx, s scope, n node) (map[string]any, error) {
	v, err := n.eval(ctx, s)
	if err != nil {
		return nil, err
	}
	if m, ok := v.(map[string]any); ok && m != nil {
		return maps.Clone(m), nil
	}
	rv := reflect.ValueOf(v)
	if v == nil || rv.Kind() != reflect.Map || rv.Type().Key().Kind() != reflect.String {
		return nil, fmt.Errorf("want a map whose keys are texts, have %s", about(v))
	}
	m := make(map[string]any, rv.Len()+1)
	for iter := rv.MapRange(); iter.Next(); {
		m[iter.Key().String()] = iter.Value().Interface()
	}
	return m, nil
}

func mapAdd(ctx ctx, s scope, args []node) (any, error) {
	m, err := mapArg(ctx, s, args[0])
	if err != nil {
		return nil, err
	}
	return m, put(ctx, s, m, args[1], args[2])
}

func mapRemove(ctx ctx, s scope, args []node) (any, error) {
	m, err := mapArg(ctx, s, args[0])
	if err != nil {
		return nil, err
	}
	key, _, err := textArg(ctx, s, args[1])
	delete(m, key)
	return m, err
}

var empties = []string{"list", "map", "set", "string"}

func checkEmpty(p *parser, at int, args []node) error {
	kind, ok := args[0].(literal)
	if !ok || !slices.Contains(empties, string(kind)) {
		return p.errorf(at, "unknown kind %q%s", string(kind), hint(string(kind), empties))
	}
	return nil
}

func createEmpty(_ ctx, _ scope, args []node) (any, error) {
	switch args[0].(literal) {
	case "map":
		return map[string]any{}, nil
	case "string":
		return "", nil
	case "list", "set":
		return []any{}, nil
	}
	return nil, errors.New("unknown kind")
}
