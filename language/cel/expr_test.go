package cel_test

import (
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
	"github.com/mehari-go/mehari/language/cel"
	"github.com/mehari-go/mehari/language/languagetest"
)

func compile(t testing.TB, text string) language.Expression {
	t.Helper()
	e, err := cel.Expr(text).Compile()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

type item struct {
	Name string `json:"name"`
	Size int8   `json:"size"`
}

func TestEval(t *testing.T) {
	order := `{"amount": 150, "price": 2.5, "items": [{"id": 1}, {"id": 2}], "tags": ["a"], "exact": 9007199254740993, "big": 12345678901234567890}`
	tests := []struct {
		text string
		body any
		want any
	}{
		{`body.amount > 100 && headers.kind == 'gold'`, order, true},
		{`body.amount > 100 && headers.kind == 'gold'`, []byte(order), true},
		{`body.amount > 100 && headers.kind == 'gold'`, strings.NewReader(order), true},
		{`body.amount > 100 && headers.kind == 'gold'`, map[string]any{"amount": int64(150)}, true},
		{`body.amount > 149.5`, order, true},
		{`body.amount + 1.0`, order, 151.0},
		{`int(body.amount) + 1`, order, 151},
		{`body.amount * 2.0`, map[string]any{"amount": 150.0}, 300.0},
		{`body.n + 1`, map[string]any{"n": 1}, 2},
		{`body.exact`, order, 9007199254740993},
		{`body.big > 1`, order, true},
		{`body.price * 2.0`, order, 5.0},
		{`body['amount']`, order, 150.0},
		{`body[?'nope'].orValue(7)`, order, 7},
		{`body.?nope`, order, nil},
		{`body.?amount`, order, 150.0},
		{`'tags' in body`, order, true},
		{`has(body.nope)`, order, false},
		{`body[1]`, `["x", "y"]`, "y"},
		{`body.all(x, x < 3)`, `[1, 2]`, true},
		{`body.items.map(i, i.id)`, order, []any{1.0, 2.0}},
		{`body.items`, order, []any{map[string]any{"id": 1.0}, map[string]any{"id": 2.0}}},
		{`body.items.exists(i, i.id == 2)`, order, true},
		{`{'total': body.amount, 'list': [1, 'x', null, true]}`, order, map[string]any{"total": 150.0, "list": []any{1, "x", nil, true}}},
		{`body == 'ping'`, "ping", true},
		{`body == 'ping'`, []byte("ping"), true},
		{`body.startsWith('p')`, "ping", true},
		{`body.upperAscii()`, "ping", "PING"},
		{`body.matches('^p.*g$')`, "ping", true},
		{`size(body)`, "ping", 4},
		{`body`, `{"a": 1}`, `{"a": 1}`},
		{`body == null`, nil, true},
		{`body > 6`, 7, true},
		{`body.name + ':' + string(body.size)`, &item{"ink", 3}, "ink:3"},
		{`body[0].name`, []item{{"ink", 3}}, "ink"},
		{`headers.raw`, nil, "bytes"},
		{`has(headers.channel)`, nil, false},
		{`properties.p.name`, nil, "ink"},
		{`variables.v`, nil, true},
		{`exception`, nil, "boom"},
		{`exchangeId + '@' + routeId`, nil, "ex-1@orders"},
		{`b'a'`, nil, []byte("a")},
		{`7u`, nil, uint64(7)},
		{`duration('90s')`, nil, 90 * time.Second},
		{`timestamp('2026-11-22T10:00:00Z')`, nil, time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)},
		{`type(1)`, nil, "int"},
		{`null`, nil, nil},
	}
	for _, test := range tests {
		m := &languagetest.Message{
			Body:       test.body,
			Headers:    map[string]any{"kind": "gold", "raw": []byte("bytes"), "channel": make(chan int)},
			Properties: map[string]any{"p": item{Name: "ink"}},
			Variables:  map[string]any{"v": true},
			Exception:  errors.New("boom"),
		}
		e := compile(t, test.text)
		for range 2 { // a stream is still there the second time
			got, err := e.Eval(t.Context(), m)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s of %v = %#v, %v; want %#v", test.text, test.body, got, err, test.want)
			}
		}
	}
}

func TestOnlyWhatIsNamedIsAskedFor(t *testing.T) {
	m := &languagetest.Message{Body: `{"a": 1}`}
	if _, err := compile(t, `body.a == 1 && body.a < 2`).Eval(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Asked, []language.Kind{language.Body}) {
		t.Errorf("asked for %v", m.Asked)
	}
}

