// Package jsonpath is JSONPath as [RFC 9535] has it, for the steps of routes:
//
//	route.Filter(jsonpath.Expr("$.items[?@.price > 100]"))
//	route.Split(jsonpath.Expr("$.store.book[*]"), …)
//
// It is compiled when the route is built. It is written here, after the RFC: selectors,
// slices, filters and the functions length, count, match, search and value.
//
// The document, "$", is the body as JSON. Text (a string, []byte, *bytes.Buffer or an
// [io.ReadSeeker], which is wound back) is parsed; a stream that can be read only once
// is an error. Structs and other Go values are what [encoding/json] makes of them, for
// each evaluation anew: where several expressions look at one body, unmarshal it once
// in a step before. A nil body is null. Empty text is an error. JSON may be nested
// 1000 levels deep.
//
// The language has no variables: headers are for the other languages.
//
// The result of a path that can lead to one place only, of names and indexes such as
// $.store.book[0].title, is the value there, or nil if there is none. The result of any
// other is a []any, empty if there is nothing. Members of objects come in the order of
// their names. Integers are an int, or a [encoding/json.Number] where they do not fit;
// other numbers a float64. A result may share memory with the body.
//
// As a condition, a path that can lead to one place only holds if there is true, or
// anything but false and null; any other holds if its list is not empty.
//
// Regular expressions of match and search are those of [regexp], of which those of
// [RFC 9485] are a part, and the dot does not match \r. An evaluation ends with the
// context of the exchange, and with an error after a million results.
//
// [RFC 9535]: https://www.rfc-editor.org/rfc/rfc9535
// [RFC 9485]: https://www.rfc-editor.org/rfc/rfc9485
package jsonpath

import (
	"context"
	"fmt"

	"github.com/mehari-go/mehari/internal/content"
	"github.com/mehari-go/mehari/language"
)

// A Source is an expression as it was written. See [Expr].
type Source struct{ text string }

var (
	_ language.Source    = Source{}
	_ language.Predicate = (*query)(nil)
)

// Expr returns an expression for the steps that take a route.Expr or a route.Cond.
func Expr(text string) Source { return Source{text} }

// String implements [language.Source].
func (s Source) String() string { return fmt.Sprintf("jsonpath %q", s.text) }

// Compile implements [language.Source].
func (s Source) Compile() (language.Expression, error) {
	q, err := parse(s.text)
	if err != nil {
		return nil, err
	}
	return q, nil
}

// Eval implements [language.Expression].
func (q *query) Eval(ctx context.Context, s language.Scope) (any, error) {
	e, err := look(ctx, s)
	switch {
	case err != nil:
		return nil, err
	case !q.singular:
		found := q.nodes(e, nil)
		if found == nil {
			found = []any{}
		}
		return found, e.err
	}
	v := q.one(e, nil)
	if _, none := v.(nothing); none {
		return nil, nil
	}
	return v, nil
}

// Holds implements [language.Predicate].
func (q *query) Holds(ctx context.Context, s language.Scope) (bool, error) {
	e, err := look(ctx, s)
	if err != nil {
		return false, err
	}
	if q.singular {
		switch v := q.one(e, nil).(type) {
		case nil, nothing:
			return false, nil
		case bool:
			return v, nil
		}
		return true, nil
	}
	return len(q.nodes(e, nil)) > 0 && e.err == nil, e.err
}

func look(ctx context.Context, s language.Scope) (*evaluation, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	root, err := content.JSON(s.Value(language.Body, ""), content.Ints)
	if err != nil {
		return nil, err
	}
	return &evaluation{ctx: ctx, root: root}, nil
}
