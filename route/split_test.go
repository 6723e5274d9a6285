package route_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/route"
)

// a part of a split shows as body/index/size/complete.
func showPart(_ context.Context, ex *route.Exchange) error {
	index, _ := route.SplitIndex.Get(ex)
	size, ok := route.SplitSize.Get(ex)
	complete, _ := route.SplitComplete.Get(ex)
	text := fmt.Sprintf("%v/%d", ex.Body, index)
	if ok {
		text += fmt.Sprintf("/%d", size)
	}
	if complete {
		text += "/last"
	}
	ex.Body = text
	return nil
}

func TestSplitSequences(t *testing.T) {
	type numbers []int
	known := "[a/0/3 b/1/3 c/2/3/last]"
	unknown := "[a/0 b/1 c/2/3/last]"
	text := []string{"a", "b", "c"}
	for i, test := range []struct {
		parts any
		want  string
	}{
		{text, known},
		{[]any{"a", "b", "c"}, known},
		{[3]string{"a", "b", "c"}, known},
		{numbers{7}, "[7/0/1/last]"},
		{[][]byte{[]byte("x")}, "[[120]/0/1/last]"},
		{slices.Values(text), unknown},
		{iter.Seq[any](func(yield func(any) bool) { _ = yield("a") && yield("b") && yield("c") }), unknown},
		{iter.Seq2[any, error](func(yield func(any, error) bool) { _ = yield("a", nil) && yield("b", nil) && yield("c", nil) }), unknown},
		{iter.Seq2[string, error](func(yield func(string, error) bool) { _ = yield("a", nil) && yield("b", nil) && yield("c", nil) }), unknown},
		{func(yield func(string) bool) { _ = yield("a") && yield("b") && yield("c") }, unknown},
		{[]string{}, "[]"},
		{[]string(nil), "[]"},
		{slices.Values([]int{}), "[]"},
		{slices.Values([]int{1}), "[1/0/1/last]"},
		{nil, "[]"},
	} {
		trace, _, err := through(t, route.NewExchange("whole"), func(r *route.Route) {
			r.Split(func(*route.Exchange) any { return test.parts }, route.Do().Process(showPart).To("to:trace")).Filter(route.Where(func(s string) bool { return s == "whole" })).To("to:trace")
		})
		want := strings.TrimPrefix(strings.TrimSuffix(test.want, "]")+" whole]", "[ ")
		if got := strings.TrimPrefix(fmt.Sprint(trace), "["); err != nil || got != strings.TrimPrefix(want, "[") {
			t.Errorf("%d: %v, %v; want %s", i, trace, err, want)
		}
	}
	for _, parts := range []any{"text", []byte("bytes"), 42, map[string]int{}, func() {}, func(func(int, int) bool) {}} {
		if _, _, err := through(t, route.NewExchange(nil), func(r *route.Route) {
			r.Split(func(*route.Exchange) any { return parts }, route.Do().Process(nop))
		}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("errors, have %T", parts)) {
			t.Errorf("%T: %v", parts, err)
		}
	}
}

func TestSplitPartsHaveTheirOwnExchange(t *testing.T) {
	ex := route.NewExchange([]string{"a", "stop", "c"})
	ex.SetHeader("h", "whole")
	ids := map[string]bool{}
	trace, _, err := through(t, ex, func(r *route.Route) {
		r.Split(route.Simple("${body}"), route.Do().
			Process(func(_ context.Context, part *route.Exchange) error {
				if part.Header("h") != "whole" || part.Property("p") != nil || part.RouteID() != "route1" {
					t.Errorf("part %v has header %v, property %v, route %q", part.Body, part.Header("h"), part.Property("p"), part.RouteID())
				}
				ids[part.ID()] = true
				part.SetHeader("h", "part")
				part.SetProperty("p", 1)
				return nil
			}).
			Filter(route.Where(func(s string) bool { return s == "stop" }), route.Do().Stop()).
			To("to:trace")).
			SetBody(route.NewKey[string]("h")).
			To("to:trace")
	})
	ids[ex.ID()] = true
	if err != nil || fmt.Sprint(trace) != "[a c whole]" || len(ids) != 4 {
		t.Errorf("%v, %v, %d ids; want [a c whole], 4 ids", trace, err, len(ids))
	}
}

func TestSplitErrors(t *testing.T) {
	boom := errors.New("boom")
	split := func(parts any, fails func(i int) bool) (trace []any, logs []string, err error) {
		return through(t, route.NewExchange(parts), func(r *route.Route) {
			r.Split(route.Simple("${body}"), route.Do().
				To("to:trace").
				Process(func(_ context.Context, ex *route.Exchange) error {
					switch i, _ := route.SplitIndex.Get(ex); {
					case i == 3:
						panic("three")
					case fails(i):
						return boom
					}
					return nil
				})).To("to:trace")
		})
	}
	place := here(-11)
	trace, logs, err := split([]int{0, 1, 2, 3, 4}, func(i int) bool { return i == 1 })
	one := place + `: route "route1": exchange ID: process: `
	wantError(t, err, one+"boom\n"+one+"panic: three")
	if fmt.Sprint(trace) != "[0 1 2 3 4]" || !errors.Is(err, boom) || len(logs) != 1 ||
		!strings.Contains(logs[0], "boom") || !strings.Contains(logs[0], "panic: three") {
		t.Errorf("parts %v, logs %q", trace, logs)
	}

	many := make([]int, 10_000)
	trace, _, err = split(many, func(i int) bool { return true })
	if n := len(err.Error()); len(trace) != len(many) || n > 5000 || !strings.HasSuffix(err.Error(), "and 9990 of the 10000 parts more") {
		t.Errorf("%d parts, error of %d bytes: %.100s … %s", len(trace), n, err, err.Error()[max(0, n-100):])
	}

	trace, _, err = split(iter.Seq2[int, error](func(yield func(int, error) bool) {
		_ = yield(1, nil) && yield(2, nil) && yield(3, boom) && yield(4, nil)
	}), func(i int) bool { return false })
	wantError(t, err, here(-31)+`: route "route1": exchange ID: split: boom`)
	if fmt.Sprint(trace) != "[1 2]" {
		t.Errorf("parts before the error: %v, want [1 2]", trace)
	}

	trace, _, err = split(func(yield func(int) bool) { yield(1); yield(2); panic("in the sequence") }, func(int) bool { return false })
	if err == nil || !strings.HasSuffix(err.Error(), "panic: in the sequence") || fmt.Sprint(trace) != "[1]" {
		t.Errorf("%v, %v", trace, err)
	}
}

func TestSplitStopsWhenItsTimeIsOver(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	n := 0
	trace, _, err := through(t, route.NewExchange(nil), func(r *route.Route) {
		r.Process(func(_ context.Context, ex *route.Exchange) error { return nil }).
			Step(custom{func(b *route.Builder) route.Processor {
				split := b.Block(route.Do().Split(func(*route.Exchange) any {
					return func(yield func(int) bool) {
						for ; yield(n); n++ {
							if n == 3 {
								cancel(errors.New("enough"))
							}
						}
					}
				}, route.Do().To("to:trace")))
				return route.ProcessorFunc(func(_ context.Context, ex *route.Exchange) error { return split.Process(ctx, ex) })
			}})
	})
	if err == nil || !strings.HasSuffix(err.Error(), ": split: enough") || n > 5 || len(trace) > 4 {
		t.Errorf("%v after %d, parts %v", err, n, trace)
	}
}
