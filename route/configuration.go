package route

// A Configuration is what routes have in common beside their steps. A route has its own,
// by the methods of [Route] that have the names of these fields; those that it shares
// with others by [Route.Use]; and that of its engine, [Config.Routes]. The zero value
// says nothing.
type Configuration struct {
	// ErrorHandler says what becomes of exchanges that fail; nil for what the next outer
	// configuration says.
	ErrorHandler *ErrorHandler

	// OnError are clauses for some errors. Those of a route come before those that it
	// shares, and those before the engine's.
	OnError []*ErrorClause

	// OnCompletion run when an exchange is done.
	OnCompletion []*Completion

	// Intercept run before every step, those of the engine first, then those that are
	// shared, then those of the route.
	Intercept []*Interceptor

	// Policies are told what routes and exchanges do, in the same order.
	Policies []Policy
}

// Use makes the route share configurations. Of two that say how to handle an error, the
// first counts.
func (r *Route) Use(shared ...*Configuration) *Route {
	r.shared = append(r.shared, shared...)
	return r
}

// ErrorHandler says what becomes of exchanges that fail in this route.
func (r *Route) ErrorHandler(h ErrorHandler) *Route { r.own.ErrorHandler = &h; return r }

// OnError adds clauses for some errors: see the function [OnError].
func (r *Route) OnError(clauses ...*ErrorClause) *Route {
	r.own.OnError = append(r.own.OnError, clauses...)
	return r
}

// OnCompletion adds what to do when an exchange is done.
func (r *Route) OnCompletion(completions ...*Completion) *Route {
	r.own.OnCompletion = append(r.own.OnCompletion, completions...)
	return r
}

// Intercept adds what to do before every step.
func (r *Route) Intercept(interceptors ...*Interceptor) *Route {
	r.own.Intercept = append(r.own.Intercept, interceptors...)
	return r
}

// Policy adds who is told what the route and its exchanges do.
func (r *Route) Policy(policies ...Policy) *Route {
	r.own.Policies = append(r.own.Policies, policies...)
	return r
}

// configurationsOf returns those of a route, the innermost first.
func (b *Builder) configurationsOf(def *Route) []*Configuration {
	all := []*Configuration{&def.own}
	for _, c := range def.shared {
		if c == nil {
			b.Errorf("a configuration is nil")
			continue
		}
		all = append(all, c)
	}
	return append(all, &b.engine.config.Routes)
}
