package route_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// branches returns n branches that add their letter to the body.
func branches(n int) (all []*route.Block) {
	for i := range n {
		letter := string(rune('a' + i))
		all = append(all, route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
			ex.Body = fmt.Sprint(ex.Body, letter)
			return nil
		}))
	}
	return all
}

// balanced sends n messages through a policy and returns the letters of their branches.
func balanced(t *testing.T, policy route.Balancer, branches []*route.Block, n int) (letters string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{Poison: true}, route.From("in:x").LoadBalance(policy, branches...))
		for i := range n {
			ex := route.NewExchange("")
			ex.SetHeader("to", i%5)
			if err := k.give("x", ex); err != nil {
				t.Error(err)
			}
			letters += fmt.Sprint(ex.Body)
			ex.Release()
		}
	})
	return letters
}

func TestLoadBalanceInTurns(t *testing.T) {
	policy := route.RoundRobin()
	for range 2 { // which share nothing
		if got := balanced(t, policy, branches(3), 7); got != "abcabca" {
			t.Errorf("round robin: %s", got)
		}
	}
	for ratio, want := range map[[3]int]string{
		{4, 2, 1}: "abacabaabacaba",
		{5, 1, 1}: "aabacaaaabacaa",
		{1, 0, 1}: "acacacacacacac",
		{1, 1, 1}: "abcabcabcabcab",
	} {
		if got := balanced(t, route.WeightedRoundRobin(ratio[:]...), branches(3), 14); got != want {
			t.Errorf("%v: %s, want %s", ratio, got, want)
		}
	}
}

func TestLoadBalanceByChance(t *testing.T) {
	for name, c := range map[string]struct {
		policy route.Balancer
		want   map[rune]int
	}{
		"random":   {route.Random(), map[rune]int{'a': 1000, 'b': 1000, 'c': 1000}},
		"weighted": {route.Weighted(4, 0, 2), map[rune]int{'a': 2000, 'c': 1000}},
	} {
		got := map[rune]int{}
		for _, letter := range balanced(t, c.policy, branches(3), 3000) {
			got[letter]++
		}
		if !slices.Equal(slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(c.want))) {
			t.Errorf("%s: %v", name, got)
		}
		for letter, want := range c.want {
			if n := got[letter]; n < want-200 || n > want+200 { // seven standard deviations
				t.Errorf("%s: %c %d times of 3000, want about %d", name, letter, n, want)
			}
		}
	}
}

func TestLoadBalanceSticky(t *testing.T) {
	got := balanced(t, route.Sticky(to), branches(3), 500)
	if got[:5] != got[5:10] || strings.Repeat(got[:5], 100) != got {
		t.Errorf("not sticky: %s", got[:20])
	}
	if again := balanced(t, route.Sticky(func(ex *route.Exchange) any { return []byte(fmt.Sprint(ex.Header("to"))) }), branches(3), 5); again != got[:5] {
		t.Errorf("%s, before it was %s", again, got[:5])
	}
	n := 0
	spread := balanced(t, route.Sticky(func(*route.Exchange) any { n++; return fmt.Sprint("customer", n) }), branches(3), 3000)
	for _, letter := range "abc" {
		if n := strings.Count(spread, string(letter)); n < 850 || n > 1150 {
			t.Errorf("%c has %d of 3000 customers", letter, n)
		}
	}
	if got := balanced(t, route.Sticky(route.NewKey[string]("missing")), branches(3), 3); got != strings.Repeat(got[:1], 3) {
		t.Errorf("without a value: %s", got)
	}
}

func TestLoadBalanceTopic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen []string
		see := func(name string, err error) *route.Block {
			return route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
				seen = append(seen, fmt.Sprint(name, ex.Body, ex.Header("by")))
				ex.SetHeader("by", name)
				ex.Body = name
				return err
			})
		}
		k := start(t, route.Config{Poison: true},
			route.From("in:x").LoadBalance(route.Topic(), see("a", nil), see("b", nil), route.Do().Stop()).SetHeader("went", "on"),
			route.From("in:y").LoadBalance(route.Topic(), see("a", io.ErrUnexpectedEOF), see("b", nil), see("c", io.ErrNoProgress)))
		ex := route.NewExchange(1)
		defer ex.Release()
		if err := k.give("x", ex); err != nil || ex.Body != 1 || ex.Header("by") != nil || ex.Header("went") != "on" {
			t.Errorf("%v, %v, %v", ex.Body, ex.Header("by"), err)
		}
		err := k.give("y", ex)
		if !errors.Is(err, io.ErrUnexpectedEOF) || !errors.Is(err, io.ErrNoProgress) {
			t.Error(err)
		}
		wantLines(t, "seen", seen, "a1 <nil>", "b1 <nil>", "a1 <nil>", "b1 <nil>", "c1 <nil>")
	})
}

