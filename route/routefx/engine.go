package routefx

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"sync"

	"go.uber.org/fx"

	"github.com/mehari-go/mehari/internal/nearest"
	"github.com/mehari-go/mehari/route"
)

// An engine is built of the parts that are for it.
type engine struct {
	name       string
	config     route.Config
	shutdowner fx.Shutdowner
	dying      *sync.Once
	*route.Engine
	errs []error
}

// String is for errors.
func (e *engine) String() string {
	if e.name == "" {
		return "routefx"
	}
	return fmt.Sprintf("routefx: engine %q", e.name)
}

func (e *engine) errorf(format string, args ...any) {
	e.errs = append(e.errs, fmt.Errorf("%s: "+format, append([]any{e}, args...)...))
}

// newEngine makes the engine with a name, or reports all that is wrong.
func newEngine(name string, in ingredients) (*route.Engine, error) {
	e := &engine{name: name, shutdowner: in.Shutdowner}
	slices.SortFunc(in.Configs, func(a, b engineConfig) int { return cmp.Compare(a.name, b.name) })
	e.dying = in.Configs[0].dying
	for _, c := range in.Configs {
		if c.name == name {
			e.config = c.Config
		}
	}
	e.config.Logger = cmp.Or(e.config.Logger, in.Logger, slog.Default())
	all := slices.DeleteFunc(slices.Clone(in.Parts), func(p part) bool { return p.engine != name && p.engine != All })
	slices.SortStableFunc(all, part.compare)
	if names, ok := in.Events.(*events); ok {
		for _, p := range all {
			p.module = names.moduleOf(p.id())
		}
	}
	e.config.Components = orEmpty(e.config.Components)
	e.config.Registry = orEmpty(e.config.Registry)
	e.collect(all)
	if len(e.errs) > 0 {
		return nil, errors.Join(e.errs...)
	}
	var err error
	if e.Engine, err = route.New(e.config); err != nil {
		e.errorf("%w", err)
		return nil, errors.Join(e.errs...)
	}
	e.add(all)
	if len(e.errs) > 0 {
		return nil, errors.Join(e.errs...)
	}
	in.Lifecycle.Append(fx.Hook{OnStart: e.start, OnStop: e.stop})
	return e.Engine, nil
}

// orEmpty returns a map that may be changed.
func orEmpty[M ~map[K]V, K comparable, V any](m M) M {
	if m == nil {
		return M{}
	}
	return maps.Clone(m)
}

// collect puts what is not a route into the configuration.
func (e *engine) collect(all []part) {
	components, registered, converters := map[string]part{}, map[string]part{}, map[[2]reflect.Type]part{}
	e.config.Converters = slices.Clone(e.config.Converters)
	e.config.Routes.Policies = slices.Clone(e.config.Routes.Policies)
	for _, p := range all {
		switch p.kind {
		case "component":
			c, _ := p.value.(route.Component)
			if c == nil {
				e.errorf("%s: it is nil", p)
				continue
			}
			take(e, components, p, p.name, e.config.Components, c, "route.Config.Components")
		case "registered":
			take(e, registered, p, p.name, e.config.Registry, p.value, "route.Config.Registry")
		case "converter":
			c := p.value.(route.Converter)
			in, out := c.Types()
			types := [2]reflect.Type{in, out}
			if other, ok := converters[types]; ok {
				e.errorf("converter from %s to %s: there are two, from %s and from %s", in, out, other.where(), p.where())
				continue
			}
			converters[types] = p
			if _, err := route.New(route.Config{Converters: []route.Converter{c}}); err != nil {
				e.errorf("%s: %w", p, err)
				continue
			}
			e.config.Converters = append(e.config.Converters, c)
		case "policy":
			e.config.Routes.Policies = append(e.config.Routes.Policies, p.value.(route.Policy))
		case "vital":
			e.config.Routes.Policies = append(e.config.Routes.Policies, e.watch(p.value.(vital)))
		}
	}
}

// take puts a value under its name into a map, where nothing may be yet.
func take[V any](e *engine, taken map[string]part, p part, name string, m map[string]V, v V, config string) {
	if other, ok := taken[name]; ok {
		e.errorf("%s %q: there are two, from %s and from %s", p.kind, name, other.where(), p.where())
		return
	}
	taken[name] = p
	if _, ok := m[name]; ok {
		e.errorf("%s: %s has one too", p, config)
		return
	}
	m[name] = v
}

// add adds the routes.
func (e *engine) add(all []part) {
	taken := map[string]part{}
	for _, p := range all {
		routes := slices.DeleteFunc(slices.Clone(p.routes()), func(r *route.Route) bool {
			if r == nil || r.Definition().ID == "" {
				return false
			}
			d := r.Definition()
			other, ok := taken[d.ID]
			if ok {
				e.errorf("%s: route %q: there are two, from %s and from %s", d.Place, d.ID, other.where(), p.where())
			} else {
				taken[d.ID] = p
			}
			return ok
		})
		if err := e.Add(routes...); err != nil {
			e.errorf("%s:\n%w", p, err)
		}
	}
	var have []string
	for _, s := range e.Status().Routes {
		have = append(have, s.ID)
	}
	slices.Sort(have)
	for _, p := range all {
		if v, ok := p.value.(vital); ok && !slices.Contains(have, v.id) && len(e.errs) == 0 {
			e.errorf("%s: no route %q %s", p, v.id, nearest.Hint(v.id, have))
		}
	}
}
