package route

import (
	"context"
	"fmt"
	"iter"
	"reflect"
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
		b.Errorf("want %s, have %T", sequences, v.constant)
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
		return fmt.Errorf("want %s, have %T", sequences, v)
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
		SplitOutcome.Set(p.whole, SplitResult{p.ended, p.failed, p.aborted, p.errs[:len(p.errs):len(p.errs)]})
	}
	return err
}

const sequences = "a slice, an array, an iter.Seq or an iter.Seq2 of values and errors"

func isSequence(v any) bool { _, _, ok := sequence(v); return ok && v != nil }

// A list is values that are all there: values, or what an array or a slice of another type
// holds.
type list struct {
	n      int
	values []any
	other  reflect.Value
}

func (l *list) at(i int) any {
	if l.values != nil {
		return l.values[i]
	}
	return l.other.Index(i).Interface()
}

func (l *list) all(yield func(any, error) bool) {
	for i := range l.n {
		if !yield(l.at(i), nil) {
			return
		}
	}
}

// group returns up to n values from i.
func (l *list) group(i, n int) []any {
	group := make([]any, min(n, l.n-i))
	for k := range group {
		group[k] = l.at(i + k)
	}
	return group
}

// grouped yields groups of n values, and before an error those that came before it.
func grouped(seq iter.Seq2[any, error], n int) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		var group []any
		for v, err := range seq {
			if err == nil {
				if group = append(group, v); len(group) < n {
					continue
				}
			}
			if len(group) > 0 && !yield(group, nil) {
				return
			}
			group = nil
			if err != nil && !yield(nil, err) {
				return
			}
		}
		if len(group) > 0 {
			yield(group, nil)
		}
	}
}

// sequence returns the values of v, as a list or as a sequence.
func sequence(v any) (l list, seq iter.Seq2[any, error], ok bool) {
	switch v := v.(type) {
	case nil:
		return list{}, nil, true
	case []any:
		return list{n: len(v), values: v}, nil, true
	case iter.Seq2[any, error]:
		return list{}, v, v != nil
	}
	r := reflect.ValueOf(v)
	switch t := r.Type(); t.Kind() {
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() != reflect.Uint8 { // bytes are one value
			return list{n: r.Len(), other: r}, nil, true
		}
	case reflect.Func:
		switch {
		case r.IsNil():
		case t.CanSeq2() && t.In(0).In(1) == reflect.TypeFor[error]():
			return list{}, func(yield func(any, error) bool) {
				for x, err := range r.Seq2() {
					err, _ := reflect.TypeAssert[error](err)
					if !yield(x.Interface(), err) {
						return
					}
				}
			}, true
		case t.CanSeq():
			return list{}, func(yield func(any, error) bool) {
				for x := range r.Seq() {
					if !yield(x.Interface(), nil) {
						return
					}
				}
			}, true
		}
	}
	return list{}, nil, false
}
