package route

import (
	"context"
	"fmt"
	"iter"
	"reflect"
	"slices"
)

// Sort makes the body a sorted copy of the slice, or of the array, that e gives, or a sorted
// []any of what a sequence gives, such as that of [Tokenize], up to 1 000 000 values.
// Without an [Order], of which there may be one, it is sorted by [Natural]. Equal values keep
// their order. A nil value has nothing to sort, and becomes the body.
func (c *chain[Self]) Sort(e Expr, by ...Order) Self { return c.add(sortStep{e, by}) }

// maxSorted is how many values of a sequence are sorted.
const maxSorted = 1_000_000

type sortStep struct {
	e  Expr
	by []Order
}

func (sortStep) String() string { return "sort" }

func (s sortStep) Build(b *Builder) Processor {
	order := only(b, s.by)
	if order == nil {
		if len(s.by) == 1 {
			b.Errorf("nil function")
		}
		order = Natural
	}
	if isSequence(s.e) {
		s.e = Constant(s.e)
	}
	v := b.value(s.e)
	if v.eval == nil {
		if _, seq, _ := sequence(v.constant); seq == nil {
			if _, err := sorted(context.Background(), v.constant, order); err != nil {
				b.Errorf("%w", err)
			}
		}
	}
	return ProcessorFunc(func(ctx context.Context, ex *Exchange) error {
		values, err := v.get(ctx, ex)
		if err == nil {
			values, err = sorted(ctx, values, order)
		}
		if err == nil {
			ex.Body = values
		}
		return err
	})
}

// sorted returns a sorted copy, a slice of the same elements.
func sorted(ctx context.Context, v any, by Order) (_ any, err error) {
	l, seq, ok := sequence(v)
	switch {
	case v == nil:
		return nil, nil
	case !ok:
		return nil, fmt.Errorf("want a slice, an array or a sequence to sort, have %T", v)
	case seq != nil:
		if l.values, err = gathered(ctx, seq); err != nil {
			return nil, err
		}
	}
	all := slices.Clone(l.values)
	if all == nil {
		all = make([]any, l.n)
		for i := range all {
			all[i] = l.at(i)
		}
	}
	slices.SortStableFunc(all, func(a, b any) int {
		if err != nil {
			return 0
		}
		var n int
		n, err = by(a, b)
		return n
	})
	if err != nil || l.values != nil {
		return all, err
	}
	result := reflect.MakeSlice(reflect.SliceOf(l.other.Type().Elem()), l.n, l.n)
	for i, x := range all {
		if x != nil { // a nil in a slice of an interface type is its zero value
			result.Index(i).Set(reflect.ValueOf(x))
		}
	}
	return result.Interface(), nil
}

// gathered returns the values of a sequence.
func gathered(ctx context.Context, seq iter.Seq2[any, error]) ([]any, error) {
	values := []any{}
	for x, err := range seq {
		switch {
		case err != nil:
			return nil, err
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case len(values) == maxSorted:
			return nil, fmt.Errorf("want at most %d values to sort, have more", maxSorted)
		}
		values = append(values, x)
	}
	return values, nil
}
