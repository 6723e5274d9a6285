package routefx

import (
	"cmp"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"

	"github.com/mehari-go/mehari/route"
)

// An origin says what a contribution is and where it comes from.
type origin struct {
	kind   string // such as "component"
	name   string // such as its scheme; "" where it has none
	engine string
	place  route.Position // where the module says so
	maker  string         // the constructor, or the function in which a value was given
	module string         // "" as long as nobody has told
}

// String is for errors.
func (o *origin) String() string {
	what := o.kind
	if o.name != "" {
		what += fmt.Sprintf(" %q", o.name)
	}
	return what + " from " + o.where()
}

// where names the constructor, the module and the place.
func (o *origin) where() string {
	var module string
	if o.module != "" {
		module = fmt.Sprintf("module %q, ", o.module)
	}
	return fmt.Sprintf("%s (%s%s)", filepath.Base(o.maker), module, o.place)
}

// id is a name that no other contribution has, also not one of the same line.
func (o *origin) id() string {
	return fmt.Sprintf("%s of %s:%d (%p)", o.kind, filepath.Base(o.place.File), o.place.Line, o)
}

// compare is the order of contributions.
func (p part) compare(q part) int {
	first := func(p part) route.Definition {
		if rs := p.routes(); len(rs) > 0 && rs[0] != nil {
			return rs[0].Definition()
		}
		return route.Definition{}
	}
	a, b := first(p), first(q)
	return cmp.Or(
		cmp.Compare(p.maker, q.maker),
		cmp.Compare(p.place.File, q.place.File),
		cmp.Compare(p.place.Line, q.place.Line),
		cmp.Compare(p.name, q.name),
		cmp.Compare(a.ID, b.ID),
		cmp.Compare(a.From, b.From),
	)
}

// routes are those that the part is, nil if it is something else.
func (p part) routes() []*route.Route {
	switch v := p.value.(type) {
	case *route.Route:
		return []*route.Route{v}
	case []*route.Route:
		return v
	}
	return nil
}

// A caller is a function and a place in it.
type caller struct {
	function string
	place    route.Position
}

// callerOf returns the first caller outside of this package.
func callerOf() caller {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, thisPackage) || !more {
			return caller{f.Function, route.Position{File: f.File, Line: f.Line}}
		}
	}
}

// thisPackage is how the names of its functions begin.
var thisPackage = reflect.TypeFor[origin]().PkgPath() + "."

// functionName is the name of a function with the path of its package.
func functionName(f any) string {
	return runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
}
