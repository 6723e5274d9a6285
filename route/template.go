package route

import (
	"maps"
	"slices"
	"strings"
)

// Instance returns a copy of the route with an id and parameters, which stand for
// {{placeholders}} in its URIs and texts and come before [Config.Properties]. So one route
// is the template for many:
//
//	orders := route.From("direct:{{region}}").Log("{{greeting:Hello}} ${body}")
//	route.New(cfg, orders.Instance("eu", map[string]string{"region": "eu"}), …)
//
// A placeholder without a value and a parameter without a placeholder are errors when the
// engine builds the route.
func (r *Route) Instance(id string, parameters map[string]string) *Route {
	c := r.copy()
	c.id, c.place = id, caller()
	c.parameters = maps.Clone(parameters)
	return c
}

// copy returns a route that can be changed without changing r. Its blocks are shared.
func (r *Route) copy() *Route {
	c := *r
	c.self = &c
	c.steps, c.shared, c.advice = slices.Clone(r.steps), slices.Clone(r.shared), slices.Clone(r.advice)
	c.own.OnError, c.own.OnCompletion = slices.Clone(r.own.OnError), slices.Clone(r.own.OnCompletion)
	c.own.Intercept, c.own.Policies = slices.Clone(r.own.Intercept), slices.Clone(r.own.Policies)
	return &c
}

// parameters are the properties of an instance.
type parameters struct {
	values map[string]string
	used   map[string]bool
	outer  Properties // nil for none
}

// Lookup implements [Properties].
func (p *parameters) Lookup(key string) (string, bool) {
	if v, ok := p.values[key]; ok {
		p.used[key] = true
		return v, true
	}
	if p.outer == nil {
		return "", false
	}
	return p.outer.Lookup(key)
}

// mentioned tells that parameters are used that a text in the simple language asks for when
// it is evaluated: ${properties:name}.
func (p *parameters) mentioned(text string) {
	for key := range p.values {
		p.used[key] = p.used[key] || strings.Contains(text, "properties:"+key)
	}
}

// withParameters makes b use the parameters of its route, and returns what tells afterwards
// which stand nowhere.
func (b *Builder) withParameters() (unused func()) {
	defer func() { b.route.properties = b.properties }()
	b.properties = b.engine.properties
	if b.route.def.parameters == nil {
		return func() {}
	}
	p := &parameters{b.route.def.parameters, map[string]bool{}, b.properties.source}
	b.properties = placeholders{p}
	b.Env.Resolve = b.engine.resolver(&b.Env, b.properties)
	return func() {
		for _, key := range slices.Sorted(maps.Keys(p.values)) {
			if !p.used[key] {
				b.Errorf("the parameter %q stands nowhere: there is no {{%s}}", key, key)
			}
		}
	}
}
