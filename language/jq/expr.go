// Package jq is the language of jq, https://jqlang.org, for the steps of routes:
//
//	route.Filter(jq.Expr(`.amount > 100 and $headers.kind == "gold"`))
//
// It is compiled when the route is built, by github.com/itchyny/gojq.
//
// The input, ".", is the body as JSON. Text (a string, []byte, *bytes.Buffer or an
// [io.ReadSeeker], which is wound back) is parsed; a stream that can be read only once
// is an error. Structs and other Go values are what [encoding/json] makes of them, for
// each evaluation anew: where several expressions look at one body, unmarshal it once
// in a step before. A nil body is null. Empty text is an error. JSON may be nested
// 1000 levels deep.
//
// The variables cost nothing where an expression does not name them:
//
//	$headers      the headers, an object; names are as they were set
//	$properties   the properties of the exchange
//	$variables    the variables of the exchange
//	$exception    the message of the error that the exchange met, or null
//	$exchangeId   the id of the exchange
//	$routeId      the id of the route
//
// Headers, properties and variables that have no form in JSON are not there; of type
// []byte they are text.
//
// No result is nil, one is itself, and several are a []any: write [.items[]] for what is
// to be a list whatever its length. Integers are an int, or a [encoding/json.Number]
// where they do not fit, or a [*math/big.Int] where they were computed; other numbers a
// float64. A result may share memory with the body.
//
// As a condition, an expression holds if a result is neither false nor null, as in jq's
// select, so 0 and "" hold too.
//
// An expression cannot see the environment ($ENV is empty), files, modules or further
// inputs. It ends with the context of the exchange, and with an error after a
// hundred thousand results.
package jq

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/itchyny/gojq"

	"github.com/mehari-go/mehari/internal/content"
	"github.com/mehari-go/mehari/internal/place"
	"github.com/mehari-go/mehari/language"
)

const (
	maxText    = 64 << 10 // bytes of an expression: how deep it is nested bounds the stack
	maxResults = 100_000
)

// A Source is an expression as it was written. See [Expr].
type Source struct{ text string }

var (
	_ language.Source    = Source{}
	_ language.Predicate = (*expression)(nil)
)

// Expr returns an expression for the steps that take a route.Expr or a route.Cond.
func Expr(text string) Source { return Source{text} }

// String implements [language.Source].
func (s Source) String() string { return fmt.Sprintf("jq %q", s.text) }

// Compile implements [language.Source].
func (s Source) Compile() (language.Expression, error) {
	if len(s.text) > maxText {
		return nil, fmt.Errorf("longer than %d bytes", maxText)
	}
	query, err := gojq.Parse(s.text)
	if err != nil {
		return nil, s.syntax(err)
	}
	e := &expression{}
	var names []string
	for _, v := range variables {
		if strings.Contains(s.text, v.name) {
			e.variables = append(e.variables, v)
			names = append(names, v.name)
		}
	}
	e.code, err = gojq.Compile(query, gojq.WithVariables(names))
	return e, err
}

func (s Source) syntax(err error) error {
	wrong, ok := errors.AsType[*gojq.ParseError](err)
	if !ok {
		return err
	}
	return place.Error(s.text, wrong.Offset-len(wrong.Token), wrong.Error())
}

type variable struct {
	name  string
	value func(language.Scope) any
}

var variables = []variable{
	{"$headers", func(s language.Scope) any { return content.Fields(s.Value(language.Headers, ""), content.Ints) }},
	{"$properties", func(s language.Scope) any { return content.Fields(s.Value(language.Properties, ""), content.Ints) }},
	{"$variables", func(s language.Scope) any { return content.Fields(s.Value(language.Variables, ""), content.Ints) }},
	{"$exception", func(s language.Scope) any { return content.Exception(s.Value(language.Exception, "")) }},
	{"$exchangeId", func(s language.Scope) any { return content.ID(s.Value(language.ExchangeID, "")) }},
	{"$routeId", func(s language.Scope) any { return content.ID(s.Value(language.RouteID, "")) }},
}

type expression struct {
	code      *gojq.Code
	variables []variable
}

// run begins an evaluation.
func (e *expression) run(ctx context.Context, s language.Scope) (gojq.Iter, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	input, err := content.JSON(s.Value(language.Body, ""), content.Ints)
	if err != nil {
		return nil, err
	}
	var values []any
	for _, v := range e.variables {
		values = append(values, v.value(s))
	}
	return e.code.RunWithContext(ctx, input, values...), nil
}

// next returns the next result, false after the last one.
func next(ctx context.Context, results gojq.Iter) (any, bool, error) {
	v, ok := results.Next()
	err, wrong := v.(error)
	if !ok || !wrong {
		return v, ok, nil
	}
	if ctx.Err() != nil {
		return nil, false, context.Cause(ctx)
	}
	if halt, ok := errors.AsType[*gojq.HaltError](err); ok && halt.Value() == nil {
		return nil, false, nil // jq's halt ends the program in order
	}
	return nil, false, err
}

// Eval implements [language.Expression].
func (e *expression) Eval(ctx context.Context, s language.Scope) (any, error) {
	results, err := e.run(ctx, s)
	if err != nil {
		return nil, err
	}
	first, ok, err := next(ctx, results)
	if !ok {
		return nil, err
	}
	v, ok, err := next(ctx, results)
	if err != nil {
		return nil, err
	}
	if !ok {
		return first, nil
	}
	all := []any{first, v}
	for len(all) <= maxResults {
		v, ok, err := next(ctx, results)
		if err != nil {
			return nil, err
		}
		if !ok {
			return all, nil
		}
		all = append(all, v)
	}
	return nil, errResults
}

var errResults = fmt.Errorf("more than %d results", maxResults)

// Holds implements [language.Predicate].
func (e *expression) Holds(ctx context.Context, s language.Scope) (bool, error) {
	results, err := e.run(ctx, s)
	if err != nil {
		return false, err
	}
	for range maxResults {
		v, ok, err := next(ctx, results)
		if !ok {
			return false, err
		}
		if v != nil && v != false {
			return true, nil
		}
	}
	return false, errResults
}
