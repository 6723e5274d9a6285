package route

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// FailoverOptions are for [Failover].
type FailoverOptions struct {
	// MaximumFailoverAttempts is how many further branches are tried after the first has
	// failed; 0 means each of the others once. With RoundRobin it may be more than there
	// are: then it goes round, which in Camel it does without end.
	MaximumFailoverAttempts int

	// RoundRobin begins each exchange with the branch after that with which the one
	// before began. Otherwise all begin with the first.
	RoundRobin bool

	// Sticky begins with the branch that has succeeded last. It excludes RoundRobin.
	Sticky bool

	// On tells for which errors the next branch is tried; nil means all. Others are the
	// exchange's. It is given the *[StepError] around the error of a step, through which
	// errors.Is and errors.As see.
	On func(error) bool
}

// Failover takes a branch, and another one if that fails. The next branch gets the
// exchange as it came, except for what the one before has changed inside of the body. Where
// all fail, so does the exchange, with their errors, of which the last ten are told.
//
// The errors of the branches are handled here: an [OnError] clause, and redelivery, see
// only that of the whole, and a redelivery begins anew. A context that is done ends it.
func Failover(opts ...FailoverOptions) Balancer { return failoverPolicy{opts} }

type failoverPolicy struct{ opts []FailoverOptions }

const maxFailoverAttempts = 10_000

func (p failoverPolicy) Balance(b *Builder, branches []Processor) Processor {
	f := &failover{FailoverOptions: only(b, p.opts), branches: branches}
	switch {
	case f.MaximumFailoverAttempts < 0 || f.MaximumFailoverAttempts > maxFailoverAttempts:
		b.Errorf("MaximumFailoverAttempts: want from 0, which means all branches, to %d, have %d", maxFailoverAttempts, f.MaximumFailoverAttempts)
	case f.MaximumFailoverAttempts >= len(branches) && !f.RoundRobin:
		b.Errorf("MaximumFailoverAttempts: there are %d branches after the first, have %d", len(branches)-1, f.MaximumFailoverAttempts)
	case f.MaximumFailoverAttempts == 0:
		f.MaximumFailoverAttempts = len(branches) - 1
	}
	if f.RoundRobin && f.Sticky {
		b.Errorf("want RoundRobin or Sticky, have both")
	}
	return f
}

type failover struct {
	FailoverOptions
	branches []Processor
	turn     atomic.Uint64 // of RoundRobin
	good     atomic.Uint64 // the branch that has succeeded last
}

func (f *failover) Process(ctx context.Context, ex *Exchange) error {
	var first uint64
	switch {
	case f.RoundRobin:
		first = f.turn.Add(1) - 1
	case f.Sticky:
		first = f.good.Load()
	}
	var errs []error
	for n := 0; ; n++ {
		i := (first + uint64(n)) % uint64(len(f.branches))
		err := f.try(ctx, f.branches[i], ex)
		if err == nil {
			if f.Sticky {
				f.good.Store(i)
			}
			return nil
		}
		errs = append(errs, err)
		if n == f.MaximumFailoverAttempts || ctx.Err() != nil || f.On != nil && !f.On(err) {
			return failedOver(errs)
		}
	}
}

func (f *failover) try(ctx context.Context, branch Processor, ex *Exchange) error {
	t := ex.trial()
	defer t.Release()
	err := guarded(ctx, branch, t)
	if err == nil {
		ex.become(t)
	}
	return err
}

func failedOver(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	if more := len(errs) - maxErrors; more > 0 {
		errs = append([]error{fmt.Errorf("%d branches, and then these", more)}, errs[more:]...)
	}
	return errors.Join(errs...)
}
