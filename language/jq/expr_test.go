package jq_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/language/jq"
	"github.com/mehari-go/mehari/language/languagetest"
	"github.com/mehari-go/mehari/route"
)

func compile(t testing.TB, text string) language.Predicate {
	t.Helper()
	e, err := jq.Expr(text).Compile()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e.(language.Predicate)
}

type item struct {
	Name string `json:"name"`
	Size int8   `json:"size,omitempty"`
}

func TestEval(t *testing.T) {
	orders := `{"amount": 150, "big": 123456789012345678901, "items": [{"id": 1}, {"id": 2.5}], "exact": 9007199254740993}`
	tests := []struct {
		text string
		body any
		want any
	}{
		{`.amount`, orders, 150},
		{`.amount`, []byte(orders), 150},
		{`.amount`, json.RawMessage(orders), 150},
		{`.amount`, bytes.NewBufferString(orders), 150},
		{`.amount`, strings.NewReader(orders), 150},
		{`.exact`, orders, 9007199254740993},
		{`.big`, orders, json.Number("123456789012345678901")},
		{`.big + 1`, orders, func() any { n, _ := new(big.Int).SetString("123456789012345678902", 10); return n }()},
		{`.items[] | .id`, orders, []any{1, 2.5}},
		{`[.items[].id]`, orders, []any{1, 2.5}},
		{`.items[0] | .id`, orders, 1},
		{`.items[] | select(.id > 9)`, orders, nil},
		{`.nope`, orders, nil},
		{`{total: .amount}`, orders, map[string]any{"total": 150}},
		{`.`, nil, nil},
		{`.`, `"text"`, "text"},
		{`.name`, item{Name: "ink"}, "ink"},
		{`.name`, &item{Name: "ink"}, "ink"},
		{`.[1].size`, []item{{}, {Size: 3}}, 3},
		{`.a[1]`, map[string]any{"a": []string{"x", "y"}}, "y"},
		{`.a + .b + .c + .d`, map[string]any{"a": int64(1), "b": uint8(2), "c": float32(3), "d": json.Number("4")}, 10.0},
		{`.n`, map[string]any{"n": uint64(1) << 63}, json.Number("9223372036854775808")},
		{`$headers.kind`, nil, "gold"},
		{`$headers.raw`, nil, "bytes"},
		{`$headers | has("channel")`, nil, false},
		{`$headers | length`, nil, 2},
		{`$properties.p.name`, nil, "ink"},
		{`$variables.v`, nil, true},
		{`$exception`, nil, "boom"},
		{`$exchangeId + "@" + $routeId`, nil, "ex-1@orders"},
		{`$ENV | length`, nil, 0},
		{`env | length`, nil, 0},
		{`1, halt, 2`, nil, 1},
		{`"a1" | test("^[a-z][0-9]$")`, nil, true},
	}
	for _, test := range tests {
		m := &languagetest.Message{
			Body:       test.body,
			Headers:    map[string]any{"kind": "gold", "raw": []byte("bytes"), "channel": make(chan int)},
			Properties: map[string]any{"p": item{Name: "ink"}},
			Variables:  map[string]any{"v": true},
			Exception:  errors.New("boom"),
		}
		for range 2 { // a stream is still there the second time
			got, err := compile(t, test.text).Eval(t.Context(), m)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s of %v = %#v, %v; want %#v", test.text, test.body, got, err, test.want)
			}
		}
	}
}

func TestBodyStaysAsItIs(t *testing.T) {
	body := map[string]any{"list": []any{int64(3), int64(1)}, "n": int64(7)}
	got, err := compile(t, `.list |= sort | .n += 1`).Eval(t.Context(), &languagetest.Message{Body: body})
	want := map[string]any{"list": []any{1, 3}, "n": 8}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("have %v, %v", got, err)
	}
	if !reflect.DeepEqual(body, map[string]any{"list": []any{int64(3), int64(1)}, "n": int64(7)}) {
		t.Errorf("the body has become %v", body)
	}
}

func TestHolds(t *testing.T) {
	tests := []struct {
		text, body string
		want       bool
	}{
		{`.amount > 100`, `{"amount": 150}`, true},
		{`.amount > 100`, `{"amount": 15}`, false},
		{`.amount`, `{"amount": 0}`, true},
		{`.amount`, `{"amount": null}`, false},
		{`.amount`, `{}`, false},
		{`.items[] | select(.id == 2)`, `{"items": [{"id": 1}, {"id": 2}]}`, true},
		{`.items[] | select(.id == 3)`, `{"items": [{"id": 1}, {"id": 2}]}`, false},
		{`.[]`, `[false, null, "x"]`, true},
		{`.[]`, `[false, null]`, false},
	}
	for _, test := range tests {
		got, err := compile(t, test.text).Holds(t.Context(), &languagetest.Message{Body: test.body})
		if err != nil || got != test.want {
			t.Errorf("%s of %s: %t, %v", test.text, test.body, got, err)
		}
	}
}

func TestOnlyWhatIsNamedIsAskedFor(t *testing.T) {
	m := &languagetest.Message{Body: "{}"}
	if _, err := compile(t, `.a`).Eval(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Asked, []language.Kind{language.Body}) {
		t.Errorf("asked for %v", m.Asked)
	}
}

