package route

import (
	"context"
	"iter"
	"slices"
)

// The properties of the parts of a [Route.Split].
var (
	SplitIndex    = NewProperty[int]("CamelSplitIndex")     // of the part, from 0
	SplitSize     = NewProperty[int]("CamelSplitSize")      // how many parts there are; with a sequence, only in the last
	SplitComplete = NewProperty[bool]("CamelSplitComplete") // whether it is the last part
)

// SplitOptions are the options of a [Route.Split]. The zero value leads the parts one
// after the other.
type SplitOptions struct {
	FanOut

	// Group makes one part of so many values, a []any; the last one may have fewer. With 0
	// each value is a part.
	Group int

	// MaxFailed makes the Split tolerate parts that fail, as long as there are fewer. The
	// part with which there are so many ends it, like one under StopOnError, which excludes
	// this. What has failed is in the property [SplitOutcome]. 0 is no such limit.
	MaxFailed int

	// ErrorThreshold is like MaxFailed, with which it can be combined, for the ratio of the
	// parts that have failed to those that have ended so far, between 0 and 1. It is looked
	// at with each part that fails, as in Camel, so that a first part that fails is always
	// too many. 0 is no such limit.
	ErrorThreshold float64
}

// A SplitResult says what became of the parts of a [Route.Split] that tolerates that some
// fail.
type SplitResult struct {
	Parts   int     // that have ended
	Failed  int     // of these
	Aborted bool    // because too many had failed
	Errors  []error // of the first ten that have failed
}

// SplitOutcome is the property with the [SplitResult] of a Split with
// [SplitOptions.MaxFailed] or [SplitOptions.ErrorThreshold].
var SplitOutcome = NewProperty[SplitResult]("CamelSplitResult")

type splitStep struct {
	by   Expr
	body *Block
	opts []SplitOptions
}

func (splitStep) String() string { return "split" }

func (s splitStep) Build(b *Builder) Processor {
	o := only(b, s.opts)
	switch {
	case s.body == nil:
		b.Errorf("want a block: route.Do()")
	case len(s.body.steps) == 0 && o.Merge == nil && o.Prepare == nil:
		b.Errorf("the block has no steps, and there is no Merge: nothing would become of the parts")
	}
	if f, ok := s.by.(func(*Exchange) ([]any, error)); ok && f != nil {
		s.by = func(ex *Exchange) (any, error) { return f(ex) }
	}
	if isSequence(s.by) {
		s.by = Constant(s.by)
	}
	v := b.value(s.by)
	if v.eval == nil && !isSequence(v.constant) {
		b.Errorf("%w", noParts(v.constant))
	}
	if o.Group < 0 {
		b.Errorf("want a Group that is not negative, have %d", o.Group)
	}
	f := o.FanOut.build(b, false)
	f.maxFailed, f.threshold = o.MaxFailed, o.ErrorThreshold
	switch {
	case o.MaxFailed < 0:
		b.Errorf("want a MaxFailed that is not negative, have %d", o.MaxFailed)
	case !(o.ErrorThreshold >= 0 && o.ErrorThreshold <= 1):
		b.Errorf("want an ErrorThreshold from 0 to 1, have %v", o.ErrorThreshold)
	case o.StopOnError && f.tolerant():
		b.Errorf("StopOnError tolerates no part that fails: want it without MaxFailed and ErrorThreshold")
	}
	return &split{f, v, f.prepared(b.Block(s.body)), o.Group}
}

type split struct {
	fan
	by    value
	body  Processor
	group int
}

func (s *split) Process(ctx context.Context, ex *Exchange) error {
	v, err := s.by.get(ctx, ex)
	if err != nil {
		return err
	}
	list, seq, ok := sequence(v)
	switch {
	case !ok:
		return noParts(v)
	case seq != nil:
		return s.sequence(ctx, ex, seq)
	}
	var p parts
	p.begin(ctx, ex, &s.fan)
	size := list.n
	if s.group > 0 {
		size = (list.n + s.group - 1) / s.group
	}
	for i := 0; i < size && p.room(); i++ {
		if s.group > 0 {
			s.lead(&p, list.group(i*s.group, s.group), size, i == size-1)
		} else {
			s.lead(&p, list.at(i), size, i == size-1)
		}
	}
	return s.end(&p)
}

// sequence holds one part back, so that the last one can be told that it is.
func (s *split) sequence(ctx context.Context, ex *Exchange, seq iter.Seq2[any, error]) (err error) {
	var p parts
	p.begin(ctx, ex, &s.fan)
	defer func() { // also for what a panic in the sequence leaves running
		if r := recover(); r != nil {
			p.fail(newPanicError(r))
		}
		err = s.end(&p)
	}()
	if s.group > 0 {
		seq = grouped(seq, s.group)
	}
	var held any
	some, whole := false, true
	for part, err := range seq {
		if err != nil {
			p.fail(err)
			whole = false
			break
		}
		if some {
			if !p.room() {
				return nil
			}
			s.lead(&p, held, -1, false)
		}
		held, some = part, true
	}
	if some && p.room() {
		s.lead(&p, held, -1, whole)
	}
	return nil
}

func (s *split) lead(p *parts, body any, size int, last bool) {
	part := p.next()
	part.Body = body
	SplitIndex.Set(part, p.begun)
	SplitComplete.Set(part, last)
	if last {
		size = p.begun + 1
	}
	if size >= 0 {
		SplitSize.Set(part, size)
	}
	p.lead(part, s.body)
}

func (s *split) end(p *parts) error {
	err := p.end()
	if s.tolerant() {
		SplitOutcome.Set(p.whole, SplitResult{p.ended, p.failed, p.aborted, slices.Clip(p.errs)})
	}
	return err
}
