package route

import (
	"context"
	"errors"
	"fmt"
)

// A Step is one node of a route's definition. Build turns it, once, into the code that
// runs; what is wrong with it is told with [Builder.Errorf].
type Step interface {
	// String returns the step as it was written, without secrets.
	String() string
	Build(b *Builder) Processor
}

// A placed step remembers where it was written.
type placed struct {
	Step
	place Position
}

// A Builder builds the steps of one route and gathers what is wrong with them.
type Builder struct {
	Env
	engine *Engine
	route  *running
	step   placed
	nodes  []*node // all steps, in the order of the text
	tree   *node   // the step whose steps are built
	depth  int     // how deep that stands in others
	broken bool    // too much to build the rest
	errs   []error
}

const (
	maxSteps = 1<<16 - 1
	maxDepth = 100
)

// A node is a built step: what errors and status say of it.
type node struct {
	step   string
	place  Position
	index  uint16 // from 1
	nested []*node
}

// Errorf records an error at the current step and returns a Processor to go on with.
func (b *Builder) Errorf(format string, args ...any) Processor {
	b.errs = append(b.errs, &BuildError{b.route.id, b.step.String(), b.step.place, fmt.Errorf(format, args...)})
	return &pipeline{}
}

// Text returns text with its {{placeholders}} replaced.
func (b *Builder) Text(text string) string {
	resolved, err := b.engine.properties.resolve(text)
	if err != nil {
		b.Errorf("%w", err)
	}
	return resolved
}

// Producer returns the endpoint at u, which can be sent to.
func (b *Builder) Producer(u URI) Processor {
	ep, err := b.Resolve(u)
	if err != nil {
		return b.Errorf("%w", err)
	}
	p, ok := ep.(Producer)
	if !ok {
		return b.Errorf("%s cannot be sent to", ep)
	}
	return p
}

// Block builds the steps of a block that belongs to the current step. A nil block has
// no steps.
func (b *Builder) Block(block *Block) Processor {
	if block == nil {
		return &pipeline{}
	}
	return b.steps(block.steps)
}

// only returns the options of the current step, which may be given once.
func only[T any](b *Builder, options []T) (one T) {
	if len(options) > 1 {
		b.Errorf("want one %T, have %d", one, len(options))
	}
	if len(options) > 0 {
		one = options[0]
	}
	return one
}

func (b *Builder) steps(steps []placed) Processor {
	outer, parent := b.step, b.tree
	if b.depth++; b.depth > maxDepth && !b.broken {
		b.broken = true
		b.Errorf("steps stand more than %d deep inside of each other: does a block contain itself?", maxDepth)
	}
	defer func() { b.step, b.tree, b.depth = outer, parent, b.depth-1 }()
	var stages []*stage
	var last Processor
	for _, s := range steps {
		if b.broken {
			break
		}
		b.step = s
		if len(b.nodes) == maxSteps {
			b.broken = true
			b.Errorf("a route can have %d steps", maxSteps)
			break
		}
		b.tree = &node{step: s.String(), place: s.place, index: uint16(len(b.nodes) + 1)}
		b.nodes = append(b.nodes, b.tree)
		if parent != nil {
			parent.nested = append(parent.nested, b.tree)
		}
		built := s.Build(b)
		st := &stage{p: built, route: b.route, node: b.tree}
		st.f, _ = built.(ProcessorFunc)
		if q, ok := built.(quick); !ok || !q.quick() {
			st.step = uint64(b.tree.index)
		}
		if len(stages) > 0 {
			stages[len(stages)-1].next = st
		}
		stages, last = append(stages, st), built
	}
	switch len(stages) {
	case 0:
		return &pipeline{}
	case 1:
		switch last.(type) {
		case *setField, *setTextHeader, setBody, removeFields, stopProcessor:
			return last // it cannot fail, so that nobody needs to be blamed
		}
	}
	return &pipeline{stages[0]}
}

// A processor that is quick neither blocks, nor fails, nor runs code that is not ours
// itself, so that nobody needs to know that an exchange is in it.
type quick interface{ quick() bool }

// errFiltered ends a pipeline as a success.
var errFiltered = errors.New("filtered")

// A stage is a built step in a pipeline.
type stage struct {
	f     ProcessorFunc // of a user, called without a detour; or nil
	p     Processor
	step  uint64 // the index of its node; 0 for one that is quick
	next  *stage
	route *running
	node  *node
}

// A pipeline runs its stages one after the other.
type pipeline struct{ first *stage }

func (p *pipeline) Process(ctx context.Context, ex *Exchange) error {
	for s := p.first; s != nil && !ex.stopped; s = s.next {
		if s.step != 0 {
			if ctx.Err() != nil {
				return s.blame(ex, context.Cause(ctx))
			}
			ex.flight.at(s.step)
		}
		var err error
		if s.f != nil {
			err = s.f(ctx, ex)
		} else {
			err = s.p.Process(ctx, ex)
		}
		if err != nil {
			return s.blame(ex, err)
		}
	}
	return nil
}

// firstStep is the first step that an exchange can stay at for long.
func firstStep(steps Processor) uint64 {
	if p, ok := steps.(*pipeline); ok {
		for s := p.first; s != nil; s = s.next {
			if s.step != 0 {
				return s.step
			}
		}
	}
	return entryStep
}

// blame adds the place of the innermost step that failed.
func (s *stage) blame(ex *Exchange, err error) error {
	if err == errFiltered {
		return nil
	}
	if _, ok := errors.AsType[*StepError](err); ok {
		return err
	}
	return &StepError{s.route.name(), s.node.step, s.node.place, ex.ID(), err}
}

// guarded runs p; a panic becomes the error of the step that the exchange is at. An
// exchange that was made in a route is done after its first call.
func guarded(ctx context.Context, p Processor, ex *Exchange) (err error) {
	outermost := !ex.inside && ex.at != nil
	ex.inside = ex.inside || outermost
	defer func() {
		if r := recover(); r != nil {
			err = ex.panicked(r)
		}
		if outermost {
			err = ex.done(ctx, err)
		}
	}()
	return p.Process(ctx, ex)
}

// panicked makes an error of a panic at the step that the exchange is at.
func (ex *Exchange) panicked(value any) error {
	err := newPanicError(value)
	if ex.flight == nil {
		return err
	}
	step, place := ex.at.step(ex.flight.state.Load())
	return &StepError{ex.at.name(), step, place, ex.ID(), err}
}