// fallible returns branches that note their letter; those in bad fail.
func fallible(n int, bad *atomic.Value) (all []*route.Block) {
	for i := range n {
		letter := string(rune('a' + i))
		all = append(all, route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
			if h := ex.Header("h"); h != "came" || ex.Property("p") != nil || ex.Variable("v") != nil {
				return fmt.Errorf("not as it came: %v, %v, %v", h, ex.Property("p"), ex.Variable("v"))
			}
			ex.Body = fmt.Sprint(ex.Body, letter)
			if strings.Contains(bad.Load().(string), letter) {
				ex.SetHeader("h", letter)
				ex.SetProperty("p", letter)
				ex.SetVariable("v", letter)
				return errors.New(letter + " is down")
			}
			return nil
		}))
	}
	return all
}

func TestLoadBalanceFailover(t *testing.T) {
	for _, c := range []struct {
		name string
		o    route.FailoverOptions
		sent string // the branches that are down for one message after the other
		want string
	}{
		{"default", route.FailoverOptions{}, "- a - ab abc b", "a b a c abc-down a"},
		{"attempts", route.FailoverOptions{MaximumFailoverAttempts: 1}, "a ab", "b ab-down"},
		{"round robin", route.FailoverOptions{RoundRobin: true}, "- - a - a abc", "a b c a b cab-down"},
		{"round and round", route.FailoverOptions{RoundRobin: true, MaximumFailoverAttempts: 4}, "abc abc", "abcab-down bcabc-down"},
		{"sticky", route.FailoverOptions{Sticky: true}, "- a - b - abc bc", "a b b c c cab-down a"},
		{"errors", route.FailoverOptions{On: func(err error) bool { return !strings.Contains(err.Error(), "b is down") }}, "a ab", "b ab-down"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var bad atomic.Value
				k := start(t, route.Config{Poison: true}, route.From("in:x").LoadBalance(route.Failover(c.o), fallible(3, &bad)...))
				var got []string
				for down := range strings.FieldsSeq(c.sent) {
					bad.Store(down)
					ex := route.NewExchange("")
					ex.SetHeader("h", "came")
					if err := k.give("x", ex); err == nil {
						got = append(got, fmt.Sprint(ex.Body))
					} else {
						var letters string
						for line := range strings.SplitSeq(err.Error(), "\n") {
							before, _, _ := strings.Cut(line, " is down")
							letters += before[len(before)-1:]
						}
						got = append(got, letters+"-down")
					}
					ex.Release()
				}
				if got := strings.Join(got, " "); got != c.want {
					t.Errorf("down %s: %s, want %s", c.sent, got, c.want)
				}
			})
		})
	}
}

func TestFailoverOfPanicsAndWithErrorClauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crash := route.Do().Process(func(context.Context, *route.Exchange) error { panic("crash") })
		fails := route.Do().Process(func(context.Context, *route.Exchange) error { return io.EOF })
		n := 0
		k := start(t, route.Config{Poison: true},
			route.From("in:x").LoadBalance(route.Failover(), crash, branches(1)[0]),
			route.From("in:y").Use(&route.Configuration{OnError: []*route.ErrorClause{route.OnError[error]().Handled(true).SetBody("handled")}}).
				LoadBalance(route.Failover(), fails, route.Do().Process(func(context.Context, *route.Exchange) error {
					if n++; n > 1 {
						return io.ErrUnexpectedEOF
					}
					return nil
				})))
		if got := k.send(t, "x", ""); got != "a" {
			t.Errorf("got %v", got)
		}
		for _, want := range []string{"", "handled"} {
			if got := k.send(t, "y", ""); got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		}
	})
}

func TestFailoverEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		slow := route.Do().Process(func(ctx context.Context, _ *route.Exchange) error {
			tries++
			<-ctx.Done()
			return context.Cause(ctx)
		})
		k := start(t, route.Config{}, route.From("in:x").LoadBalance(route.Failover(), slow, slow, slow))
		enough := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(route.Work(k.nextOf("x").ctx), time.Second, enough)
		defer cancel()
		ex := route.NewExchange(1)
		defer ex.Release()
		if err := k.nextOf("x").Process(ctx, ex); !errors.Is(err, enough) || tries != 1 {
			t.Errorf("%v after %d tries", err, tries)
		}
	})
}

func TestLoadBalanceFromManyGoroutines(t *testing.T) {
	for name, policy := range map[string]route.Balancer{
		"round robin": route.RoundRobin(), "weighted": route.Weighted(1, 1, 1), "turns": route.WeightedRoundRobin(2, 2, 2),
		"sticky": route.Sticky(to), "failover": route.Failover(route.FailoverOptions{Sticky: true}),
	} {
		ctx, next := consumerOf(t, route.Config{Components: route.Components{}}, route.From("in:x").LoadBalance(policy, branches(3)...))
		var counts [3]atomic.Int64
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for i := range 300 {
					ex := route.NewExchange("")
					ex.SetHeader("to", i)
					if err := next.Process(ctx, ex); err != nil {
						t.Error(err)
					}
					counts[ex.Body.(string)[0]-'a'].Add(1)
					ex.Release()
				}
			})
		}
		wg.Wait()
		if a, b, c := counts[0].Load(), counts[1].Load(), counts[2].Load(); a+b+c != 1200 || strings.Contains(name, "r") && name != "failover" && name != "weighted" && (a != 400 || b != 400) {
			t.Errorf("%s: %d %d %d", name, a, b, c)
		}
	}
}

// last is a policy of one's own: it takes the last branch.
type last struct{}

func (last) Balance(_ *route.Builder, branches []route.Processor) route.Processor {
	return branches[len(branches)-1]
}

// noPolicy builds nothing.
type noPolicy struct{}

func (noPolicy) Balance(*route.Builder, []route.Processor) route.Processor { return nil }

func TestLoadBalanceByOnesOwnPolicy(t *testing.T) {
	if got := balanced(t, last{}, branches(3), 2); got != "cc" {
		t.Errorf("got %s", got)
	}
}

func TestLoadBalanceMistakes(t *testing.T) {
	two := branches(2)
	err := new(kit).build(route.Config{}, route.From("in:x").
		LoadBalance(nil, two...).
		LoadBalance(route.RoundRobin()).
		LoadBalance(route.Random(), two[0], nil, route.Do()).
		LoadBalance(route.Weighted(1), two...).
		LoadBalance(route.Weighted(-1, 1_000_001), two...).
		LoadBalance(route.WeightedRoundRobin(0, 0), two...).
		LoadBalance(route.Sticky(nil), two...).
		LoadBalance(route.Sticky("${body}"), two...).
		LoadBalance(route.Failover(route.FailoverOptions{MaximumFailoverAttempts: -1}), two...).
		LoadBalance(route.Failover(route.FailoverOptions{MaximumFailoverAttempts: 2}), two...).
		LoadBalance(route.Failover(route.FailoverOptions{RoundRobin: true, Sticky: true}), two...).
		LoadBalance(route.Failover(route.FailoverOptions{}, route.FailoverOptions{}), two...).
		LoadBalance(noPolicy{}, two...))
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		_, what, _ := strings.Cut(line, `load balance: `)
		lines = append(lines, what)
	}
	wantLines(t, "mistakes", lines,
		`want a policy, such as route.RoundRobin(), have nil`,
		`want at least one branch: route.Do()`,
		`branch 2 is nil`,
		`branch 3 has no steps`,
		`want a ratio for each of the branches, 2, have 1`,
		`ratio 1: want a number from 0 to 1000000, have -1`,
		`ratio 2: want a number from 0 to 1000000, have 1000001`,
		`want at least one ratio that is not 0`,
		`want a value or an expression, have nil`,
		`the text "${body}" would not be evaluated: use route.Simple, or route.Constant to have it as it is`,
		`MaximumFailoverAttempts: want from 0, which means all branches, to 10000, have -1`,
		`MaximumFailoverAttempts: there are 1 branches after the first, have 2`,
		`want RoundRobin or Sticky, have both`,
		`want one route.FailoverOptions, have 2`,
		`route_test.noPolicy builds no processor`,
	)
}
