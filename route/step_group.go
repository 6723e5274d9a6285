package route

import (
	"context"
	"fmt"
)

// GroupID is the property that tells the id of the [Route.Group] that an exchange is in.
var GroupID = NewProperty[string]("CamelStepId")

// Pipeline runs blocks one after the other; each goes on with what the one before it has
// made of the exchange. A [Route.Filter] without a body in one of them skips the rest of
// that block.
func (c *chain[Self]) Pipeline(blocks ...*Block) Self { return c.add(pipelineStep{blocks}) }

// Group makes body one step with an id, in the status and in property [GroupID] of the
// exchanges in it. Camel calls it a step.
func (c *chain[Self]) Group(id string, body *Block) Self {
	c.add(groupStep{id, body})
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

type groupStep struct {
	id   string
	body *Block
}

func (s groupStep) String() string { return fmt.Sprintf("group %q", s.id) }

func (s groupStep) Build(b *Builder) Processor {
	if s.id == "" {
		b.Errorf("want an id")
	}
	return &group{s.id, b.filled(s.body)}
}

type group struct {
	id   string
	body Processor
}

func (*group) quick() bool { return true }

func (g *group) Process(ctx context.Context, ex *Exchange) error {
	outer, nested := GroupID.Get(ex)
	GroupID.Set(ex, g.id)
	err := g.body.Process(ctx, ex)
	if nested {
		GroupID.Set(ex, outer)
	} else {
		ex.properties.remove(isGroupID)
	}
	return err
}

func isGroupID(name string) bool { return equalFold(name, GroupID.Name()) }
