package route

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
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
	route  string // the route's id
	step   placed
	nodes  []*node // all steps, in the order of the text
	tree   *node   // the step whose steps are built
	errs   []error
}

// A node is a built step: what errors and status say of it.
type node struct {
	step   string
	place  Position
	index  uint16 // from 1
	nested []*node
}

// Errorf records an error at the current step and returns a Processor to go on with.
func (b *Builder) Errorf(format string, args ...any) Processor {
	b.errs = append(b.errs, &BuildError{b.route, b.step.String(), b.step.place, fmt.Errorf(format, args...)})
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

func (b *Builder) steps(steps []placed) Processor {
	outer, parent := b.step, b.tree
	defer func() { b.step, b.tree = outer, parent }()
	p := &pipeline{route: b.route}
	for _, s := range steps {
		b.step = s
		b.tree = &node{step: s.String(), place: s.place, index: uint16(len(b.nodes) + 1)}
		if b.nodes = append(b.nodes, b.tree); len(b.nodes) >= 1<<16 {
			return b.Errorf("a route can have 65535 steps")
		}
		if parent != nil {
			parent.nested = append(parent.nested, b.tree)
		}
		st := stage{Processor: s.Build(b), node: b.tree}
		q, ok := st.Processor.(quick)
		st.quick = ok && q.quick()
		p.stages = append(p.stages, st)
	}
	if len(p.stages) == 1 {
		switch only := p.stages[0].Processor.(type) {
		case *setField, setBody, removeHeaders, stopProcessor:
			return only // it cannot fail, so that nobody needs to be blamed
		}
	}
	return p
}

// A processor that is quick neither blocks, nor fails, nor runs code that is not ours
// itself, so that nobody needs to know that an exchange is in it.
type quick interface{ quick() bool }

// errFiltered ends a pipeline as a success.
var errFiltered = errors.New("filtered")

// A stage is a built step in a pipeline.
type stage struct {
	Processor
	node  *node
	quick bool
}

// A pipeline runs its stages one after the other.
type pipeline struct {
	route  string
	stages []stage
}

func (p *pipeline) Process(ctx context.Context, ex *Exchange) (err error) {
	i := 0
	defer func() {
		if r := recover(); r != nil {
			err = p.blame(&p.stages[i], ex, &PanicError{r, debug.Stack()})
		}
	}()
	for ; i < len(p.stages); i++ {
		s := &p.stages[i]
		if !s.quick {
			if err := ctx.Err(); err != nil {
				return p.blame(s, ex, context.Cause(ctx))
			}
			ex.flight.at(s.node)
		}
		if err := s.Process(ctx, ex); err != nil {
			if err == errFiltered {
				return nil
			}
			return p.blame(s, ex, err)
		}
		if ex.stopped {
			break
		}
	}
	return nil
}

// blame adds the place of the innermost step that failed.
func (p *pipeline) blame(s *stage, ex *Exchange, err error) error {
	if _, ok := errors.AsType[*StepError](err); ok {
		return err
	}
	return &StepError{p.route, s.node.step, s.node.place, ex.ID(), err}
}
