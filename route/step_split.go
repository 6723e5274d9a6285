package route

import (
	"context"
	"errors"
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

type splitStep struct {
	by   Expr
	body *Block
}

func (splitStep) String() string { return "split" }

func (s splitStep) Build(b *Builder) Processor {
	if s.body == nil {
		b.Errorf("want a block: route.Do()")
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
	return &split{v, b.Block(s.body)}
}

type split struct {
	by   value
	body Processor
}

// maxErrors is how many errors of parts a split reports one by one.
const maxErrors = 10

func (s *split) Process(ctx context.Context, ex *Exchange) error {
	v, err := s.by.get(ctx, ex)
	if err != nil {
		return err
	}
	seq, size, ok := parts(v)
	if !ok {
		return fmt.Errorf("want %s, have %T", sequences, v)
	}
	var errs []error
	failed, index := 0, 0
	run := func(part any, last bool) {
		if err := s.part(ctx, ex, part, index, size, last); err != nil {
			if failed++; failed <= maxErrors {
				errs = append(errs, err)
			}
		}
		index++
	}
	// One part is held back, so that the last one can be told that it is.
	var held any
	var some bool
	for part, err := range seq {
		if err != nil {
			errs = append(errs, err)
			break
		}
		if ctx.Err() != nil {
			return errors.Join(append(errs, context.Cause(ctx))...)
		}
		if some {
			run(held, false)
		}
		held, some = part, true
	}
	if some {
		run(held, true)
	}
	if failed > maxErrors {
		errs = append(errs, fmt.Errorf("and %d of the %d parts more", failed-maxErrors, index))
	}
	return errors.Join(errs...)
}

func (s *split) part(ctx context.Context, ex *Exchange, body any, index, size int, last bool) error {
	part := ex.Clone()
	defer part.Release()
	part.Body = body
	part.flight = ex.flight
	SplitIndex.Set(part, index)
	SplitComplete.Set(part, last)
	if last {
		size = index + 1
	}
	if size >= 0 {
		SplitSize.Set(part, size)
	}
	return guarded(ctx, s.body, part)
}

const sequences = "a slice, an array, an iter.Seq or an iter.Seq2 of values and errors"

func isSequence(v any) bool { _, _, ok := parts(v); return ok && v != nil }

// parts returns the parts of v, and how many there are, -1 where that is not known.
func parts(v any) (seq iter.Seq2[any, error], size int, ok bool) {
	switch v := v.(type) {
	case nil:
		return func(func(any, error) bool) {}, 0, true
	case []any:
		return each(len(v), func(i int) any { return v[i] }), len(v), true
	case []string:
		return each(len(v), func(i int) any { return v[i] }), len(v), true
	case iter.Seq[any]:
		return func(yield func(any, error) bool) { v(func(x any) bool { return yield(x, nil) }) }, -1, true
	case iter.Seq2[any, error]:
		return v, -1, true
	}
	r := reflect.ValueOf(v)
	switch t := r.Type(); t.Kind() {
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() != reflect.Uint8 { // bytes are one value
			return each(r.Len(), func(i int) any { return r.Index(i).Interface() }), r.Len(), true
		}
	case reflect.Func:
		switch {
		case t.CanSeq2() && t.In(0).In(1) == reflect.TypeFor[error]():
			return func(yield func(any, error) bool) {
				for x, err := range r.Seq2() {
					err, _ := err.Interface().(error)
					if !yield(x.Interface(), err) {
						return
					}
				}
			}, -1, true
		case t.CanSeq():
			return func(yield func(any, error) bool) {
				for x := range r.Seq() {
					if !yield(x.Interface(), nil) {
						return
					}
				}
			}, -1, true
		}
	}
	return nil, 0, false
}

func each(n int, at func(int) any) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for i := range n {
			if !yield(at(i), nil) {
				return
			}
		}
	}
}
