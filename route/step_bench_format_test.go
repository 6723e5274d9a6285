package route_test

import (
	"io"
	"reflect"

	"github.com/mehari-go/mehari/route"
)

var formatSteps = []benchStep{
	{"ConvertBodyTo", 0, func(r *route.Route) { r.ConvertBodyTo(reflect.TypeFor[*string]()) }},
	{"ConvertHeaderTo", 0, func(r *route.Route) { r.ConvertHeaderTo("type", reflect.TypeFor[string]()) }},
	{"ConvertVariableTo", 0, func(r *route.Route) {
		r.SetVariable("v", 1).ConvertVariableTo("v", reflect.TypeFor[int]())
	}},
	// A buffer, its bytes, and the body as a slice in an interface.
	{"Marshal", 3, func(r *route.Route) { r.Marshal(fixed{}) }},
	// A reader of the text, and what the format stores its result in.
	{"Unmarshal", 2, func(r *route.Route) { r.SetBody("text").Unmarshal(fixed{}) }},
}

// fixed is a format that does nothing that is not the step's.
type fixed struct{}

func (fixed) String() string { return "fixed" }
func (fixed) Marshal(w io.Writer, _ any) error {
	_, err := io.WriteString(w, "text")
	return err
}

func (fixed) Unmarshal(_ io.Reader, into any) error {
	*into.(*any) = nil
	return nil
}
