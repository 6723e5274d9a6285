package route_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/route"
)

func TestSort(t *testing.T) {
	type name string
	type pair struct{ key, value int }
	byKey := route.SortBy(func(a, b pair) int { return cmp.Compare(a.key, b.key) })
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		have any
		by   []route.Order
		want any
		err  string
	}{
		{[]int{3, 1, 2}, nil, []int{1, 2, 3}, ""},
		{
			[]any{3, 1.5, uint8(2), int64(-1), uint64(math.MaxUint64), 1e30, -1e30, math.Inf(1)},
			nil,
			[]any{-1e30, int64(-1), 1.5, uint8(2), 3, uint64(math.MaxUint64), 1e30, math.Inf(1)},
			"",
		},
		{
			[]any{int64(math.MaxInt64), 9223372036854775808.0, int64(math.MaxInt64 - 1), 9223372036854774784.0},
			nil,
			[]any{9223372036854774784.0, int64(math.MaxInt64 - 1), int64(math.MaxInt64), 9223372036854775808.0},
			"",
		},
		{[]any{2, 1.5, 1, -1.5, uint(1), -1, -2}, nil, []any{-2, -1.5, -1, 1, uint(1), 1.5, 2}, ""},
		{[]string{"b", "", "a", "B"}, nil, []string{"", "B", "a", "b"}, ""},
		{[]name{"b", "a"}, nil, []name{"a", "b"}, ""},
		{[2]string{"b", "a"}, nil, []string{"a", "b"}, ""},
		{[][]byte{{2}, {1}}, nil, [][]byte{{1}, {2}}, ""},
		{[]bool{true, false, true}, nil, []bool{false, true, true}, ""},
		{[]time.Time{noon.Add(1), noon}, nil, []time.Time{noon, noon.Add(1)}, ""},
		{[]pair{{2, 1}, {1, 1}, {2, 0}, {1, 0}}, []route.Order{byKey}, []pair{{1, 1}, {1, 0}, {2, 1}, {2, 0}}, ""},
		{[]any{}, nil, []any{}, ""},
		{[]int(nil), nil, []int{}, ""},
		{nil, nil, nil, ""},
		{[]any{nil}, nil, []any{nil}, ""},
		{[]any{1, "2"}, nil, nil, "string and int have no natural order: want numbers, strings, bools or times, or an order by route.SortBy"},
		{[]any{1, nil}, nil, nil, "<nil> and int have no natural order: want numbers, strings, bools or times, or an order by route.SortBy"},
		{[]json.Number{"1", "2"}, nil, nil, "json.Number and json.Number have no natural order: want numbers, strings, bools or times, or an order by route.SortBy"},
		{[]any{pair{}, 1}, []route.Order{byKey}, nil, "want values of type route_test.pair, have int"},
		{[]any{1, pair{}}, []route.Order{byKey}, nil, "want values of type route_test.pair, have int"},
		{"text", nil, nil, "want a slice, an array or a sequence to sort, have string"},
		{slices.Values([]int{3, 1}), nil, []any{1, 3}, ""},
		{slices.Values([]int(nil)), nil, []any{}, ""},
		{iter.Seq2[any, error](func(yield func(any, error) bool) { _ = yield(2, nil) && yield(nil, errors.New("no")) }), nil, nil, "no"},
		{iter.Seq[int](func(yield func(int) bool) {
			for yield(1) {
			}
		}), nil, nil, "want at most 1000000 values to sort, have more"},
	} {
		before := fmt.Sprint(test.have)
		ex, _, err := fanned(t, test.have, func(r *route.Route) {
			r.Sort(route.Simple("${body}"), test.by...)
		})
		if test.err != "" {
			if err == nil || !strings.HasSuffix(err.Error(), ": sort: "+test.err) {
				t.Errorf("%v: %v, want %s", test.have, err, test.err)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(ex.Body, test.want) {
			t.Errorf("%v: %#v, %v; want %#v", test.have, ex.Body, err, test.want)
		}
		if fmt.Sprint(test.have) != before {
			t.Errorf("%s: has become %v, which others may share", before, test.have)
		}
	}

	ex, _, err := fanned(t, "b,c,a", func(r *route.Route) { r.Sort(route.Tokenize(",")) })
	if err != nil || !reflect.DeepEqual(ex.Body, []any{"a", "b", "c"}) {
		t.Errorf("%v, %v", ex.Body, err)
	}
	ex, _, err = fanned(t, []float64{1, math.NaN(), -1}, func(r *route.Route) { r.Sort(route.Simple("${body}")) })
	if err != nil || fmt.Sprint(ex.Body) != "[NaN -1 1]" {
		t.Errorf("%v, %v", ex.Body, err)
	}
	ex, _, err = fanned(t, []any{1, math.NaN()}, func(r *route.Route) { r.Sort(route.Simple("${body}")) })
	if err != nil || fmt.Sprint(ex.Body) != "[NaN 1]" {
		t.Errorf("%v, %v", ex.Body, err)
	}
}

func TestSortMistakes(t *testing.T) {
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").
		Sort("b,a").
		Sort([]any{1, "a"}).
		Sort([]int{1}, nil).
		Sort([]int{1}, route.SortBy[int](nil)).
		Sort([]int{1}, route.Natural, route.Natural).
		Sort(route.Do())),
		`sort: want a slice, an array or a sequence to sort, have string`,
		`sort: string and int have no natural order: want numbers, strings, bools or times, or an order by route.SortBy`,
		`sort: nil function`,
		`sort: nil function`,
		`sort: want one route.Order, have 2`,
		`sort: want a value or an expression, have *route.Block`)
}
