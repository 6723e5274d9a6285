package gotemplate

import (
	"github.com/mehari-go/mehari/internal/content"
	"github.com/mehari-go/mehari/language"
)

// A message is what a template sees of an exchange. Its methods are the names of the
// package's table.
type message struct{ scope language.Scope }

// Body returns the body, as text where it is bytes or a stream, or "" where it is nil.
func (m message) Body() (any, error) {
	body := m.scope.Value(language.Body, "")
	text, ok, err := content.String(body)
	if ok || err != nil || body == nil {
		return text, err
	}
	return body, nil
}

// JSON returns the body read as JSON.
func (m message) JSON() (any, error) {
	return content.JSON(m.scope.Value(language.Body, ""), content.Ints)
}

// Header returns the header called name, or "".
func (m message) Header(name string) any { return m.one(language.Header, name) }

// Property returns the property called name, or "".
func (m message) Property(name string) any { return m.one(language.Property, name) }

// Variable returns the variable called name, or "".
func (m message) Variable(name string) any { return m.one(language.Variable, name) }

func (m message) one(kind language.Kind, name string) any {
	switch v := m.scope.Value(kind, name).(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	default:
		return v
	}
}

// Headers returns all headers.
func (m message) Headers() any { return m.scope.Value(language.Headers, "") }

// Properties returns all properties of the exchange.
func (m message) Properties() any { return m.scope.Value(language.Properties, "") }

// Variables returns all variables of the exchange.
func (m message) Variables() any { return m.scope.Value(language.Variables, "") }

// Exception returns the error that the exchange met, or nil.
func (m message) Exception() any { return m.scope.Value(language.Exception, "") }

// ExchangeID returns the id of the exchange.
func (m message) ExchangeID() string { return content.ID(m.scope.Value(language.ExchangeID, "")) }

// RouteID returns the id of the route.
func (m message) RouteID() string { return content.ID(m.scope.Value(language.RouteID, "")) }