func TestWrongText(t *testing.T) {
	tests := []struct{ text, want string }{
		{`.a b`, "column 4: unexpected token \"b\"\n\t.a b\n\t   ^"},
		{".a |\n  .b[", "line 2, column 6: unexpected EOF\n\t  .b[\n\t     ^"},
		{`.a | "b`, "column 8: unterminated string literal\n\t.a | \"b\n\t       ^"},
		{`.a | nope`, "function not defined: nope/0"},
		{`$nope`, "variable not defined: $nope"},
		{`input`, "input(s)/0 is not allowed"},
		{`inputs`, "input(s)/0 is not allowed"},
		{`import "a" as a; a::b`, `cannot load module: "a"`},
		{strings.Repeat("[", 1e6), "longer than 65536 bytes"},
		{`include "a"; .`, `cannot load module: "a"`},
		{`import "a" as $a; $a`, `cannot load module: "a"`},
	}
	for _, test := range tests {
		if _, err := jq.Expr(test.text).Compile(); err == nil || err.Error() != test.want {
			t.Errorf("%.50s: %v, want %s", test.text, err, test.want)
		}
	}
	for _, deep := range []string{"[", "(", "-"} {
		_, _ = jq.Expr(strings.Repeat(deep, 65000) + ".").Compile() // does not overflow the stack
	}
	if got := jq.Expr(`.a == "b"`).String(); got != `jq ".a == \"b\""` {
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
		{`.`, `{"a": x}`, "body is not JSON: line 1, column 7: invalid character 'x' looking for beginning of value"},
		{`.`, `{"a": 1`, "body is not JSON: unexpected end of JSON"},
		{`.`, `{} {}`, "body is not JSON: there is more than one JSON value"},
		{`.`, ``, "body is not JSON: unexpected end of JSON"},
		{`.`, []byte(nil), "body is not JSON: unexpected end of JSON"},
		{`.`, strings.Repeat("[", 1002) + strings.Repeat("]", 1002), "body is not JSON: values stand more than 1000 deep inside of each other"},
		{`.`, strings.Repeat("[", 1e6), "body is not JSON: values stand more than 1000 deep inside of each other"},
		{`.`, loop, "body is map[string]interface {}, which has no form in JSON: nested deeper than 1000 levels"},
		{`.`, `1e999`, "body is not JSON: the number 1e999 is too large"},
		{`.`, make(chan int), "body is chan int, which has no form in JSON: json: unsupported type: chan int"},
		{`.`, pipe{strings.NewReader("{}")}, "body is jq_test.pipe, a stream that can be read once: convert it to []byte or string first"},
		{`.`, route.NewStream(strings.NewReader("{}")), "body is *stream.Stream, a stream that can be read once: convert it to []byte or string first"},
		{`.`, "\"\xff\"", "body is not JSON: it is not valid UTF-8"},
		{`.a.b`, `{"a": 7}`, `expected an object but got: number (7)`},
		{`.[]`, `7`, `cannot iterate over: number (7)`},
		{`error("no")`, `7`, `error: no`},
		{`"x" | halt_error`, `7`, `halt error: x`},
		{`., .a`, `7`, `expected an object but got: number (7)`},
		{`repeat(1)`, `7`, "more than 100000 results"},
	}
	for _, test := range tests {
		if _, err := compile(t, test.text).Eval(t.Context(), &languagetest.Message{Body: test.body}); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.text, err, test.want)
		}
		if strings.HasSuffix(test.want, "results") {
			continue // it takes a while
		}
		if _, err := compile(t, `(`+test.text+`) | false`).Holds(t.Context(), &languagetest.Message{Body: test.body}); err == nil || err.Error() != test.want {
			t.Errorf("%s, as a condition: %v, want %s", test.text, err, test.want)
		}
	}
}

func TestEndsWithContext(t *testing.T) {
	for _, text := range []string{`[repeat(1)]`, `def f: f; f`, `last(range(1e15))`} {
		why := errors.New("why")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, why)
		if _, err := compile(t, text).Eval(ctx, &languagetest.Message{}); !errors.Is(err, why) {
			t.Errorf("%s: %v", text, err)
		}
		if _, err := compile(t, text).Holds(ctx, &languagetest.Message{}); !errors.Is(err, why) {
			t.Errorf("%s, as a condition: %v", text, err)
		}
		cancel()
	}
}

func FuzzExpr(f *testing.F) {
	for _, text := range []string{`.items[] | .id`, `.a as [$x, {b: $y}] | $x + $y`, `reduce .[] as $x (0; . + $x)`, `"\(.a)"`, `.a |= . + 1`, `try error catch .`, `$headers["a"]`, `@base64 "x\(.)"`} {
		f.Add(text, `{"a": [1, {"b": "x"}]}`)
	}
	f.Fuzz(func(t *testing.T, text, body string) {
		e, err := jq.Expr(text).Compile()
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, _ = e.Eval(ctx, &languagetest.Message{Body: body})
	})
}

func BenchmarkHolds(b *testing.B) {
	e := compile(b, `.amount > 100 and $headers.kind == "gold"`)
	bodies := map[string]any{
		"text": []byte(`{"id": 7, "amount": 150, "customer": {"name": "Ada"}}`),
		"map":  map[string]any{"id": 7, "amount": 150, "customer": map[string]any{"name": "Ada"}},
	}
	for name, body := range bodies {
		b.Run(name, func(b *testing.B) {
			m := &languagetest.Message{Body: body, Headers: map[string]any{"kind": "gold"}}
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
