package route

import (
	"context"
	"fmt"
)

// NamedStep is the property that tells the id of the [Route.Named] that an exchange is in.
var NamedStep = NewProperty[string]("CamelStepId")

// Pipeline runs blocks one after the other; each goes on with what the one before it has
// made of the exchange. A [Route.Filter] without a body in one of them skips the rest of
// that block.
func (c *chain[Self]) Pipeline(blocks ...*Block) Self { return c.add(pipelineStep{blocks}) }

// Named makes body one step with an id, in the status and in property [NamedStep] of the
// exchanges in it. Camel calls it a step.
func (c *chain[Self]) Named(id string, body *Block) Self {
	c.add(namedStep{id, body})
	return c.StepID(id)
}

type pipelineStep struct{ blocks []*Block }

func (pipelineStep) String() string { return "pipeline" }

func (s pipelineStep) Build(b *Builder) Processor {
	if len(s.blocks) == 0 {
		return b.Errorf("want at least one block: route.Do()")
	}
	var all inOrder
	for i, block := range s.blocks {
		if block == nil {
			b.Errorf("block %d is nil", i+1)
		}
		all = append(all, b.Block(block))
	}
	return all
}

// inOrder runs one after the other.
type inOrder []Processor

func (inOrder) quick() bool { return true }

func (all inOrder) Process(ctx context.Context, ex *Exchange) error {
	for _, p := range all {
		if err := p.Process(ctx, ex); err != nil || ex.stopped {
			return err
		}
	}
	return nil
}

type namedStep struct {
	id   string
	body *Block
}

func (s namedStep) String() string { return fmt.Sprintf("step %q", s.id) }

func (s namedStep) Build(b *Builder) Processor {
	if s.id == "" {
		b.Errorf("want an id")
	}
	return &section{s.id, b.filled(s.body)}
}

type section struct {
	id   string
	body Processor
}

func (*section) quick() bool { return true }

func (s *section) Process(ctx context.Context, ex *Exchange) error {
	outer, nested := NamedStep.Get(ex)
	NamedStep.Set(ex, s.id)
	err := s.body.Process(ctx, ex)
	if nested {
		NamedStep.Set(ex, outer)
	} else {
		ex.properties.remove(isNamedStep)
	}
	return err
}

func isNamedStep(name string) bool { return equalFold(name, NamedStep.Name()) }
