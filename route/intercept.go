package route

import (
	"context"
	"slices"
	"strings"
)

// The properties that the steps of an [Interceptor] find.
var (
	InterceptedRoute    = NewProperty[string]("CamelInterceptedRouteId")  // the id of the route
	InterceptedStep     = NewProperty[string]("CamelInterceptedNodeId")   // the step, as it was written
	InterceptedEndpoint = NewProperty[string]("CamelInterceptedEndpoint") // the endpoint, without secrets
)

// An Interceptor is run before steps: see [Intercept], [InterceptFrom] and
// [InterceptSendTo].
type Interceptor struct {
	chain[*Interceptor]
	kind    string
	pattern string
	place   Position
	when    []Cond
	skip    bool
	after   URI
}

// The kinds of interceptors.
const (
	interceptStep   = "intercept"
	interceptFrom   = "intercept from"
	interceptSendTo = "intercept send to"
)

func newInterceptor(kind, pattern string) *Interceptor {
	i := &Interceptor{kind: kind, pattern: pattern, place: caller()}
	i.self = i
	return i
}

// Intercept starts steps that are run before every step of the route, also of its
// blocks, on the exchange itself.
func Intercept() *Interceptor { return newInterceptor(interceptStep, "*") }

// InterceptFrom starts steps that are run when an exchange comes to a route, where the
// URI that it is from matches pattern, in which * stands for any text.
func InterceptFrom(pattern string) *Interceptor { return newInterceptor(interceptFrom, pattern) }

// InterceptSendTo starts steps that are run before an exchange is sent to an endpoint
// whose URI, with or without its options, matches pattern, in which * stands for any text:
// by a step of the route, of an [OnError] clause or an [OnCompletion], or as dead letter. What
// interceptors send is not intercepted.
func InterceptSendTo(pattern string) *Interceptor {
	return newInterceptor(interceptSendTo, pattern)
}

// When makes it one for exchanges for which w holds, and what was given before.
func (i *Interceptor) When(w Cond) *Interceptor { i.when = append(i.when, w); return i }

// Skip makes an exchange not be sent where an [InterceptSendTo] wanted it to go, or, with
// another one, not run the step: what the steps leave in it goes on.
func (i *Interceptor) Skip() *Interceptor { i.skip = true; return i }

// After makes an exchange be sent to u after it was sent to the endpoint that an
// [InterceptSendTo] is about, or would have been.
func (i *Interceptor) After(u URI) *Interceptor { i.after = u; return i }

// An interceptor is an [Interceptor] that was built.
type interceptor struct {
	*Interceptor
	when  Predicate
	then  Processor
	after Processor // nil for none
}

// interceptors are those of a route.
type interceptors []*interceptor

// run runs the steps where the interceptor is one for ex, and tells whether it is.
func (i *interceptor) run(ctx context.Context, ex *Exchange) (is bool, err error) {
	if is, err = holds(ctx, i.when, ex, true); err != nil || !is {
		return false, err
	}
	return true, guarded(ctx, i.then, ex)
}

// buildInterceptors builds those of the engine first.
func (b *Builder) buildInterceptors() (all interceptors) {
	for n := range b.configurations {
		for i, def := range b.configurations[len(b.configurations)-1-n].Intercept {
			if def == nil {
				b.Errorf("interceptor %d is nil", i+1)
				continue
			}
			b.step = placed{Step: configured(def.kind), place: def.place}
			built := &interceptor{Interceptor: def, when: b.all(def.when)}
			switch {
			case def.pattern == "":
				b.Errorf("want a pattern; * stands for any text")
			case def.kind == interceptFrom && def.skip:
				b.Errorf("Skip is for other interceptors: use Stop among the steps")
			case def.kind != interceptSendTo && def.after != "":
				b.Errorf("After is for route.InterceptSendTo")
			case len(def.steps) == 0 && !def.skip && def.after == "":
				b.Errorf("want steps")
			}
			built.then = b.beside(def.kind, def.place, def.steps)
			if def.after != "" {
				built.after = b.Producer(def.after)
			}
			all = append(all, built)
		}
	}
	b.step = b.route.begin()
	return all
}

// of returns the interceptors of a kind that match one of the texts.
func (is interceptors) of(kind string, texts ...string) (some interceptors) {
	for _, i := range is {
		if i.kind == kind && slices.ContainsFunc(texts, func(text string) bool { return matches(i.pattern, text) }) {
			some = append(some, i)
		}
	}
	return some
}

// ofSending returns those that hold for steps that are not the route's own.
func (is interceptors) ofSending() (some interceptors) {
	for _, i := range is {
		if i.kind == interceptSendTo {
			some = append(some, i)
		}
	}
	return some
}

// interceptedStep returns the processor of the current step behind its interceptors.
func (b *Builder) interceptedStep(p Processor) Processor {
	some := b.interceptors.of(interceptStep, "")
	if some == nil {
		return p
	}
	step, route := b.tree.step, b.route.id
	return &intercepted{some, p, func(ex *Exchange) {
		InterceptedStep.Set(ex, step)
		InterceptedRoute.Set(ex, route)
	}}
}

// interceptedFrom returns the steps of the route behind its interceptors.
func (b *Builder) interceptedFrom(steps Processor) Processor {
	ep := b.route.consumer
	if ep == nil {
		return steps
	}
	from := string(b.route.def.from)
	some := b.interceptors.of(interceptFrom, from, withoutOptions(from))
	if some == nil {
		return steps
	}
	return &intercepted{some, steps, func(ex *Exchange) { InterceptedEndpoint.Set(ex, ep.String()) }}
}

// sentTo returns the endpoint at u behind its interceptors.
func (is interceptors) sentTo(u URI, p Producer) Producer {
	some := is.of(interceptSendTo, string(u), withoutOptions(string(u)))
	if some == nil {
		return p
	}
	to := p.String()
	return &interceptedEndpoint{p, &intercepted{some, p, func(ex *Exchange) { InterceptedEndpoint.Set(ex, to) }}}
}

func withoutOptions(uri string) string {
	before, _, _ := strings.Cut(uri, "?")
	return before
}

// An intercepted processor runs interceptors before it.
type intercepted struct {
	by   interceptors
	p    Processor
	mark func(*Exchange)
}

func (i *intercepted) Process(ctx context.Context, ex *Exchange) error {
	var few [8]Processor
	skip, after := false, few[:0]
	for _, by := range i.by {
		i.mark(ex)
		is, err := by.run(ctx, ex)
		if err != nil || ex.stopped {
			return err
		}
		skip = skip || is && by.skip
		if is && by.after != nil {
			after = append(after, by.after)
		}
	}
	if !skip {
		if err := i.p.Process(ctx, ex); err != nil {
			return err
		}
	}
	for _, to := range after {
		if ex.stopped {
			break
		}
		if err := to.Process(ctx, ex); err != nil {
			return err
		}
	}
	return nil
}

// An interceptedEndpoint is still an endpoint.
type interceptedEndpoint struct {
	Producer
	through *intercepted
}

// Process implements [Processor].
func (e *interceptedEndpoint) Process(ctx context.Context, ex *Exchange) error {
	return e.through.Process(ctx, ex)
}
