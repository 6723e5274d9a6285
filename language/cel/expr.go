// Package cel is the Common Expression Language, https://cel.dev, for the steps of routes:
//
//	route.Filter(cel.Expr("body.amount > 100 && headers[?'kind'].orValue('') == 'gold'"))
//
// It is checked when the route is built, by cel.dev/cel-go: names and types too.
//
// The variables cost nothing where an expression does not name them:
//
//	body          the body
//	headers       the headers, a map; names are as they were set
//	properties    the properties of the exchange
//	variables     the variables of the exchange
//	exception     the message of the error that the exchange met, or null
//	exchangeId    the id of the exchange
//	routeId       the id of the route
//
// A body of text (a string, []byte, *bytes.Buffer or an [io.ReadSeeker], which is wound
// back) is parsed as JSON if the expression looks inside of it, which its own text
// decides: it takes a field, an index or an element of it, as body.amount, body[0],
// 'x' in body and body.all(…) do. Otherwise, as in body == 'ping' or
// body.startsWith('p'), it is a string. A stream that can be read only once is an error.
// Structs and other Go values are what [encoding/json] makes of them, for each
// evaluation anew: where several expressions look at one body, unmarshal it once in a
// step before. A nil body is null. JSON may be nested 1000 levels deep. Its numbers,
// those of structs too, are a double whatever their digits, so that an expression does
// not depend on them: write body.n + 1.0, or int(body.n) + 1; comparisons take both. Only
// integers beyond 2^53, which a double cannot hold, are an int.
//
// Headers, properties and variables that have no form in JSON are not there; of type
// []byte they are a string. What is not there is an error when it is asked for: ask
// has(headers.kind), or headers[?'kind'].orValue(""), first.
//
// The standard definitions, optional values and the strings extension are there. Regular
// expressions are RE2. Results are Go's: bool, int, uint64, float64, string, []byte,
// time.Time, time.Duration, []any, map[string]any or nil. As a condition, an expression
// has to be a bool.
//
// An evaluation does no I/O. It ends with the context of the exchange, and with an error
// once it has cost a million units, by cel-go's count.
package cel

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"

	"github.com/mehari-go/mehari/internal/content"
	"github.com/mehari-go/mehari/internal/place"
	"github.com/mehari-go/mehari/language"
)

const (
	maxCost   = 1_000_000 // as in Kubernetes
	maxIssues = 3
	checks    = 100 // turns of a loop between two looks at the context
)

// A Source is an expression as it was written. See [Expr].
type Source struct{ text string }

var _ language.Source = Source{}

// Expr returns an expression for the steps that take a route.Expr or a route.Cond.
func Expr(text string) Source { return Source{text} }

// String implements [language.Source].
func (s Source) String() string { return fmt.Sprintf("cel %q", s.text) }

// Compile implements [language.Source].
func (s Source) Compile() (language.Expression, error) {
	fields := cel.MapType(cel.StringType, cel.DynType)
	env, err := cel.NewEnv(
		cel.Variable("body", cel.DynType),
		cel.Variable("headers", fields),
		cel.Variable("properties", fields),
		cel.Variable("variables", fields),
		cel.Variable("exception", cel.DynType),
		cel.Variable("exchangeId", cel.StringType),
		cel.Variable("routeId", cel.StringType),
		cel.OptionalTypes(),
		ext.Strings(),
	)
	if err != nil {
		return nil, err
	}
	checked, issues := env.Compile(s.text)
	if issues.Err() != nil {
		return nil, s.wrong(issues.Errors())
	}
	program, err := env.Program(checked,
		cel.EvalOptions(cel.OptOptimize),
		cel.InterruptCheckFrequency(checks),
		cel.CostLimit(maxCost),
	)
	if err != nil {
		return nil, err
	}
	return &expression{program: program, inside: looksInside(checked.NativeRep().Expr())}, nil
}

func (s Source) wrong(issues []*common.Error) error {
	var errs []error
	for _, issue := range issues[:min(maxIssues, len(issues))] {
		errs = append(errs, place.Error(s.text, offset(s.text, issue.Location.Line(), issue.Location.Column()), issue.Message))
	}
	return errors.Join(errs...)
}

// offset returns the byte at a line, counted from 1, and a column of characters, from 0.
func offset(text string, line, column int) int {
	start := 0
	for range line - 1 {
		start += strings.IndexByte(text[start:], '\n') + 1
	}
	for i := range text[start:] {
		if column--; column < 0 {
			return start + i
		}
	}
	return len(text)
}

// looksInside tells whether an expression takes a field, an index or an element of the
// body.
func looksInside(e ast.Expr) bool {
	inside := false
	isBody := func(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == "body" }
	ast.PostOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.SelectKind:
			inside = inside || isBody(e.AsSelect().Operand())
		case ast.ComprehensionKind:
			inside = inside || isBody(e.AsComprehension().IterRange())
		case ast.CallKind:
			call := e.AsCall()
			switch args := call.Args(); call.FunctionName() {
			case operators.Index, operators.OptIndex, operators.OptSelect:
				inside = inside || isBody(args[0])
			case operators.In:
				inside = inside || isBody(args[1])
			}
		}
	}))
	return inside
}

type expression struct {
	program cel.Program
	inside  bool
}

// Eval implements [language.Expression].
func (e *expression) Eval(ctx context.Context, s language.Scope) (any, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	v, _, err := e.program.ContextEval(ctx, &activation{scope: s, inside: e.inside})
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, err
	}
	return native(v)
}

// An activation resolves the names of one evaluation.
type activation struct {
	scope  language.Scope
	inside bool
	body   any // once it has been asked for
}

// Parent implements [cel.Activation].
func (*activation) Parent() cel.Activation { return nil }

// ResolveName implements [cel.Activation].
func (a *activation) ResolveName(name string) (any, bool) {
	switch name {
	case "body":
		if a.body == nil {
			a.body = a.read()
		}
		return a.body, true
	case "headers":
		return content.Fields(a.scope.Value(language.Headers, ""), content.Floats), true
	case "properties":
		return content.Fields(a.scope.Value(language.Properties, ""), content.Floats), true
	case "variables":
		return content.Fields(a.scope.Value(language.Variables, ""), content.Floats), true
	case "exception":
		return content.Exception(a.scope.Value(language.Exception, "")), true
	case "exchangeId":
		return content.ID(a.scope.Value(language.ExchangeID, "")), true
	case "routeId":
		return content.ID(a.scope.Value(language.RouteID, "")), true
	}
	return nil, false
}

func (a *activation) read() any {
	body := a.scope.Value(language.Body, "")
	if !a.inside {
		text, ok, err := content.String(body)
		if err != nil {
			return types.WrapErr(err)
		}
		if ok {
			return text
		}
	}
	v, err := content.JSON(body, content.Floats)
	if err != nil {
		return types.WrapErr(err)
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}
