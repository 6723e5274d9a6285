package routetest

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Ascending expects that what by gives of each exchange is not less than that of the one
// before.
func Ascending[T cmp.Ordered](by func(*route.Exchange) T) Expectation {
	return ordered("not less", by, 1)
}

// Descending expects that what by gives of each exchange is not more than that of the one
// before.
func Descending[T cmp.Ordered](by func(*route.Exchange) T) Expectation {
	return ordered("not more", by, -1)
}

func ordered[T cmp.Ordered](what string, by func(*route.Exchange) T, sign int) Expectation {
	return func(got Got) error {
		for i, ex := range got.Exchanges {
			if i == 0 {
				continue
			}
			if before, v := by(got.Exchanges[i-1]), by(ex); cmp.Compare(v, before)*sign < 0 {
				return fmt.Errorf("exchange %d: want a value that is %s than %s, have %s", i, what, show(before), show(v))
			}
		}
		return nil
	}
}

// NoDuplicates expects that by gives another value for each exchange.
func NoDuplicates[T comparable](by func(*route.Exchange) T) Expectation {
	return func(got Got) error {
		seen := map[T]int{}
		for i, ex := range got.Exchanges {
			v := by(ex)
			if first, ok := seen[v]; ok {
				return fmt.Errorf("exchange %d: want no duplicates, have %s of exchange %d again", i, show(v), first)
			}
			seen[v] = i
		}
		return nil
	}
}

// Matches expects that the first of hold holds for the first exchange, the second for the
// second, and so on. There may be more exchanges.
func Matches(hold ...func(*route.Exchange) bool) Expectation {
	return func(got Got) error {
		if len(got.Exchanges) < len(hold) {
			return fmt.Errorf("want %d exchanges that match, have %d", len(hold), len(got.Exchanges))
		}
		for i, holds := range hold {
			if !holds(got.Exchanges[i]) {
				return fmt.Errorf("exchange %d does not match", i)
			}
		}
		return nil
	}
}

// At expects something of one exchange: the i-th, from 0, or the last, from -1 down.
func At(i int, want ...Expectation) Expectation {
	return func(got Got) error {
		at := i
		if at < 0 {
			at += len(got.Exchanges)
		}
		if at < 0 || at >= len(got.Exchanges) {
			return fmt.Errorf("want an exchange %d, have %d of them", i, len(got.Exchanges))
		}
		err := unmet(Got{got.Exchanges[at : at+1], got.Arrived[at : at+1], 1}, want)
		if err != nil {
			return fmt.Errorf("of exchange %d alone: %w", i, err)
		}
		return nil
	}
}

// ArrivesWithin expects that each exchange arrived so long after the one before, or less.
func ArrivesWithin(most time.Duration) Expectation { return ArrivesBetween(0, most) }

// ArrivesBetween expects that each exchange arrived between least and most after the one
// before.
func ArrivesBetween(least, most time.Duration) Expectation {
	return func(got Got) error {
		var errs []error
		for i := 1; i < len(got.Arrived) && len(errs) < maxShown; i++ {
			if d := got.Arrived[i].Sub(got.Arrived[i-1]); d < least || d > most {
				errs = append(errs, fmt.Errorf("exchange %d: want it from %v to %v after the one before, have %v", i, least, most, d))
			}
		}
		return errors.Join(errs...)
	}
}
