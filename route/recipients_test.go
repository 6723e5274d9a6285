package route_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

// recipients sends body to a list, and tells in which order what has been sent to.
func recipients(t *testing.T, list any, opts ...route.RecipientOptions) (ex *route.Exchange, sent []string, err error) {
	t.Helper()
	var mu sync.Mutex
	synctest.Test(t, func(t *testing.T) {
		to := func(name string, f func(context.Context, *route.Exchange) error) route.ProcessorFunc {
			return func(ctx context.Context, ex *route.Exchange) error {
				index, _ := route.MulticastIndex.Get(ex)
				last, _ := route.MulticastComplete.Get(ex)
				at, _ := route.RecipientEndpoint.Get(ex)
				too, _ := route.ToEndpoint.Get(ex)
				if at != too {
					t.Errorf("CamelRecipientListEndpoint %q, CamelToEndpoint %q", at, too)
				}
				time.Sleep(time.Duration(10-index) * ms)
				mu.Lock()
				defer mu.Unlock()
				sent = append(sent, fmt.Sprintf("%s/%d/%v", at, index, last))
				ex.Body = name
				return f(ctx, ex)
			}
		}
		k := &kit{to: map[string]route.ProcessorFunc{
			"a": to("a", nop), "b": to("b", nop), "c": to("c", nop),
			"fail": to("fail", func(context.Context, *route.Exchange) error { return errors.New("boom") }),
		}}
		k.start(t, route.Config{Poison: true}, route.From("in:x").
			RecipientList(func(*route.Exchange) any { return list }, opts...))
		ex = route.NewExchange("body")
		err = k.give("x", ex)
	})
	return ex, sent, err
}

func TestRecipientList(t *testing.T) {
	all := []string{"to:a/0/false", "to:b/1/false", "to:c/2/true"}
	for _, list := range []any{
		"to:a,to:b, to:c ,,",
		[]string{"to:a", "to:b", "to:c"},
		[]route.URI{"to:a", "to:b", "to:c"},
		[]any{"to:a", route.URI("to:b"), "to:c"},
		[3]string{"to:a", "to:b", "to:c"},
		slices.Values([]string{"to:a", "to:b", "to:c"}),
		iter.Seq2[any, error](func(yield func(any, error) bool) { _ = yield("to:a", nil) && yield("to:b", nil) && yield("to:c", nil) }),
	} {
		ex, sent, err := recipients(t, list)
		if err != nil || !slices.Equal(sent, all) || ex.Body != "c" {
			t.Errorf("%v: sent to %q, %v, %v; want %q and the body of the last", list, sent, ex.Body, err, all)
		}
		if ex.Property("CamelRecipientListEndpoint") != nil {
			t.Error("the exchange has a property of a copy")
		}
	}
	for _, list := range []any{nil, "", " , ", []string{}, []any{}} {
		ex, sent, err := recipients(t, list)
		if err != nil || len(sent) > 0 || ex.Body != "body" {
			t.Errorf("%v: sent to %q, %v, %v", list, sent, ex.Body, err)
		}
	}

	ex, sent, err := recipients(t, "to:a;to:b", route.RecipientOptions{Delimiter: ";", FanOut: route.FanOut{Merge: route.Collect, Parallel: 2}})
	if err != nil || fmt.Sprint(sent) != "[to:b/1/true to:a/0/false]" || fmt.Sprint(ex.Body) != "[a b]" {
		t.Errorf("sent to %q at once, %v, %v", sent, ex.Body, err)
	}
	_, sent, err = recipients(t, "to:a,to:fail,to:c", route.RecipientOptions{FanOut: route.FanOut{StopOnError: true}})
	if err == nil || !strings.HasSuffix(err.Error(), ": recipient list: to:fail: boom") || len(sent) != 2 {
		t.Errorf("%v, sent to %q", err, sent)
	}
}

// Nothing is sent where one of the recipients cannot be.
func TestRecipientListInvalid(t *testing.T) {
	boom := errors.New("boom")
	endless := func(yield func(string) bool) {
		for yield("to:a") {
		}
	}
	for _, test := range []struct {
		list any
		o    route.RecipientOptions
		err  string // or:
		sent int
	}{
		{"to:a,too:b", route.RecipientOptions{}, `"too:b": no component "too" (did you mean to?) (have call, in, queue, to)`, 0},
		{"to:a,too:b,to:c", route.RecipientOptions{IgnoreInvalidEndpoints: true}, "", 2},
		{"to:a,in:b", route.RecipientOptions{}, `"in:b": in:b cannot be sent to`, 0},
		{"to:a,call:b", route.RecipientOptions{AllowedSchemes: []string{"to"}}, `"call:b": the scheme "call" is not allowed here (have to)`, 0},
		{"to:a,call:b", route.RecipientOptions{AllowedSchemes: []string{"to"}, IgnoreInvalidEndpoints: true}, `"call:b": the scheme "call" is not allowed here (have to)`, 0},
		{"to:{{env:HOME}}", route.RecipientOptions{}, `"to:{{env:HOME}}": placeholders are not replaced in a URI that is made at run time: a literal {{ is written %7B%7B`, 0},
		{42, route.RecipientOptions{}, `want URIs as text, with "," between them, as []string or as []route.URI, have int`, 0},
		{[]any{"to:a", 42}, route.RecipientOptions{}, `want URIs: element 1 is int, want string`, 0},
		{strings.Repeat("to:a,", 10_001), route.RecipientOptions{}, `want up to 10000 recipients, have more`, 0},
		{endless, route.RecipientOptions{}, `want up to 10000 URIs, have more`, 0},
		{iter.Seq2[string, error](func(yield func(string, error) bool) { _ = yield("to:a", nil) && yield("", boom) }), route.RecipientOptions{}, "boom", 0},
	} {
		_, sent, err := recipients(t, test.list, test.o)
		if (err == nil) != (test.err == "") || err != nil && !strings.HasSuffix(err.Error(), ": recipient list: "+test.err) || len(sent) != test.sent {
			t.Errorf("%.100v: %v, sent to %q; want %s, %d", test.list, err, sent, test.err, test.sent)
		}
	}
}

func TestRecipientListMistakes(t *testing.T) {
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").
		RecipientList(nil).
		RecipientList("").
		RecipientList("to:a,too:b").
		RecipientList("${header.to}").
		RecipientList(42).
		RecipientList("to:a", route.RecipientOptions{AllowedSchemes: []string{}}).
		RecipientList("to:a", route.RecipientOptions{FanOut: route.FanOut{Parallel: -1}}).
		RecipientList("to:a", route.RecipientOptions{}, route.RecipientOptions{})),
		`recipient list: want a value or an expression, have nil`,
		`recipient list: want at least one URI`,
		`recipient list: "too:b": no component "too" (did you mean to?) (have call, in, queue, to)`,
		`recipient list: the text "${header.to}" would not be evaluated: use route.Simple, or route.Constant to have it as it is`,
		`recipient list: want URIs as text, with "," between them, as []string or as []route.URI, have int`,
		`recipient list: allowed schemes: want at least one, or nil for any`,
		`recipient list: want Parallel from 0 to 10000, have -1`,
		`recipient list: want one route.RecipientOptions, have 2`)
}
