package route_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/route"
)

// inOneLine is body and headers in one line.
func inOneLine(ex *route.Exchange) string {
	headers := maps.Collect(ex.Headers())
	text := fmt.Sprint(ex.Body)
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		text += fmt.Sprintf(" %s=%v", name, headers[name])
	}
	return text
}

func TestClaimCheckFilter(t *testing.T) {
	for _, c := range []struct{ filter, want string }{
		{"", "old a=1 b=1 bar=1 n=1 x=2"},
		{"body", "old a=2 bar=2 x=2"},
		{" +body ", "old a=2 bar=2 x=2"},
		{"headers", "new a=1 b=1 bar=1 n=1 x=2"},
		{"header:B*", "new a=2 b=1 bar=1 x=2"},
		{"body,+header:b,headers:n", "old a=2 b=1 bar=2 n=1 x=2"},
		{"-body", "new a=1 b=1 bar=1 n=1 x=2"},
		{"body,-body", "new a=2 bar=2 x=2"},
		{"-headers", "old a=2 bar=2 x=2"},
		{"-header:b*", "old a=1 bar=2 n=1 x=2"},
		{"header:b*,-header:bar", "new a=2 b=1 bar=2 x=2"},
		{"--headers", "old"},
		{"body,--header:x,--headers:b*", "old a=2"},
		{"-header:a,--headers:b*", "old a=2 n=1 x=2"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var got string
			k := start(t, route.Config{Poison: true}, route.From("in:x").
				SetHeader("a", "1").SetHeader("b", "1").SetHeader("bar", 1).SetHeader("n", 1).
				ClaimCheck(route.ClaimSet, "k").
				RemoveHeaders("*").SetBody("new").SetHeader("a", "2").SetHeader("bar", 2).SetHeader("x", "2").
				ClaimCheck(route.ClaimGet, route.Simple("${header.none}k"), route.ClaimCheckOptions{Filter: c.filter}).
				Process(func(_ context.Context, ex *route.Exchange) error { got = inOneLine(ex); return nil }))
			k.send(t, "x", "old")
			if got != c.want {
				t.Errorf("%q: %s, want %s", c.filter, got, c.want)
			}
		})
	}
}

func TestClaimCheckOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		note := func(_ context.Context, ex *route.Exchange) error { got = append(got, inOneLine(ex)); return nil }
		many := make([]string, 12) // more than an exchange has room for itself
		r := route.From("in:x")
		for i := range many {
			many[i] = fmt.Sprintf("h%02d", i)
			r.SetHeader(many[i], i)
		}
		k := start(t, route.Config{Poison: true}, r.
			ClaimCheck(route.ClaimPush, nil).
			RemoveHeaders("*").
			SetBody("b").ClaimCheck(route.ClaimPush, nil).
			SetBody("c").ClaimCheck(route.ClaimSet, "k").
			SetBody("d").ClaimCheck(route.ClaimSet, "k").
			SetBody("e").
			To("call:y").
			Process(note).
			ClaimCheck(route.ClaimPop, nil).Process(note).
			ClaimCheck(route.ClaimPop, nil).Process(note),
			route.From("call:y").
				ClaimCheck(route.ClaimGet, "k").Process(note).
				SetBody("f").
				ClaimCheck(route.ClaimGetAndRemove, "k").Process(note).
				Try(route.Do().ClaimCheck(route.ClaimGet, "k"), route.Catch[error]().SetBody("gone")))
		k.send(t, "x", "a")
		want := []string{"d", "d", "gone", "b", "a"}
		for i, name := range many {
			want[4] += fmt.Sprintf(" %s=%d", name, i)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// Each part has what the whole has stored, and changes what is its own.
func TestClaimCheckOfParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []any
		note := func(_ context.Context, ex *route.Exchange) error { got = append(got, ex.Body); return nil }
		k := start(t, route.Config{Poison: true}, route.From("in:x").
			ClaimCheck(route.ClaimSet, "k").
			Split([]any{1, 2}, route.Do().
				ClaimCheck(route.ClaimPush, nil).
				ClaimCheck(route.ClaimGetAndRemove, "k").Process(note).
				ClaimCheck(route.ClaimPop, nil).Process(note).
				ClaimCheck(route.ClaimSet, "k")).
			ClaimCheck(route.ClaimGet, "k").Process(note))
		k.send(t, "x", "whole")
		if want := []any{"whole", 1, "whole", 2, "whole"}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

func TestClaimCheckStrategy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got string
		merge := func(_ context.Context, group, next *route.Exchange) error {
			group.Body = fmt.Sprint(group.Body, " and ", inOneLine(next))
			return nil
		}
		k := start(t, route.Config{Poison: true}, route.From("in:x").
			SetHeader("a", 1).ClaimCheck(route.ClaimPush, nil).RemoveHeader("a").SetBody("new").
			ClaimCheck(route.ClaimPop, nil, route.ClaimCheckOptions{Strategy: merge}).
			Process(func(_ context.Context, ex *route.Exchange) error { got = inOneLine(ex); return nil }))
		k.send(t, "x", "old")
		if got != "new and old a=1" {
			t.Error(got)
		}
	})
}

