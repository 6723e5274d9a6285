package route_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/route"
)

// splits leads the parts of a split by one way through waits.
func splits(t *testing.T, way string, bodies []int, o route.SplitOptions) (*route.Exchange, error) {
	t.Helper()
	ex, _, err := fanned(t, bodies, func(r *route.Route) {
		r.Split(func(ex *route.Exchange) any {
			if way == "sequence" {
				return slices.Values(bodies)
			}
			return bodies
		}, route.Do().Process(waits), o)
	})
	return ex, err
}

var splitWays = []string{"list", "sequence"}

func TestSplitTolerates(t *testing.T) {
	for _, way := range splitWays {
		for _, test := range []struct {
			bodies    []int
			max       int
			threshold float64
			fails     bool
			ended     int // one after the other
			failed    int
		}{
			{[]int{1, 2, 3}, 1, 0, false, 3, 0},
			{[]int{1, -2, 3}, 1, 0, true, 2, 1},
			{[]int{1, -2, 3, -4, 5}, 3, 0, false, 5, 2},
			{[]int{1, -2, 3, -4, 5}, 2, 0, true, 4, 2},
			{[]int{1, 2, 3, -4}, 0, 0.5, false, 4, 1},
			{[]int{1, -4, 3}, 0, 0.5, true, 2, 1},
			{[]int{-1, 2, 3}, 0, 1, true, 1, 1}, // the ratio so far
			{[]int{1, 2, -3, -4}, 3, 0.5, true, 4, 2},
			{[]int{1, 2, 3, 4, -5, -6}, 2, 0.5, true, 6, 2},
			{nil, 1, 0.1, false, 0, 0},
		} {
			for _, merge := range []route.Strategy{nil, route.Collect} {
				o := route.SplitOptions{MaxFailed: test.max, ErrorThreshold: test.threshold, FanOut: route.FanOut{Merge: merge}}
				ex, err := splits(t, way, test.bodies, o)
				result, ok := route.SplitOutcome.Get(ex)
				if !ok || (err != nil) != test.fails || result.Parts != test.ended || result.Failed != test.failed ||
					result.Aborted != test.fails || len(result.Errors) != test.failed {
					t.Errorf("%s %v: %v, %+v; want it to fail: %v, of %d failed %d", way, test.bodies, err, result, test.fails, test.ended, test.failed)
				}
				if err != nil && strings.Count(err.Error(), "boom") != test.failed {
					t.Errorf("%s %v: %v, want %d errors", way, test.bodies, err, test.failed)
				}
			}
		}

		// only what succeeded is merged
		o := route.SplitOptions{MaxFailed: 100, FanOut: route.FanOut{Merge: route.Collect, Parallel: 4}}
		ex, err := splits(t, way, []int{5, -4, 3, -2, 1}, o)
		if err != nil || fmt.Sprint(ex.Body) != "[5 3 1]" {
			t.Errorf("%v, %v; want [5 3 1]", ex.Body, err)
		}

		// what fails is bounded
		many := slices.Repeat([]int{-1}, 100)
		ex, err = splits(t, way, many, route.SplitOptions{MaxFailed: 50})
		result, _ := route.SplitOutcome.Get(ex)
		if err == nil || !strings.HasSuffix(err.Error(), "and 40 of the 50 parts more") || len(result.Errors) != 10 || result.Failed != 50 {
			t.Errorf("%v, %+v", err, result)
		}
	}

	// an error of the sequence, and that of a merge, are not tolerated
	boom := errors.New("boom")
	_, _, err := fanned(t, nil, func(r *route.Route) {
		r.Split(func(*route.Exchange) any {
			return iter.Seq2[int, error](func(yield func(int, error) bool) { _ = yield(1, nil) && yield(2, boom) })
		}, route.Do().Process(nop), route.SplitOptions{MaxFailed: 10})
	})
	if !errors.Is(err, boom) {
		t.Errorf("%v, want boom", err)
	}
	_, _, err = fanned(t, nil, func(r *route.Route) {
		r.Split([]int{1, 2}, route.Do().Process(nop), route.SplitOptions{MaxFailed: 10, FanOut: route.FanOut{
			Merge: func(context.Context, *route.Exchange, *route.Exchange) error { return boom },
		}})
	})
	if !errors.Is(err, boom) {
		t.Errorf("%v, want boom", err)
	}
}

