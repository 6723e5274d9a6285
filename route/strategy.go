package route

import (
	"context"
	"fmt"
)

// A Strategy folds exchanges into one: it adds next to group, whose body and headers
// become those of the result. Camel calls it an aggregation strategy.
//
// It is called for every exchange, also the first. Then group has the headers of next and
// no body, and the property [AggregatedSize] is not there; later that tells how many
// exchanges group holds. An enricher calls it once, with the exchange that is enriched as
// group, which counts as one. It may keep the body of next, not next itself, and is never called by two
// goroutines at once for one group.
type Strategy func(ctx context.Context, group, next *Exchange) error

// AggregatedSize is the property that tells how many exchanges a group holds.
var AggregatedSize = NewProperty[int]("CamelAggregatedSize")

// fold adds next to group, which is made if it is nil. The group is the caller's.
func (s Strategy) fold(ctx context.Context, group, next *Exchange) (_ *Exchange, err error) {
	if group == nil {
		group = next.Clone()
		group.Body = nil
		group.properties.remove(func(name string) bool { return equalFold(name, AggregatedSize.Name()) })
	}
	defer func() {
		if p := recover(); p != nil {
			err = newPanicError(p)
		}
	}()
	size, _ := AggregatedSize.Get(group)
	if err = s(ctx, group, next); err == nil {
		AggregatedSize.Set(group, size+1)
	}
	return group, err
}

// UseLatest is the [Strategy] that takes the body and headers of the latest exchange.
func UseLatest(_ context.Context, group, next *Exchange) error {
	group.Body = next.Body
	group.headers.reset()
	group.headers.copyFrom(&next.headers)
	return nil
}

// UseOriginal is the [Strategy] that takes nothing from the exchanges it is given: a
// group has the body of the first one, and an exchange that is enriched stays as it is.
func UseOriginal(_ context.Context, group, next *Exchange) error {
	if group.Body == nil {
		group.Body = next.Body
	}
	return nil
}

// Collect is the [Strategy] that gathers the bodies in a []any. An enricher adds to a body
// that is one, and makes one of any other.
func Collect(_ context.Context, group, next *Exchange) error {
	var all []any
	if _, ok := AggregatedSize.Get(group); ok {
		if all, ok = group.Body.([]any); !ok { // which is enriched
			all = []any{group.Body}
		}
	}
	group.Body = append(all, next.Body)
	return nil
}

// JoinText returns the [Strategy] that joins bodies of type string or []byte, with
// separator between them, into a string.
func JoinText(separator string) Strategy {
	return func(_ context.Context, group, next *Exchange) error {
		var text string
		switch body := next.Body.(type) {
		case string:
			text = body
		case []byte:
			text = string(body)
		default:
			return fmt.Errorf("body is %T, want string or []byte", body)
		}
		if _, ok := AggregatedSize.Get(group); ok {
			before, _ := group.Body.(string)
			text = before + separator + text
		}
		group.Body = text
		return nil
	}
}

// Fold returns the [Strategy] that adds the bodies, which are of type In, to a sum, which
// begins as the zero value. In an enricher the body is the sum, to which the reply is added.
func Fold[Sum, In any](add func(ctx context.Context, sum Sum, next In) (Sum, error)) Strategy {
	if add == nil {
		return nil
	}
	return func(ctx context.Context, group, next *Exchange) error {
		in, err := BodyAs[In](next)
		if err != nil {
			return err
		}
		var sum Sum
		if _, ok := AggregatedSize.Get(group); ok {
			if sum, err = BodyAs[Sum](group); err != nil {
				return err
			}
		}
		if sum, err = add(ctx, sum, in); err == nil {
			group.Body = sum
		}
		return err
	}
}