// What one exchange has stored is nobody else's.
func TestClaimCheckIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{}, route.From("in:x").
			Choice(route.When(route.Where(func(s string) bool { return s == "set" })).
				ClaimCheck(route.ClaimSet, "k").ClaimCheck(route.ClaimPush, nil),
				route.When(route.Where(func(s string) bool { return s == "pop" })).ClaimCheck(route.ClaimPop, nil),
				route.Otherwise().ClaimCheck(route.ClaimGet, func(ex *route.Exchange) any { return ex.Header("key") })))
		ex := route.NewExchange("set")
		if err := k.give("x", ex); err != nil {
			t.Fatal(err)
		}
		place := here(-5) + `: route "route1": exchange ID: claim check: `
		popPlace := here(-7) + `: route "route1": exchange ID: claim check: `
		ex = ex.Renew("get")
		ex.SetHeader("key", "k")
		wantError(t, k.give("x", ex), place+`get: nothing is stored under "k"`)
		ex = ex.Renew("pop")
		wantError(t, k.give("x", ex), popPlace+`pop: nothing was pushed`)
		ex = ex.Renew("get")
		wantError(t, k.give("x", ex), place+`get: want a key that is a text, have <nil>`)
		ex.Release()
	})
}

func TestClaimCheckIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		push := route.Do()
		for range 40 {
			push.ClaimCheck(route.ClaimPush, nil)
		}
		r := route.From("in:x")
		for range 26 {
			r.Filter(true, push)
		}
		k := start(t, route.Config{Poison: true}, r)
		ex := route.NewExchange("a")
		defer ex.Release()
		if err := k.give("x", ex); err == nil || !strings.Contains(err.Error(), "1000 messages are stored already") {
			t.Error(err)
		}
	})
}

func TestClaimCheckMistakes(t *testing.T) {
	keep := func(context.Context, *route.Exchange, *route.Exchange) error { return nil }
	err := new(kit).build(route.Config{}, route.From("in:x").
		ClaimCheck("take", "k").
		ClaimCheck(route.ClaimSet, nil).
		ClaimCheck(route.ClaimPush, "k", route.ClaimCheckOptions{Filter: "body"}).
		ClaimCheck(route.ClaimGet, "k", route.ClaimCheckOptions{Filter: "body,,headers", Strategy: keep}).
		ClaimCheck(route.ClaimGet, "k", route.ClaimCheckOptions{Filter: "--body"}).
		ClaimCheck(route.ClaimGet, "k", route.ClaimCheckOptions{Filter: "attachments"}))
	at := func(n int, op string) string {
		return fmt.Sprintf(`%s: route "route1": claim check: %s: `, here(n-8), op)
	}
	rules := `want body, headers or header:pattern, with + or - before it, or headers or header:pattern with --`
	wantError(t, err, strings.Join([]string{
		at(1, "take") + "no such operation: want route.ClaimSet, ClaimGet, ClaimGetAndRemove, ClaimPush or ClaimPop",
		at(2, "set") + "want a key that is a text, have <nil>",
		at(3, "push") + "want no key: what is pushed has none",
		at(3, "push") + "options are for what merges: everything is stored",
		at(4, "get") + "want a filter or a strategy, have both",
		at(4, "get") + `filter "body,,headers": a rule is empty`,
		at(5, "get") + `filter "--body": the rule "--body" is not known: ` + rules,
		at(6, "get") + `filter "attachments": the rule "attachments" is not known: ` + rules,
	}, "\n"))
}
