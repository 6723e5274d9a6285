package jsonpath_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/language/jsonpath"
	"github.com/mehari-go/mehari/language/languagetest"
)

func compile(t testing.TB, text string) language.Predicate {
	t.Helper()
	e, err := jsonpath.Expr(text).Compile()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e.(language.Predicate)
}

func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type item struct {
	Name string `json:"name"`
	Size int8   `json:"size"`
}

func TestEval(t *testing.T) {
	order := `{"id": 9007199254740993, "items": [{"name": "ink"}, {"name": "pen"}], "price": 2.5}`
	tests := []struct {
		text string
		body any
		want any
	}{
		{`$.id`, order, 9007199254740993},
		{`$.price`, []byte(order), 2.5},
		{`$.items[0].name`, strings.NewReader(order), "ink"},
		{`$.items[*].name`, bytes.NewBufferString(order), []any{"ink", "pen"}},
		{`$.items[?@.name == 'pen']`, order, []any{map[string]any{"name": "pen"}}},
		{`$.items[7].name`, order, nil},
		{`$.items[7:].name`, order, []any{}},
		{`$..nope`, order, []any{}},
		{`$`, nil, nil},
		{`$.name`, &item{"ink", 3}, "ink"},
		{`$[?@.size > 2].name`, []item{{"ink", 3}, {"pen", 1}}, []any{"ink"}},
		{`$.list[1]`, map[string]any{"list": []int64{1, 2}}, 2},
	}
	for _, test := range tests {
		m := &languagetest.Message{Body: test.body}
		for range 2 { // a stream is still there the second time
			got, err := compile(t, test.text).Eval(t.Context(), m)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s of %v = %#v, %v; want %#v", test.text, test.body, got, err, test.want)
			}
		}
		if slices.ContainsFunc(m.Asked, func(k language.Kind) bool { return k != language.Body }) {
			t.Errorf("%s asked for %v", test.text, m.Asked)
		}
	}
}

func TestHolds(t *testing.T) {
	tests := []struct {
		text, body string
		want       bool
	}{
		{`$.active`, `{"active": true}`, true},
		{`$.active`, `{"active": false}`, false},
		{`$.active`, `{"active": null}`, false},
		{`$.active`, `{}`, false},
		{`$.active`, `{"active": 0}`, true},
		{`$.items[?@.price > 100]`, `{"items": [{"price": 150}]}`, true},
		{`$.items[?@.price > 100]`, `{"items": [{"price": 15}]}`, false},
		{`$[?@.amount > 100]`, `[{"amount": 150}]`, true},
		{`$.items[*]`, `{"items": [false]}`, true},
	}
	for _, test := range tests {
		got, err := compile(t, test.text).Holds(t.Context(), &languagetest.Message{Body: test.body})
		if err != nil || got != test.want {
			t.Errorf("%s of %s: %t, %v", test.text, test.body, got, err)
		}
	}
}

