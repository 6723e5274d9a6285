// Package xpath is XPath 1.0, https://www.w3.org/TR/xpath-10/, for the steps of routes:
//
//	route.Filter(xpath.Expr("/order[@kind='gold' and total > 100]"))
//	route.Split(xpath.Expr("//item").Nodes(), …)
//
// It is compiled when the route is built, by github.com/antchfx/xpath, which has some
// functions of XPath 2.0 too: matches, replace, ends-with, lower-case, string-join.
// Regular expressions are RE2.
//
// The document is the body: text (a string, []byte, *bytes.Buffer or an [io.ReadSeeker],
// which is wound back) in UTF-8. A stream that can be read only once is an error, as are
// bodies of other types, also nil. Elements may be nested 1000 levels deep. Entities
// that a document declares are not known, so they cannot grow.
//
// There are no variables: the library knows none. Headers are for the other languages.
//
// A name without a prefix means elements without one; with a prefix, those of the
// namespace that [Source.Namespace] gave it, or else those with the same prefix.
//
// The result is a bool, a float64 or a string; of nodes their text: nil for none, a
// string for one and a []any of strings for several. See [Source.Nodes] for a list
// whatever its length.
//
// As a condition, an expression holds as boolean() of XPath does: a node is there, a
// number is neither 0 nor NaN, a string is not empty.
//
// An evaluation ends with the context of the exchange.
package xpath

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"sync"

	"github.com/antchfx/xpath"

	"github.com/mehari-go/mehari/internal/content"
	"github.com/mehari-go/mehari/language"
)

// A Source is an expression as it was written. See [Expr].
type Source struct {
	text       string
	namespaces map[string]string
	nodes      bool
}

var (
	_ language.Source    = Source{}
	_ language.Predicate = (*expression)(nil)
)

// Expr returns an expression for the steps that take a route.Expr or a route.Cond.
func Expr(text string) Source { return Source{text: text} }

// Namespace returns an expression in whose text prefix means the namespace uri.
func (s Source) Namespace(prefix, uri string) Source {
	s.namespaces = maps.Clone(s.namespaces)
	if s.namespaces == nil {
		s.namespaces = map[string]string{}
	}
	s.namespaces[prefix] = uri
	return s
}

// Nodes returns an expression whose result is a []any of all nodes, empty if there are
// none: elements as XML of their own, which declares the namespaces it uses, and other
// nodes as their text. It is an error if the result is not of nodes.
func (s Source) Nodes() Source {
	s.nodes = true
	return s
}

// String implements [language.Source].
func (s Source) String() string { return fmt.Sprintf("xpath %q", s.text) }

// Compile implements [language.Source].
func (s Source) Compile() (language.Expression, error) {
	e := &expression{source: s}
	compiled, err := s.compile()
	if err != nil {
		return nil, err
	}
	e.idle.Put(compiled)
	return e, nil
}

func (s Source) compile() (compiled *xpath.Expr, err error) {
	defer recovered(&err)
	return xpath.CompileWithNS(s.text, s.namespaces)
}

// recovered makes an error of a panic: the library has no other way to tell that a
// function got a value of the wrong type.
func recovered(err *error) {
	switch r := recover().(type) {
	case nil:
	case error:
		*err = r
	default:
		*err = fmt.Errorf("%v", r)
	}
}

// An expression has compiled ones that are idle, since one of them keeps the state of
// an evaluation.
type expression struct {
	source Source
	idle   sync.Pool
}

// evaluate calls use with the result: a bool, a float64, a string or a
// *xpath.NodeIterator.
func (e *expression) evaluate(ctx context.Context, s language.Scope, use func(v any) error) (err error) {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	body := s.Value(language.Body, "")
	text, ok, err := content.Text(body)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("body is %T, want XML as text", body)
	}
	root, err := parse(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("body is not XML: %w", err)
	}
	compiled, ok := e.idle.Get().(*xpath.Expr)
	if !ok {
		if compiled, err = e.source.compile(); err != nil {
			return err
		}
	}
	defer recovered(&err)
	if err := use(compiled.Evaluate(&cursor{at: root, attr: -1, watch: &watch{ctx: ctx}})); err != nil {
		return err
	}
	e.idle.Put(compiled) // not after a panic
	return nil
}

// Eval implements [language.Expression].
func (e *expression) Eval(ctx context.Context, s language.Scope) (any, error) {
	var result any
	err := e.evaluate(ctx, s, func(v any) error {
		nodes, ok := v.(*xpath.NodeIterator)
		switch {
		case ok:
			result = e.collect(nodes)
		case e.source.nodes:
			return fmt.Errorf("want nodes, have a value of type %T", v)
		default:
			result = v
		}
		return nil
	})
	return result, err
}

func (e *expression) collect(nodes *xpath.NodeIterator) any {
	all := []any{}
	for nodes.MoveNext() {
		if c := nodes.Current().(*cursor); e.source.nodes {
			all = append(all, c.markup())
		} else {
			all = append(all, c.Value())
		}
	}
	switch {
	case e.source.nodes:
		return all
	case len(all) == 0:
		return nil
	case len(all) == 1:
		return all[0]
	}
	return all
}

// Holds implements [language.Predicate].
func (e *expression) Holds(ctx context.Context, s language.Scope) (bool, error) {
	holds := false
	err := e.evaluate(ctx, s, func(v any) error {
		switch v := v.(type) {
		case bool:
			holds = v
		case float64:
			holds = v != 0 && v == v
		case string:
			holds = v != ""
		case *xpath.NodeIterator:
			holds = v.MoveNext()
		default:
			return fmt.Errorf("the result is of type %T", v)
		}
		return nil
	})
	return holds && err == nil, err
}