func TestSplitPartsKnowWhereTheyAre(t *testing.T) {
	for _, parallel := range []int{0, 2, 8} {
		for _, unordered := range []bool{false, true} {
			for _, group := range []int{0, 1, 2, 5, 10} {
				for _, way := range splitWays {
					var want []string
					values := []any{"a", "b", "c", "d", "e"}
					size := len(values)
					if group > 0 {
						size = (size + group - 1) / group
					}
					for i := range size {
						part := any(values[i])
						if group > 0 {
							part = values[i*group : min(len(values), (i+1)*group)]
						}
						text := fmt.Sprintf("%v/%d", part, i)
						if way == "list" || i == size-1 {
							text += fmt.Sprintf("/%d", size)
						}
						if i == size-1 {
							text += "/last"
						}
						want = append(want, text)
					}
					ex, _, err := fanned(t, nil, func(r *route.Route) {
						r.Split(func(*route.Exchange) any {
							if way == "sequence" {
								return slices.Values(values)
							}
							return values
						}, route.Do().Process(showPart), route.SplitOptions{
							Group:  group,
							FanOut: route.FanOut{Parallel: parallel, Unordered: unordered, Merge: route.JoinText(" ")},
						})
					})
					got, _ := ex.Body.(string)
					if unordered {
						parts := strings.Split(got, " ")
						slices.Sort(parts)
						got = strings.Join(parts, " ")
						parts = strings.Split(strings.Join(want, " "), " ")
						slices.Sort(parts)
						want = parts
					}
					if err != nil || got != strings.Join(want, " ") {
						t.Errorf("parallel %d, group %d, %s: %s, %v; want %s", parallel, group, way, got, err, want)
					}
				}
			}
		}
	}
}

// A part that comes before an error in the sequence is led through, and is not called the last.
func TestSplitSequenceFails(t *testing.T) {
	boom := errors.New("boom")
	values := iter.Seq2[any, error](func(yield func(any, error) bool) {
		_ = yield("a", nil) && yield("b", nil) && yield("c", nil) && yield(nil, boom) && yield("d", nil)
	})
	for _, test := range []struct {
		o    route.SplitOptions
		want string
	}{
		{route.SplitOptions{}, "[a/0 b/1 c/2]"},
		{route.SplitOptions{Group: 2}, "[[a b]/0 [c]/1]"},
		{route.SplitOptions{FanOut: route.FanOut{StopOnError: true}}, "[a/0 b/1]"},
	} {
		trace, _, err := through(t, route.NewExchange(nil), func(r *route.Route) {
			r.Split(func(*route.Exchange) any { return values }, route.Do().Process(showPart).To("to:trace"), test.o)
		})
		if !errors.Is(err, boom) || fmt.Sprint(trace) != test.want {
			t.Errorf("%v, %v; want %s and boom", trace, err, test.want)
		}
	}
}

func TestSplitsInSplits(t *testing.T) {
	o := func(parallel int) route.SplitOptions {
		return route.SplitOptions{FanOut: route.FanOut{Parallel: parallel, Merge: route.Collect}}
	}
	for _, parallel := range []int{0, 3} {
		ex, took, err := fanned(t, [][]int{{30, 20}, {10}, {}}, func(r *route.Route) {
			r.Split(route.Simple("${body}"), route.Do().
				Split(route.Simple("${body}"), route.Do().Process(waits).Process(func(_ context.Context, ex *route.Exchange) error {
					i, _ := route.SplitIndex.Get(ex)
					ex.Body = fmt.Sprint(i, ":", ex.Body)
					return nil
				}), o(parallel)), o(parallel))
		})
		if err != nil || fmt.Sprint(ex.Body) != "[[0:30 1:20] [0:10] []]" || took != []time.Duration{60 * ms, 30 * ms}[min(parallel, 1)] {
			t.Errorf("%d: %v after %v, %v", parallel, ex.Body, took, err)
		}
	}
}

func TestSplitMistakes(t *testing.T) {
	block := route.Do().Process(nop)
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").
		Split([]int{}, block, route.SplitOptions{}, route.SplitOptions{}).
		Split([]int{}, route.Do()).
		Split([]int{}, block, route.SplitOptions{Group: -1}).
		Split([]int{}, block, route.SplitOptions{MaxFailed: -1}).
		Split([]int{}, block, route.SplitOptions{ErrorThreshold: 1.5}).
		Split([]int{}, block, route.SplitOptions{ErrorThreshold: math.NaN()}).
		Split([]int{}, block, route.SplitOptions{MaxFailed: 1, FanOut: route.FanOut{StopOnError: true}}).
		Split([]int{}, route.Do(), route.SplitOptions{FanOut: route.FanOut{Merge: route.Collect}})),
		`split: want one route.SplitOptions, have 2`,
		`split: the block has no steps, and there is no Merge: nothing would become of the parts`,
		`split: want a Group that is not negative, have -1`,
		`split: want a MaxFailed that is not negative, have -1`,
		`split: want an ErrorThreshold from 0 to 1, have 1.5`,
		`split: want an ErrorThreshold from 0 to 1, have NaN`,
		`split: StopOnError tolerates no part that fails: want it without MaxFailed and ErrorThreshold`)
}