func TestWrongText(t *testing.T) {
	tests := []struct{ text, want string }{
		{``, "column 1: want \"$\", have the end\n\t\n\t^"},
		{`store.book`, `column 1: want "$", have "s"`},
		{` $`, `column 1: want "$", have " "`},
		{`$ `, `column 2: want the end, a dot or a bracket, have " "`},
		{`$.`, `column 3: want a name or "*" after the dot, have the end`},
		{`$. a`, `column 3: want a name or "*" after the dot, have " "`},
		{`$.1a`, `column 3: want a name`},
		{`$..`, `column 4: want a name`},
		{`$.a..`, `column 6: want a name`},
		{`$a`, `column 2: want the end, a dot or a bracket, have "a"`},
		{`$[`, `column 3: want a name in quotes, an index`},
		{`$[]`, `column 3: want a name in quotes, an index`},
		{`$[a]`, `column 3: want a name in quotes, an index`},
		{`$[1`, `column 4: want "," or "]", have the end`},
		{`$[1,]`, `column 5: want a name in quotes`},
		{`$[01]`, `column 3: want an integer without leading zeros, have 01`},
		{`$[-0]`, `column 3: want an integer without leading zeros, have -0`},
		{`$[-]`, `column 4: want a digit, have "]"`},
		{`$[9007199254740992]`, `column 3: want an integer from -9007199254740991 to 9007199254740991`},
		{`$[1:2:3:4]`, `column 8: want "," or "]", have ":"`},
		{`$["a`, `column 3: the string has no end`},
		{`$["a\x"]`, `column 5: unknown escape`},
		{`$["\'"]`, `column 4: unknown escape`},
		{`$["\u12"]`, `column 4: want four hexadecimal digits`},
		{`$["\ud800"]`, `column 4: the first half of a pair of surrogates`},
		{`$["\ud800\u0041"]`, `column 4: the first half of a pair of surrogates`},
		{`$["\udc00"]`, `column 4: the second half of a pair of surrogates`},
		{"$[\"\n\"]", `column 4: want a character or an escape in a string`},
		{"$[\"\xff\"]", `column 4: want a character or an escape in a string`},
		{"$.\xff", `a byte that is not UTF-8`},
		{`$[?]`, `column 4: want a value`},
		{`$[?@.a ==]`, `column 10: want a value: "@", "$", a literal or a function, have "]"`},
		{`$[?@.a = 1]`, `column 8: want "," or "]", have "="`},
		{`$[?1]`, `column 5: want a comparison, have "]"`},
		{`$[?length(@)]`, `column 13: want a comparison`},
		{`$[?match(@.a, 'a') == true]`, `column 4: match is a condition, not a value`},
		{`$[?@.* == 1]`, `column 4: want a path that leads to one value`},
		{`$[?1 == @..a]`, `column 9: want a path that leads to one value`},
		{`$[?length(@.*) == 1]`, `column 11: want a path that leads to one value`},
		{`$[?count(1) == 1]`, `column 10: want a path for count`},
		{`$[?count() == 1]`, `column 10: want a value`},
		{`$[?match(@.a) == 1]`, `want "," and a second value`},
		{`$[?match(@.a, '[')]`, "column 15: error parsing regexp: missing closing ]: `[`"},
		{`$[?nope(@)]`, `column 4: unknown function "nope": want length, count, match, search or value`},
		{`$[?@.a == tru]`, `column 11: want true, false, null or a function, have "tru"`},
		{`$[?@.a == 01]`, `column 11: want a number, have 01`},
		{`$[?@.a == 1.]`, `column 11: want a number, have 1.`},
		{`$[?!@.a == 1]`, `column 5: want parentheses around a comparison after "!"`},
		{`$[?(@.a]`, `column 8: want ")", "&&" or "||", have "]"`},
		{`$[?@.a && ]`, `column 11: want a value`},
		{"$\n.a\n[?@.b == x]", "line 3, column 10: want true, false, null or a function, have \"x\"\n\t[?@.b == x]\n\t         ^"},
		{"$[?" + strings.Repeat("(", 1e6), "nested deeper than 100 levels"},
		{strings.Repeat("$[?@", 1e6), "column 5: want"},
		{"$" + strings.Repeat("[?@", 1e6), "nested deeper than 100 levels"},
		{"$[?" + strings.Repeat("length(", 1e6), "nested deeper than 100 levels"},
	}
	for _, test := range tests {
		if _, err := jsonpath.Expr(test.text).Compile(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.50s: %v, want %s", test.text, err, test.want)
		}
	}
	if got := jsonpath.Expr(`$["a"]`).String(); got != `jsonpath "$[\"a\"]"` {
		t.Errorf("String: %s", got)
	}
}

