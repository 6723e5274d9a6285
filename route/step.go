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
	id    string // "" for none
}

// A Builder builds the steps of one route and gathers what is wrong with them.
type Builder struct {
	Env
	properties     placeholders
	advice         []builtAdvice
	engine         *Engine
	route          *running
	step           placed
	nodes          []*node        // all steps, in the order of the text
	handling       *errorHandling // for the steps that are built; nil where they return their errors
	interceptors   interceptors
	configurations []*Configuration // of the route, the innermost first
	tree           *node            // the step whose steps are built
	depth          int              // how deep that stands in others
	broken         bool             // too much to build the rest
	errs           []error
}

const (
	maxSteps = 1<<16 - 1
	maxDepth = 100
)

// A node is a built step: what errors and status say of it.
type node struct {
	id     string
	step   string
	place  Position
	index  uint16 // from 1
	nested []*node
	beside bool // not one of the route's steps
}

// A configured step is not one of the route's own.
type configured string

func (c configured) String() string         { return string(c) }
func (configured) Build(*Builder) Processor { return nil }

// Errorf records an error at the current step and returns a Processor to go on with.
func (b *Builder) Errorf(format string, args ...any) Processor {
	b.errs = append(b.errs, &BuildError{b.route.id, b.step.String(), b.step.place, fmt.Errorf(format, args...)})
	return &pipeline{}
}

// Text returns text with its {{placeholders}} replaced.
func (b *Builder) Text(text string) string {
	if p, ok := b.properties.source.(*parameters); ok {
		p.mentioned(text)
	}
	resolved, err := b.properties.resolve(text)
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
	return b.interceptors.sentTo(u, p)
}

// Block builds the steps of a block that belongs to the current step. A nil block has
// no steps.
func (b *Builder) Block(block *Block) Processor {
	if block == nil {
		return &pipeline{}
	}
	return b.steps(block.steps)
}

// filled builds a block that may not be nil or empty.
func (b *Builder) filled(block *Block) Processor {
	if block == nil || len(block.steps) == 0 {
		return b.Errorf("want a block with steps: route.Do()")
	}
	return b.Block(block)
}

// Unhandled builds the steps of a block like [Builder.Block], for a step that deals with
// errors itself: they come back from the block as they are, without redelivery and without
// an [OnError] clause.
func (b *Builder) Unhandled(block *Block) Processor {
	if block == nil {
		return &pipeline{}
	}
	return b.unhandled(block.steps)
}

func (b *Builder) unhandled(steps []placed) Processor {
	handling := b.handling
	b.handling = nil
	defer func() { b.handling = handling }()
	return b.steps(steps)
}

// beside builds steps that are not the route's own, such as those of an error clause.
func (b *Builder) beside(name string, place Position, steps []placed) Processor {
	outer, parent, interceptors := b.step, b.tree, b.interceptors
	defer func() { b.step, b.tree, b.interceptors = outer, parent, interceptors }()
	b.step, b.interceptors = placed{Step: configured(name), place: place}, b.interceptors.ofSending()
	b.tree = &node{step: name, place: place, index: uint16(len(b.nodes) + 1), beside: true}
	b.nodes = append(b.nodes, b.tree)
	return b.unhandled(steps)
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
	for _, s := range b.advised(steps) {
		if b.broken {
			break
		}
		b.step = s
		if len(b.nodes) == maxSteps {
			b.broken = true
			b.Errorf("a route can have %d steps", maxSteps)
			break
		}
		b.tree = &node{id: s.id, step: s.String(), place: s.place, index: uint16(len(b.nodes) + 1)}
		b.nodes = append(b.nodes, b.tree)
		if parent != nil {
			parent.nested = append(parent.nested, b.tree)
		}
		built := s.Build(b)
		st := &stage{route: b.route, node: b.tree}
		if ep, ok := built.(Endpoint); ok {
			st.endpoint = ep.String()
		}
		_, st.tries = built.(*try)
		built = b.interceptedStep(built)
		st.p = built
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
	if b.handling != nil {
		return &handledPipeline{stages[0], b.handling}
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
	f        ProcessorFunc // of a user, called without a detour; or nil
	p        Processor
	step     uint64 // the index of its node; 0 for one that is quick
	next     *stage
	route    *running
	node     *node
	endpoint string // without secrets; "" if it is none
	tries    bool   // it is a Try, which is not run again
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
	var first *stage
	switch p := steps.(type) {
	case *pipeline:
		first = p.first
	case *handledPipeline:
		first = p.first
	}
	for s := first; s != nil; s = s.next {
		if s.step != 0 {
			return s.step
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
	return s.stepError(ex, err)
}

func (s *stage) stepError(ex *Exchange, err error) *StepError {
	return &StepError{Route: s.route.name(), Step: s.node.step, Place: s.node.place, Exchange: ex.ID(), Attempts: 1, Err: err}
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
	return &StepError{Route: ex.at.name(), Step: step, Place: place, Exchange: ex.ID(), Attempts: 1, Err: err}
}
