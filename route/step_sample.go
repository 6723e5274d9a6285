package route

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// SampleOptions tell which exchanges [Route.Sample] takes.
type SampleOptions struct {
	// Period is how long after one exchange no other is taken; 0 means a second.
	Period time.Duration

	// Every takes every so-manieth exchange instead, first that with this number; 0 means
	// that Period counts. It excludes Period.
	Every int
}

// Sample lets a sample of the exchanges go on, and ends the way of the others, as a
// success, like a [Route.Filter] without a body: by default one in a second goes on.
// All exchanges of the route count together.
func (c *chain[Self]) Sample(options ...SampleOptions) Self { return c.add(sampleStep{options}) }

type sampleStep struct{ options []SampleOptions }

func (s sampleStep) String() string {
	switch {
	case len(s.options) == 0 || s.options[0] == SampleOptions{}:
		return "sample one in 1s"
	case s.options[0].Every != 0:
		return fmt.Sprintf("sample one of %d", s.options[0].Every)
	}
	return fmt.Sprintf("sample one in %v", s.options[0].Period)
}

func (s sampleStep) Build(b *Builder) Processor {
	o := only(b, s.options)
	if o.Period < 0 || o.Every < 0 {
		b.Errorf("want a Period and an Every that are not negative, have %v and %d", o.Period, o.Every)
	}
	if o.Period != 0 && o.Every != 0 {
		b.Errorf("want a Period or an Every, have both")
	}
	if o.Every > 0 {
		return &sampleEvery{n: uint64(o.Every)}
	}
	if o.Period == 0 {
		o.Period = time.Second
	}
	return &sampleIn{period: o.Period, base: time.Now()}
}

type sampleEvery struct {
	n     uint64
	count atomic.Uint64
}

func (*sampleEvery) quick() bool { return true }

func (s *sampleEvery) Process(context.Context, *Exchange) error {
	if s.count.Add(1)%s.n != 0 {
		return errFiltered
	}
	return nil
}

type sampleIn struct {
	period time.Duration
	base   time.Time
	next   atomic.Int64 // when the next one may go on, since base; 0 before the first
}

func (*sampleIn) quick() bool { return true }

func (s *sampleIn) Process(context.Context, *Exchange) error {
	now, next := int64(time.Since(s.base)), s.next.Load()
	if next != 0 && now < next || !s.next.CompareAndSwap(next, now+int64(s.period)) {
		return errFiltered // the second, because another exchange has just been taken
	}
	return nil
}
