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
	list, seq, ok := parts(v)
	switch {
	case !ok:
		return fmt.Errorf("want %s, have %T", sequences, v)
	case seq != nil:
		return s.sequence(ctx, ex, seq)
	}
	var r result
	for i := range list.n {
		if ctx.Err() != nil {
			r.errs = append(r.errs, context.Cause(ctx))
			break
		}
		r.add(s.part(ctx, ex, list.at(i), i, list.n, i == list.n-1))
	}
	return r.error()
}

// sequence holds one part back, so that the last one can be told that it is.
func (s *split) sequence(ctx context.Context, ex *Exchange, seq iter.Seq2[any, error]) error {
	var r result
	var held any
	some := false
	for part, err := range seq {
		if err != nil {
			r.errs = append(r.errs, err)
			break
		}
		if ctx.Err() != nil {
			r.errs = append(r.errs, context.Cause(ctx))
			return r.error()
		}
		if some {
			r.add(s.part(ctx, ex, held, r.parts, -1, false))
		}
		held, some = part, true
	}
	if some {
		r.add(s.part(ctx, ex, held, r.parts, -1, true))
	}
	return r.error()
}

// A result gathers the errors of parts.
type result struct {
	errs          []error
	parts, failed int
}

func (r *result) add(err error) {
	r.parts++
	if err == nil {
		return
	}
	if r.failed++; r.failed <= maxErrors {
		r.errs = append(r.errs, err)
	}
}

func (r *result) error() error {
	if r.failed > maxErrors {
		r.errs = append(r.errs, fmt.Errorf("and %d of the %d parts more", r.failed-maxErrors, r.parts))
	}
	return errors.Join(r.errs...)
}

func (s *split) part(ctx context.Context, ex *Exchange, body any, index, size int, last bool) error {
	part := ex.Clone()
	defer part.Release()
	part.Body = body
	part.flight = ex.flight // where others see it
	part.id = exchangeID{0, serial.Add(1)}
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

// A list is parts that are all there: values, or what an array or a slice of another type
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

// parts returns the parts of v, as a list or as a sequence.
func parts(v any) (l list, seq iter.Seq2[any, error], ok bool) {
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
