package route

import (
	"context"
	"errors"
)

// A Balancer spreads the exchanges of a [Route.LoadBalance] over its branches.
type Balancer interface {
	// Balance is called once for each step that is built, and returns what leads each
	// exchange through one of the branches, or through several. What it counts and
	// remembers belongs to the result, so that steps and engines share nothing. What is
	// wrong is told by [Builder.Errorf].
	Balance(b *Builder, branches []Processor) Processor
}

// LoadBalance leads each exchange through the branch that policy chooses: [RoundRobin],
// [Random], [Weighted], [WeightedRoundRobin], [Sticky], [Failover], or [Topic], which are
// all of them.
func (c *chain[Self]) LoadBalance(policy Balancer, branches ...*Block) Self {
	return c.add(balanceStep{policy, branches})
}

type balanceStep struct {
	policy   Balancer
	branches []*Block
}

func (balanceStep) String() string { return "load balance" }

func (s balanceStep) Build(b *Builder) Processor {
	if s.policy == nil {
		b.Errorf("want a policy, such as route.RoundRobin(), have nil")
	}
	if len(s.branches) == 0 {
		b.Errorf("want at least one branch: route.Do()")
	}
	build := b.Block
	if _, ok := s.policy.(failoverPolicy); ok {
		build = b.Unhandled // an error has to come back before anybody handles it
	}
	var branches []Processor
	for i, branch := range s.branches {
		switch {
		case branch == nil:
			b.Errorf("branch %d is nil", i+1)
		case len(branch.steps) == 0:
			b.Errorf("branch %d has no steps", i+1)
		}
		branches = append(branches, build(branch))
	}
	if s.policy == nil || len(branches) == 0 {
		return &pipeline{}
	}
	errs := len(b.errs)
	p := s.policy.Balance(b, branches)
	if p == nil && len(b.errs) == errs {
		b.Errorf("%T builds no processor", s.policy)
	}
	return p
}

// aside returns a clone that is led through other steps, here and now, while ex waits. The
// one who calls it releases it.
func (ex *Exchange) aside() *Exchange {
	c := ex.Clone()
	c.flight = ex.flight // where others see it
	c.id = exchangeID{0, serial.Add(1)}
	return c
}

// Topic leads a copy of the exchange through each branch, one after the other. One that
// fails does not keep the others from it; the exchange then fails with their errors.
// Otherwise it goes on as it was. [Route.Multicast] can do more.
func Topic() Balancer { return topicPolicy{} }

type topicPolicy struct{}

func (topicPolicy) Balance(_ *Builder, branches []Processor) Processor { return topic(branches) }

type topic []Processor

func (t topic) Process(ctx context.Context, ex *Exchange) error {
	var errs []error
	for _, branch := range t {
		if ctx.Err() != nil {
			return errors.Join(append(errs, context.Cause(ctx))...)
		}
		copied := ex.aside()
		if err := guarded(ctx, branch, copied); err != nil {
			errs = append(errs, err)
		}
		copied.Release()
	}
	return errors.Join(errs...)
}