func TestWrongBody(t *testing.T) {
	type pipe struct{ io.Reader }
	loop := map[string]any{}
	loop["loop"] = loop
	tests := []struct {
		text string
		body any
		want string
	}{
		{`$`, `{"a": x}`, "body is not JSON: line 1, column 7: invalid character 'x' looking for beginning of value"},
		{`$`, ``, "body is not JSON: unexpected end of JSON"},
		{`$`, strings.Repeat("[", 1002) + strings.Repeat("]", 1002), "body is not JSON: values stand more than 1000 deep inside of each other"},
		{`$`, loop, "body is map[string]interface {}, which has no form in JSON: nested deeper than 1000 levels"},
		{`$`, make(chan int), "body is chan int, which has no form in JSON: json: unsupported type: chan int"},
		{`$`, pipe{strings.NewReader("{}")}, "body is jsonpath_test.pipe, a stream that can be read once: convert it to []byte or string first"},
		{`$[*, *, *, *, *]`, make([]any, 200_001), "more than 1000000 results"},
		{`$[?count($[*, *, *, *, *]) > 1]`, make([]any, 200_001), "more than 1000000 results"},
	}
	for _, test := range tests {
		if _, err := compile(t, test.text).Eval(t.Context(), &languagetest.Message{Body: test.body}); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.text, err, test.want)
		}
		if ok, err := compile(t, test.text).Holds(t.Context(), &languagetest.Message{Body: test.body}); ok || err == nil || err.Error() != test.want {
			t.Errorf("%s, as a condition: %v, want %s", test.text, err, test.want)
		}
	}
}

// deep returns a list in a list in a list, and each has many numbers.
func deep(n int) any {
	v := []any{}
	for range n {
		v = []any{v, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	}
	return v
}

func TestEndsWithContext(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, why)
	defer cancel()
	e := compile(t, `$[?count($..*..*) < 1]`)
	if _, err := e.Eval(ctx, &languagetest.Message{Body: []any{deep(300), deep(300)}}); !errors.Is(err, why) {
		t.Errorf("have %v", err)
	}
	if _, err := e.Holds(ctx, &languagetest.Message{Body: "{}"}); !errors.Is(err, why) {
		t.Errorf("with a context that is over: %v", err)
	}
}

func FuzzExpr(f *testing.F) {
	for _, text := range []string{`$.a[0]['b']`, `$..*`, `$[?@.a == 1 && !(@.b || length(@.c) >= 2)]`, `$[1:2:-1, *, "\u00e4"]`, `$[?match(@.a, 'x.*') || value(@..b) != null]`} {
		f.Add(text, `{"a": [1, {"b": "x"}]}`)
	}
	f.Fuzz(func(t *testing.T, text, body string) {
		e, err := jsonpath.Expr(text).Compile()
		if err != nil {
			if strings.HasPrefix(err.Error(), "column") || strings.HasPrefix(err.Error(), "line") {
				return
			}
			t.Fatalf("%q: the error does not say where: %v", text, err)
		}
		m := &languagetest.Message{Body: body}
		v, err := e.Eval(t.Context(), m)
		if err != nil {
			return
		}
		if _, err := json.Marshal(v); err != nil {
			t.Errorf("%q of %q: %v", text, body, err)
		}
		if _, err := e.(language.Predicate).Holds(t.Context(), m); err != nil {
			t.Errorf("%q of %q: %v", text, body, err)
		}
	})
}

func BenchmarkHolds(b *testing.B) {
	e := compile(b, `$.items[?@.amount > 100 && @.kind == 'gold']`)
	bodies := map[string]any{
		"text": []byte(`{"id": 7, "items": [{"amount": 150, "kind": "gold"}]}`),
		"map":  map[string]any{"id": 7, "items": []any{map[string]any{"amount": 150, "kind": "gold"}}},
	}
	for name, body := range bodies {
		b.Run(name, func(b *testing.B) {
			m := &languagetest.Message{Body: body}
			b.ReportAllocs()
			for b.Loop() {
				m.Asked = m.Asked[:0]
				if ok, err := e.Holds(b.Context(), m); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
