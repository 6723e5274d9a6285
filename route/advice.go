package route

import (
	"fmt"
	"slices"
)

// StepID names the step before it, for [Advice] and [Status].
func (c *chain[Self]) StepID(id string) Self {
	if len(c.steps) > 0 {
		c.steps[len(c.steps)-1].id = id
		return c.self
	}
	return c.add(misplacedID(id))
}

// A misplacedID is a StepID that has no step before it.
type misplacedID string

func (m misplacedID) String() string             { return fmt.Sprintf("step id %q", string(m)) }
func (m misplacedID) Build(b *Builder) Processor { return b.Errorf("want a step before it") }

// An Advice changes a route that is written already, for tests mostly: what it takes from
// and some of its steps, wherever they stand in its blocks.
type Advice struct {
	// From is what the route is from instead; "" changes nothing.
	From URI

	// Step tells which steps are changed: the id of one, see StepID, or the step as errors
	// and [Status] show it, such as `to "kafka:*"`, where * stands for any text. "" changes
	// none. Where it matches no step the route cannot be built.
	Step string

	// Before and After are put before and after the step, Instead takes its place.
	Before, After, Instead *Block

	// Remove takes the step away.
	Remove bool
}

// Advise returns a copy of the route, changed as the advice says.
func (r *Route) Advise(advice ...Advice) *Route {
	c := r.copy()
	for _, a := range advice {
		if a.From != "" {
			c.from = a.From
		}
	}
	c.advice = append(c.advice, advice...)
	return c
}

// advised returns steps with those changed that the route's advice is about.
func (b *Builder) advised(steps []placed) []placed {
	if len(b.advice) == 0 {
		return steps
	}
	var changed []placed
	for _, s := range steps {
		before, self, after := []placed(nil), []placed{s}, []placed(nil)
		for i := range b.advice {
			a := &b.advice[i]
			if a.Step == "" || s.id != a.Step && !matches(a.Step, s.String()) {
				continue
			}
			a.used = true
			if a.Instead != nil || a.Remove {
				self = a.Instead.all()
			}
			before = append(before, a.Before.all()...)
			after = append(after, a.After.all()...)
		}
		changed = slices.Concat(changed, before, self, after)
	}
	return changed
}

// all returns the steps of a block, which may be nil.
func (b *Block) all() []placed {
	if b == nil {
		return nil
	}
	return b.steps
}

// A builtAdvice knows whether it was used.
type builtAdvice struct {
	Advice
	used bool
}

// withAdvice makes b follow the route's advice, and returns what tells afterwards which
// was about nothing.
func (b *Builder) withAdvice() (unused func()) {
	for i, a := range b.route.def.advice {
		switch {
		case a.From == "" && a.Step == "":
			b.Errorf("advice %d: want From or Step", i+1)
		case a.Step != "" && a.Before == nil && a.After == nil && a.Instead == nil && !a.Remove:
			b.Errorf("advice on %q: want Before, After, Instead or Remove", a.Step)
		case a.Instead != nil && a.Remove:
			b.Errorf("advice on %q: want Instead or Remove, not both", a.Step)
		}
		b.advice = append(b.advice, builtAdvice{Advice: a})
	}
	return func() {
		for _, a := range b.advice {
			if a.Step != "" && !a.used {
				b.Errorf("advice on %q: there is no such step", a.Step)
			}
		}
	}
}
