package route

import "context"

// The properties of the parts of a [Route.Multicast] and a [Route.RecipientList].
var (
	MulticastIndex    = NewProperty[int]("CamelMulticastIndex")     // of the branch, from 0
	MulticastComplete = NewProperty[bool]("CamelMulticastComplete") // whether it is the last one
)

// Multicast leads a copy of the exchange through each branch, one after the other. The
// copies share the body, which branches must not change in place, and have properties
// [MulticastIndex] and [MulticastComplete]. Where all branches succeed the exchange goes
// on with the body and headers of the last one, as in Camel, because branches that answer
// are the reason to wait for them; [FanOut.KeepOriginal] has it go on as it was. A branch that fails does not keep the others
// from running; the exchange then fails with their errors.
func (c *chain[Self]) Multicast(branches ...*Block) Self {
	return c.add(multicastStep{FanOut{}, branches})
}

// MulticastWith is [Route.Multicast] with options, for example to lead the copies through
// the branches at the same time and merge what becomes of them.
func (c *chain[Self]) MulticastWith(o FanOut, branches ...*Block) Self {
	return c.add(multicastStep{o, branches})
}

type multicastStep struct {
	FanOut
	branches []*Block
}

func (multicastStep) String() string { return "multicast" }

func (s multicastStep) Build(b *Builder) Processor {
	m := &multicast{fan: s.FanOut.build(b, true)}
	if len(s.branches) == 0 {
		b.Errorf("want at least one branch: route.Do()")
	}
	for i, branch := range s.branches {
		switch {
		case branch == nil:
			b.Errorf("branch %d is nil", i+1)
		case len(branch.steps) == 0:
			b.Errorf("branch %d has no steps", i+1)
		}
		m.branches = append(m.branches, m.prepared(b.Block(branch)))
	}
	return m
}

type multicast struct {
	fan
	branches []Processor
}

func (m *multicast) Process(ctx context.Context, ex *Exchange) error {
	var p parts
	p.begin(ctx, ex, &m.fan)
	for i := 0; i < len(m.branches) && p.room(); i++ {
		part := p.next()
		MulticastIndex.Set(part, i)
		MulticastComplete.Set(part, i == len(m.branches)-1)
		p.lead(part, m.branches[i])
	}
	return p.end()
}
