// Package language holds what the engine and the languages of expressions agree on, so
// that neither need know the other. The languages are in the packages beneath: simple,
// and those that bring a library, for which only their users pay.
package language

import "context"

// A Kind is what kind of value of a [Scope] is meant.
type Kind uint8

// The kinds of values. Those that have no name ignore it.
const (
	Body        Kind = iota
	Header           // the header called name, nil if there is none
	Headers          // all headers, a map[string]any
	Property         // the property of the exchange called name, nil if there is none
	Properties       // all properties of the exchange, a map[string]any
	Variable         // the variable called name, nil if there is none
	Variables        // all variables of the exchange, a map[string]any
	ExchangeID       // a string
	RouteID          // the id of the route that the exchange is in, a string
	FromRouteID      // the id of the route that the exchange began in, a string
	Exception        // the error that the exchange met, nil if there was none
	Placeholder      // the value of the {{placeholder}} called name, a string, nil if there is none
	Registered       // what is known to the engine by a name: a value, or a function to call
)

// String returns the name of the kind.
func (k Kind) String() string {
	names := [...]string{
		"body", "header", "headers", "exchangeProperty", "exchangeProperties", "variable", "variables",
		"exchangeId", "routeId", "fromRouteId", "exception", "properties", "ref",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// A Scope is whatever holds a message: what an expression can look at. It belongs to one
// goroutine.
type Scope interface {
	// Value returns the value, or nil where there is none. An id may be anything whose
	// text it is: a pointer that implements [encoding.TextAppender] spares the memory that
	// a string takes when it becomes an any.
	Value(kind Kind, name string) any
}

// A TextScope is a [Scope] that tells texts from other values, which spares the memory
// that a string takes when it becomes an any.
type TextScope interface {
	Scope

	// Text returns the value if it is a text. What it does not return, Value may.
	Text(kind Kind, name string) (text string, ok bool)
}

// A Setter is a [Scope] in which an expression can change headers and variables.
type Setter interface {
	Scope

	// Set stores a value; nil takes away what there is.
	Set(kind Kind, name string, value any) error
}

// An Object is a value with members that are not the fields of a struct, such as what its
// methods return. Languages that look into values ask it first.
type Object interface {
	// Member returns the member called name, and whether there is one.
	Member(name string) (value any, ok bool)
}

// A Source is an expression as it was written, in some language. The engine compiles it
// once, when it builds a route.
type Source interface {
	// String returns the name of the language and the text, such as `jq ".amount"`.
	String() string

	// Compile checks the text. The error says what is wrong with it, and where.
	Compile() (Expression, error)
}

// An Expression is compiled. Many goroutines may evaluate it at once.
type Expression interface {
	// Eval returns the value for s.
	Eval(ctx context.Context, s Scope) (any, error)
}

// A Predicate is an [Expression] of a language that has rules of its own for what holds:
// XPath, where a node that is there does. Of others, the value has to be a bool.
type Predicate interface {
	Expression

	// Holds tells whether the expression holds for s.
	Holds(ctx context.Context, s Scope) (bool, error)
}
