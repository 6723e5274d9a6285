package simple

// A Scope is what templates are evaluated against: a message on its way.
type Scope interface {
	// Value returns the part of the message that kind says, and nil where there is
	// none. The name is that of the header or property, and empty for other kinds.
	//
	// The value of ExchangeID, RouteID and FromRouteID may be anything whose text is
	// the id. A *string, or a pointer that implements [encoding.TextAppender], spares
	// the memory that a string takes when it becomes an any; templates do not keep it.
	Value(kind Kind, name string) any
}

// A Kind is a part of a message that a [Scope] is asked for.
type Kind uint8

// The kinds of parts.
const (
	Body        Kind = iota
	Header           // the header of a name, which compares without case
	Property         // the property of the exchange of a name
	ExchangeID       // the id of the exchange
	RouteID          // the id of the route that the exchange is in
	FromRouteID      // the id of the route that made the exchange
	Exception        // the error that the exchange has met
)

// String returns the name of the kind in the language, such as "exchangeId".
func (k Kind) String() string {
	switch k {
	case Body:
		return "body"
	case Header:
		return "header"
	case Property:
		return "exchangeProperty"
	case ExchangeID:
		return "exchangeId"
	case RouteID:
		return "routeId"
	case FromRouteID:
		return "fromRouteId"
	case Exception:
		return "exception"
	}
	return "unknown"
}
