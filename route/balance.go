package route

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/mehari-go/mehari/internal/nested"
)

// The policies that choose one branch.

// RoundRobin takes the branches in turn.
func RoundRobin() Balancer { return roundRobinPolicy{} }

type roundRobinPolicy struct{}

func (roundRobinPolicy) Balance(_ *Builder, branches []Processor) Processor {
	return &roundRobin{branches: branches}
}

type roundRobin struct {
	branches []Processor
	turn     atomic.Uint64
}

func (r *roundRobin) Process(ctx context.Context, ex *Exchange) error {
	i := (r.turn.Add(1) - 1) % uint64(len(r.branches))
	return r.branches[i].Process(ctx, ex)
}

// Random takes a branch by chance, each as likely as the others.
func Random() Balancer { return randomPolicy{} }

type randomPolicy struct{}

func (randomPolicy) Balance(_ *Builder, branches []Processor) Processor {
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		return branches[rand.IntN(len(branches))].Process(ctx, ex)
	})
}

// Weighted takes a branch by chance, the first as often as the first ratio says, and so
// on: with 4, 2 and 1, four of seven exchanges. There are as many ratios as branches, from
// 0 to 1 000 000, and not all 0.
func Weighted(ratio ...int) Balancer { return weightedPolicy{ratio, false} }

// WeightedRoundRobin takes the branches in turn, some more often than others, as in
// [Weighted]. Those of one branch are spread evenly.
func WeightedRoundRobin(ratio ...int) Balancer { return weightedPolicy{ratio, true} }

type weightedPolicy struct {
	ratio []int
	turns bool
}

const maxWeight = 1_000_000

func (w weightedPolicy) Balance(b *Builder, branches []Processor) Processor {
	if len(w.ratio) != len(branches) {
		return b.Errorf("want a ratio for each of the branches, %d, have %d", len(branches), len(w.ratio))
	}
	total := 0
	for i, ratio := range w.ratio {
		if ratio < 0 || ratio > maxWeight {
			b.Errorf("ratio %d: want a number from 0 to %d, have %d", i+1, maxWeight, ratio)
		}
		total += ratio
	}
	if total == 0 {
		b.Errorf("want at least one ratio that is not 0")
	}
	all := &weighted{ratio: w.ratio, total: total, branches: branches}
	if w.turns {
		return &weightedTurns{weighted: all, credit: make([]int, len(branches))}
	}
	return all
}

type weighted struct {
	ratio    []int
	total    int
	branches []Processor
}

func (w *weighted) Process(ctx context.Context, ex *Exchange) error {
	n := rand.IntN(w.total)
	i := 0
	for ; n >= w.ratio[i]; i++ {
		n -= w.ratio[i]
	}
	return w.branches[i].Process(ctx, ex)
}

// weightedTurns spreads the turns as nginx does: each branch earns its ratio in each turn,
// and that with the most credit pays for all.
type weightedTurns struct {
	*weighted
	mu     sync.Mutex
	credit []int
}

func (w *weightedTurns) Process(ctx context.Context, ex *Exchange) error {
	return w.branches[w.next()].Process(ctx, ex)
}

func (w *weightedTurns) next() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	most := 0
	for i, ratio := range w.ratio {
		w.credit[i] += ratio
		if w.credit[i] > w.credit[most] {
			most = i
		}
	}
	w.credit[most] -= w.total
	return most
}

// Sticky takes the same branch for all exchanges for which e has the same value. Which,
// follows from the text of the value alone, so that it is the same one in all replicas of
// a program and after it was started anew, as long as there are as many branches. nil is a
// value like any other.
func Sticky(e Expr) Balancer { return stickyPolicy{e} }

type stickyPolicy struct{ e Expr }

func (s stickyPolicy) Balance(b *Builder, branches []Processor) Processor {
	return &sticky{b.textValue(s.e), branches}
}

type sticky struct {
	by       textValue
	branches []Processor
}

func (s *sticky) Process(ctx context.Context, ex *Exchange) error {
	text, other, err := s.by.get(ctx, ex)
	if err != nil {
		return err
	}
	switch v := other.(type) {
	case nil:
	case []byte:
		text = string(v)
	default:
		text = string(nested.Append(nil, v))
	}
	return s.branches[named(text).hash%uint32(len(s.branches))].Process(ctx, ex)
}
