package route_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// groups collects what comes through a block, as lines "key by size: body".
type groups struct {
	mu    sync.Mutex
	lines []string
	after time.Time
}

func (g *groups) block() *route.Block { return route.Do().Process(g.add) }

func (g *groups) add(_ context.Context, ex *route.Exchange) error {
	key, _ := route.AggregatedKey.Get(ex)
	by, _ := route.AggregatedCompletedBy.Get(ex)
	size, _ := route.AggregatedSize.Get(ex)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lines = append(g.lines, fmt.Sprintf("%s %s %d: %v", key, by, size, ex.Body))
	g.after = time.Now()
	return nil
}

// want compares what came since it was called last.
func (g *groups) want(t testing.TB, want ...string) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if !slices.Equal(g.lines, want) {
		t.Errorf("groups:\n  %s\nwant\n  %s", strings.Join(g.lines, "\n  "), strings.Join(want, "\n  "))
	}
	g.lines = nil
}

// pass lets time pass, and all be done that is to be done by then.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

var byKind = route.NewKey[string]("type")

// of gives in:a messages "key body", each with a header of the key.
func (k *kit) of(t testing.TB, messages ...string) {
	t.Helper()
	for _, m := range messages {
		if err := k.offer(m); err != nil {
			t.Errorf("%s: %v", m, err)
		}
	}
}

func (k *kit) offer(message string, options ...func(*route.Exchange)) error {
	key, body, _ := strings.Cut(message, " ")
	ex := route.NewExchange(body)
	defer ex.Release()
	byKind.Set(ex, key)
	for _, o := range options {
		o(ex)
	}
	return k.give("a", ex)
}

// aggregating starts a route that aggregates by the header "type".
func aggregating(t testing.TB, merge route.Strategy, o route.AggregateOptions) (*kit, *groups) {
	t.Helper()
	g := new(groups)
	return start(t, route.Config{Poison: true}, route.From("in:a").Aggregate(byKind, merge, g.block(), o)), g
}

var join = route.JoinText("+")

func TestAggregateBySize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, route.Collect, route.AggregateOptions{Size: 2})
		k.of(t, "x 1", "y 2", "x 3", "x 4", "y 5", "x 6")
		g.want(t, "x size 2: [1 3]", "y size 2: [2 5]", "x size 2: [4 6]")

		k, g = aggregating(t, join, route.AggregateOptions{Size: func(ex *route.Exchange) any { return ex.Header("most") }})
		most := func(v any) func(*route.Exchange) { return func(ex *route.Exchange) { ex.SetHeader("most", v) } }
		for i, v := range []any{2, nil} { // the group has the headers of the first one
			if err := k.offer("x a", most(v)); err != nil {
				t.Error(i, err)
			}
		}
		g.want(t, "x size 2: a+a")
		if err := k.offer("x b", most("many")); err == nil || !strings.Contains(err.Error(), `Size: `) {
			t.Errorf("size %q: %v", "many", err)
		}
		if err := k.offer("x b", most("1")); err != nil {
			t.Error(err)
		}
		g.want(t, "x size 1: b")
	})
}

// The exchange goes on behind the step as it was, and the group is another one.
func TestAggregateExchangeGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		say := func(what string) route.ProcessorFunc {
			return func(_ context.Context, ex *route.Exchange) error {
				_, sized := route.AggregatedSize.Get(ex)
				got = append(got, fmt.Sprint(what, " ", ex.Body, " ", ex.Header("h"), " ", sized, " ", ex.ReplyExpected()))
				return nil
			}
		}
		k := start(t, route.Config{}, route.From("in:a").
			Aggregate("all", join, route.Do().Process(say("group")).SetHeader("h", 2).SetBody("changed"), route.AggregateOptions{Size: 2}).
			Process(say("after")))
		for _, body := range []string{"a", "b"} {
			ex := route.NewRequest(body)
			ex.SetHeader("h", 1)
			if err := k.give("a", ex); err != nil || ex.Body != body {
				t.Error(ex.Body, err)
			}
		}
		wantLines(t, "seen", got, "after a 1 false true", "group a+b 1 true false", "after b 1 false true")
	})
}

func TestAggregateByTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, join, route.AggregateOptions{Timeout: 5 * time.Second})
		begun := time.Now()
		k.of(t, "x 1", "y 1")
		pass(4 * time.Second)
		k.of(t, "x 2") // which waits anew
		pass(time.Second)
		g.want(t, "y timeout 1: 1")
		pass(10 * time.Second)
		g.want(t, "x timeout 2: 1+2")
		if d := g.after.Sub(begun); d != 9*time.Second {
			t.Errorf("after %v, want 9s", d)
		}
		if n := len(k.logs.take()); n != 0 {
			t.Errorf("%d lines in the log", n)
		}
	})
}