func TestWrongText(t *testing.T) {
	tests := []struct{ text, want string }{
		{`bdy.a > 1`, "column 1: undeclared reference to 'bdy' (did you mean 'body'?)\n\tbdy.a > 1\n\t^"},
		{"'ä' == 'ä' &&\n  1 + 'x' == 2", "line 2, column 5: found no matching overload for '_+_' applied to '(int, string)'\n\t  1 + 'x' == 2\n\t    ^"},
		{`body.all(x)`, "column 9: undeclared reference to 'all'\n\tbody.all(x)\n\t        ^\ncolumn 10: undeclared reference to 'x'\n\tbody.all(x)\n\t         ^"},
		{`headers.kind == `, "column 17: Syntax error: mismatched input '<EOF>' expecting"},
		{``, "column 1: Syntax error: mismatched input '<EOF>' expecting"},
		{`body.matches('[')`, "error parsing regexp: missing closing ]: `[`"},
		{strings.Repeat("(", 10000), "expression recursion limit exceeded: 250"},
		{strings.Repeat("[", 10000), "expression recursion limit exceeded: 250"},
		{strings.Repeat("a", 200000), "expression code point size exceeds limit"},
		{"a\n\n\n$", "line 4, column 1: Syntax error: token recognition error at: '$'"},
	}
	for _, test := range tests {
		if _, err := cel.Expr(test.text).Compile(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.50s: %v, want %s", test.text, err, test.want)
		}
	}
	if got := cel.Expr(`body == "b"`).String(); got != `cel "body == \"b\""` {
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
		{`body.a`, `{"a": x}`, "body is not JSON: line 1, column 7: invalid character 'x' looking for beginning of value"},
		{`body.a`, ``, "body is not JSON: unexpected end of JSON"},
		{`body.a`, strings.Repeat("[", 1002) + strings.Repeat("]", 1002), "body is not JSON: values stand more than 1000 deep inside of each other"},
		{`body.a`, loop, "body is map[string]interface {}, which has no form in JSON: nested deeper than 1000 levels"},
		{`body`, make(chan int), "body is chan int, which has no form in JSON: json: unsupported type: chan int"},
		{`body`, pipe{strings.NewReader("{}")}, "body is cel_test.pipe, a stream that can be read once: convert it to []byte or string first"},
		{`body.a.b`, `{"a": 7}`, `no such key: b`},
		{`body.a`, `{}`, `no such key: a`},
		{`body.a`, nil, `no such key: a`},
		{`body > 1`, "x", `no such overload`},
		{`headers.nope == 'x'`, nil, `no such key: nope`},
		{`{1: 2}`, nil, "the result has a key of the type int, want strings"},
		{`9223372036854775807 + int(body)`, "1", "integer overflow"},
		{`1 / int(body)`, "0", "division by zero"},
		{`'x'.matches(body)`, "[", "error parsing regexp: missing closing ]: `[`"},
	}
	for _, test := range tests {
		if _, err := compile(t, test.text).Eval(t.Context(), &languagetest.Message{Body: test.body}); err == nil || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.text, err, test.want)
		}
	}
}

func TestIsBounded(t *testing.T) {
	var many []any
	for i := range 1000 {
		many = append(many, i)
	}
	e := compile(t, `body.all(a, body.all(b, body.all(c, a + b + c >= 0)))`)
	if _, err := e.Eval(t.Context(), &languagetest.Message{Body: many}); err == nil || !strings.Contains(err.Error(), "cost limit exceeded") {
		t.Errorf("have %v", err)
	}
	why := errors.New("why")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, why)
	defer cancel()
	if _, err := e.Eval(ctx, &languagetest.Message{Body: many}); !errors.Is(err, why) {
		t.Errorf("have %v", err)
	}
	if _, err := e.Eval(ctx, &languagetest.Message{Body: many}); !errors.Is(err, why) {
		t.Errorf("with a context that is over: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	e := compile(t, `body.n * 2 == variables.twice`)
	done := make(chan bool)
	for i := range 8 {
		go func() {
			ok := true
			for range 100 {
				got, err := e.Eval(context.Background(), &languagetest.Message{Body: map[string]any{"n": i}, Variables: map[string]any{"twice": 2 * i}})
				ok = ok && got == true && err == nil
			}
			done <- ok
		}()
	}
	for range 8 {
		if !<-done {
			t.Error("wrong")
		}
	}
}

func FuzzExpr(f *testing.F) {
	for _, text := range []string{`body.a[0] > 1`, `body.all(x, x < 3)`, `{'a': body.?b}`, `size(body) > 1u`, `headers.a + "x"`, `'%s'.format([body])`, "\"\"\"a\n\"\"\""} {
		f.Add(text, `{"a": [1, {"b": "x"}]}`)
	}
	f.Fuzz(func(t *testing.T, text, body string) {
		e, err := cel.Expr(text).Compile()
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		v, err := e.Eval(ctx, &languagetest.Message{Body: body})
		if err == nil {
			_, _ = json.Marshal(v)
		}
	})
}

func BenchmarkEval(b *testing.B) {
	e := compile(b, `body.amount > 100 && headers.kind == 'gold'`)
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
				if v, err := e.Eval(b.Context(), m); v != true || err != nil {
					b.Fatal(v, err)
				}
			}
		})
	}
}