// Milliseconds, and an expression whose value may be shorter or longer than before, or
// leave it as it was.
func TestAggregateByTimeoutOfEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, join, route.AggregateOptions{Timeout: func(ex *route.Exchange) any { return ex.Header("wait") }})
		wait := func(v any) func(*route.Exchange) { return func(ex *route.Exchange) { ex.SetHeader("wait", v) } }
		begun := time.Now()
		give := func(m string, v any) {
			if err := k.offer(m, wait(v)); err != nil {
				t.Error(err)
			}
		}
		after := func(want time.Duration, lines ...string) {
			t.Helper()
			pass(20 * time.Second)
			g.want(t, lines...)
			if d := g.after.Sub(begun); d != want {
				t.Errorf("after %v, want %v", d, want)
			}
			begun = time.Now()
		}
		give("x 1", 10_000)
		give("x 2", time.Second) // shorter
		after(time.Second, "x timeout 2: 1+2")
		give("x 1", "1s")
		give("x 2", 10*time.Second) // longer
		after(10*time.Second, "x timeout 2: 1+2")
		give("x 1", 2*time.Second)
		pass(time.Second)
		give("x 2", nil)
		after(2*time.Second, "x timeout 2: 1+2")
		if err := k.offer("x 1", wait(-1)); err == nil || !strings.Contains(err.Error(), "Timeout: want a duration that is not negative") {
			t.Error(err)
		}
	})
}

// Groups complete in the order of their deadlines, whatever the order of their coming.
func TestAggregateManyTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, route.UseLatest, route.AggregateOptions{
			Size:    3,
			Timeout: func(ex *route.Exchange) any { return ex.Header("wait") },
		})
		var want []string
		for i := range 500 {
			n := (i*7919)%500 + 1
			if err := k.offer(fmt.Sprintf("k%03d %d", n, n), func(ex *route.Exchange) { ex.SetHeader("wait", n) }); err != nil {
				t.Fatal(err)
			}
			if i%5 == 0 {
				k.of(t, fmt.Sprintf("k%03d b", n))
			}
			if i%10 == 0 { // complete at once
				k.of(t, fmt.Sprintf("k%03d c", n))
			}
		}
		g.mu.Lock()
		g.lines = nil
		g.mu.Unlock()
		done := map[int]int{}
		for i := range 500 {
			switch {
			case i%10 == 0:
				done[(i*7919)%500+1] = 3
			case i%5 == 0:
				done[(i*7919)%500+1] = 2
			}
		}
		for n := 1; n <= 500; n++ {
			switch done[n] {
			case 0:
				want = append(want, fmt.Sprintf("k%03d timeout 1: %d", n, n))
			case 2:
				want = append(want, fmt.Sprintf("k%03d timeout 2: b", n))
			}
		}
		pass(time.Second)
		g.want(t, want...)
	})
}

func TestAggregateByInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, join, route.AggregateOptions{Interval: 10 * time.Second})
		pass(9 * time.Second)
		k.of(t, "y 1", "x 1", "x 2")
		pass(time.Second)
		g.want(t, "x interval 2: 1+2", "y interval 1: 1")
		k.of(t, "x 3")
		pass(9 * time.Second)
		g.want(t)
		pass(2 * time.Second)
		g.want(t, "x interval 1: 3")
	})
}

func TestAggregateByPredicate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := route.Where(func(s string) bool { return strings.HasSuffix(s, "end") })
		k, g := aggregating(t, join, route.AggregateOptions{When: end})
		k.of(t, "x 1", "x end", "x bend")
		g.want(t, "x predicate 2: 1+end", "x predicate 1: bend")

		// eager: it is asked of the exchange that comes
		var sizes []any
		k, g = aggregating(t, route.UseOriginal, route.AggregateOptions{EagerCheck: true, When: func(ex *route.Exchange) (bool, error) {
			size, _ := route.AggregatedSize.Get(ex)
			key, _ := route.AggregatedKey.Get(ex)
			sizes = append(sizes, fmt.Sprint(key, size))
			if ex.Body == "bad" {
				return false, errors.New("what")
			}
			return ex.Body == "end", nil
		}})
		k.of(t, "x 1", "x 2", "x end")
		g.want(t, "x predicate 3: 1")
		if fmt.Sprint(sizes) != "[x1 x2 x3]" {
			t.Error(sizes)
		}
		if err := k.offer("x bad"); err == nil || !strings.HasSuffix(err.Error(), "aggregate: what") {
			t.Error(err)
		}
		k.of(t, "x end")
		g.want(t, "x predicate 1: end")
	})
}

func TestAggregateFromBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, join, route.AggregateOptions{FromBatch: true})
		batch := func(keys ...string) {
			for i, key := range keys {
				if err := k.offer(key+" "+fmt.Sprint(i), func(ex *route.Exchange) {
					route.BatchIndex.Set(ex, i)
					route.BatchSize.Set(ex, len(keys))
				}); err != nil {
					t.Error(err)
				}
			}
		}
		batch("x", "y", "x")
		g.want(t, "x consumer 2: 0+2", "y consumer 1: 1")
		batch("z")
		g.want(t, "z consumer 1: 0")
		k.of(t, "x 1") // in no batch
		g.want(t)
		_ = k.offer("y 2", func(ex *route.Exchange) { route.BatchComplete.Set(ex, true) })
		g.want(t, "y consumer 1: 2", "x consumer 1: 1")
	})
}

func TestAggregateOnNewGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, join, route.AggregateOptions{Size: 3, OnNewGroup: true})
		k.of(t, "x 1", "x 2", "y 3", "x 4", "x 5", "x 6")
		g.want(t, "x force 2: 1+2", "y force 1: 3", "x size 3: 4+5+6")
	})
}

func TestAggregateCompletedByProperties(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := func(k route.Key[bool]) func(*route.Exchange) { return func(ex *route.Exchange) { k.Set(ex, true) } }
		merge := func(ctx context.Context, group, next *route.Exchange) error {
			switch next.Body {
			case "end":
				route.CompleteCurrentGroup.Set(group, true)
			case "all":
				route.CompleteAllGroups.Set(group, true)
			}
			return join(ctx, group, next)
		}
		k, g := aggregating(t, merge, route.AggregateOptions{Size: 10})
		k.of(t, "x 1", "x end", "x 2")
		g.want(t, "x strategy 2: 1+end")
		k.of(t, "y 1", "z all")
		g.want(t, "x force 1: 2", "y force 1: 1", "z force 1: all")
		k.of(t, "x 1", "y 1")
		if err := k.offer("x 2", on(route.CompleteAllGroups)); err != nil {
			t.Error(err)
		}
		g.want(t, "x force 1: 1", "y force 1: 1")
		k.of(t, "x 1", "y 1")
		if err := k.offer("x 2", on(route.CompleteAllGroupsInclusive)); err != nil {
			t.Error(err)
		}
		g.want(t, "x force 2: 1+2", "y force 1: 1")
		if err := k.offer("x 1", on(route.CompleteCurrentGroup)); err != nil { // it is not in a group
			t.Error(err)
		}
		g.want(t)
	})
}

func TestAggregateKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var key any
		g := new(groups)
		by := func(*route.Exchange) (any, error) {
			if err, ok := key.(error); ok {
				return nil, err
			}
			return key, nil
		}
		k := start(t, route.Config{},
			route.From("in:a").Aggregate(by, join, g.block(), route.AggregateOptions{Size: 1}),
			route.From("in:b").Aggregate(by, join, g.block(), route.AggregateOptions{Size: 1, IgnoreInvalidKeys: true}).SetBody("passed"))
		for _, key = range []any{"text", []byte("bytes"), 7, true} {
			k.of(t, " 1")
		}
		g.want(t, "text size 1: 1", "bytes size 1: 1", "7 size 1: 1", "true size 1: 1")
		for _, c := range []struct {
			key  any
			want string
		}{
			{nil, "the key is empty"},
			{"", "the key is empty"},
			{errors.New("what"), "what"},
			{strings.NewReader("x"), "a stream cannot be a key, have *strings.Reader"},
			{make(chan int), "key: "},
		} {
			key = c.key
			if err := k.offer(" 1"); err == nil || !strings.Contains(err.Error(), "aggregate: "+c.want) {
				t.Errorf("key %v: %v", key, err)
			}
		}
		for _, key = range []any{nil, ""} {
			if body := k.send(t, "b", "1"); body != "passed" {
				t.Error(body)
			}
		}
		g.want(t)
	})
}

func TestAggregateClosesKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, join, route.AggregateOptions{Size: 2, CloseKeys: 2})
		k.of(t, "x 1", "x 2", "y 1")
		err := k.offer("x 3")
		if !errors.Is(err, route.ErrKeyClosed) || !strings.HasSuffix(err.Error(), `the group with this key was completed before: "x"`) {
			t.Error(err)
		}
		k.of(t, "y 2", "z 1", "z 2", "x 4") // x is forgotten by now
		g.want(t, "x size 2: 1+2", "y size 2: 1+2", "z size 2: 1+2")
		if err := k.offer("y 3"); !errors.Is(err, route.ErrKeyClosed) {
			t.Error(err)
		}
	})
}

func TestAggregateBoundsGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, join, route.AggregateOptions{Size: 2, MaxGroups: 2})
		k.of(t, "x 1", "y 1")
		if err := k.offer("z 1"); err == nil || !strings.HasSuffix(err.Error(), "2 groups are open, as many as there may be: see MaxGroups") {
			t.Error(err)
		}
		k.of(t, "x 2", "z 1", "y 2", "z 2")
		g.want(t, "x size 2: 1+2", "y size 2: 1+2", "z size 2: 1+2")
	})
}

func TestAggregateDiscards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, g := aggregating(t, join, route.AggregateOptions{Size: 2, Timeout: time.Second, DiscardOnTimeout: true, CloseKeys: 1})
		k.of(t, "x 1", "y 1", "y 2")
		pass(2 * time.Second)
		g.want(t, "y size 2: 1+2")
		if err := k.offer("x 2"); !errors.Is(err, route.ErrKeyClosed) {
			t.Error(err)
		}
		wantLines(t, "log", k.logs.take()[:1], "DEBUG group discarded: its time is over route=route1 key=x exchanges=1")
	})
}
