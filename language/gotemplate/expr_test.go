package gotemplate_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/language/gotemplate"
	"github.com/mehari-go/mehari/language/languagetest"
)

func compile(t testing.TB, text string) language.Expression {
	t.Helper()
	e, err := gotemplate.Expr(text).Compile()
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

type customer struct {
	Name string `json:"name"`
	Age  int    `json:"age"`
}

func (c customer) Greeting() string { return "Dear " + c.Name }

func (c customer) Panics() string { panic("oh") }

func TestEval(t *testing.T) {
	ada := customer{"Ada", 36}
	tests := []struct {
		text string
		body any
		want string
	}{
		{`Dear {{.Body.Name}}`, ada, "Dear Ada"},
		{`{{.Body.Greeting}} ({{.Body.Age}})`, &ada, "Dear Ada (36)"},
		{`{{.Body.name}}`, map[string]any{"name": "Ada"}, "Ada"},
		{`{{range $i, $e := .Body}}{{$i}}{{$e}} {{end}}`, []string{"a", "b"}, "0a 1b "},
		{`{{.Body}}`, []byte("text"), "text"},
		{`{{.Body}}`, bytes.NewBufferString("text"), "text"},
		{`{{.Body}}`, strings.NewReader("text"), "text"},
		{`{{.Body}}`, nil, ""},
		{`{{.Body}}`, 7, "7"},
		{`{{.JSON.customer.name}} {{.JSON.n}}`, `{"customer": {"name": "Ada"}, "n": 9007199254740993}`, "Ada 9007199254740993"},
		{`{{with .JSON}}{{.name}} {{.age}}{{end}}`, ada, "Ada 36"},
		{`{{json .Body}}`, ada, `{"name":"Ada","age":36}`},
		{`{{.Header "kind"}}|{{.Header "nope"}}|{{.Header "raw"}}`, nil, "gold||bytes"},
		{`{{if eq (.Header "kind") "gold"}}yes{{else}}no{{end}}`, nil, "yes"},
		{`{{.Headers.kind}} {{.Properties.p.Name}} {{.Variables.v}}`, nil, "gold Ada true"},
		{`{{.Property "p"}} {{.Variable "v"}}`, nil, "{Ada 36} true"},
		{`{{with .Exception}}failed: {{.}}{{end}}`, nil, "failed: boom"},
		{`{{.ExchangeID}}@{{.RouteID}}`, nil, "ex-1@orders"},
		{``, ada, ""},
	}
	for _, test := range tests {
		m := &languagetest.Message{
			Body:       test.body,
			Headers:    map[string]any{"kind": "gold", "raw": []byte("bytes")},
			Properties: map[string]any{"p": ada},
			Variables:  map[string]any{"v": true},
			Exception:  errors.New("boom"),
		}
		e := compile(t, test.text)
		for range 2 { // a stream is still there the second time
			if got, err := e.Eval(t.Context(), m); err != nil || got != test.want {
				t.Errorf("%s of %v = %#v, %v; want %q", test.text, test.body, got, err, test.want)
			}
		}
	}
}

func TestNoException(t *testing.T) {
	if got, err := compile(t, `{{with .Exception}}failed: {{.}}{{else}}fine{{end}}`).Eval(t.Context(), &languagetest.Message{}); got != "fine" || err != nil {
		t.Errorf("have %v, %v", got, err)
	}
}

func TestOnlyWhatIsNamedIsAskedFor(t *testing.T) {
	m := &languagetest.Message{Body: "x"}
	if _, err := compile(t, `{{.Body}}`).Eval(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Asked, []language.Kind{language.Body}) {
		t.Errorf("asked for %v", m.Asked)
	}
}

func TestWrongText(t *testing.T) {
	tests := []struct{ text, want string }{
		{"a\n{{.Body", `line:2: unclosed action`},
		{"{{nope .Body}}", `line:1: function "nope" not defined`},
		{"{{if .Body}}", `line:1: unexpected EOF`},
		{strings.Repeat("{{if 1}}", 10000), `line:1: unexpected EOF`},
		{"{{" + strings.Repeat("(", 100000), `line:1: max expression depth exceeded`},
	}
	for _, test := range tests {
		if _, err := gotemplate.Expr(test.text).Compile(); err == nil || err.Error() != test.want {
			t.Errorf("%.50s: %v, want %s", test.text, err, test.want)
		}
	}
	if got := gotemplate.Expr(`{{"b"}}`).String(); got != `gotemplate "{{\"b\"}}"` {
		t.Errorf("String: %s", got)
	}
}

func TestWrongBody(t *testing.T) {
	type pipe struct{ io.Reader }
	tests := []struct {
		text string
		body any
		want string
	}{
		{`{{.Body.Name}}`, "text", "can't evaluate field Name in type interface {}"},
		{`{{.Body.Nope}}`, customer{}, "can't evaluate field Nope in type"},
		{`{{.Body.Panics}}`, customer{}, "error calling Panics: oh"},
		{`{{.Body.Name}}`, (*customer)(nil), "nil pointer evaluating"},
		{`{{.Body.nope}}`, map[string]any{}, `map has no entry for key "nope"`},
		{`{{.Headers.nope}}`, nil, `map has no entry for key "nope"`},
		{`{{.JSON.a}}`, `{"a": x}`, "body is not JSON: line 1, column 7: invalid character 'x' looking for beginning of value"},
		{`{{.JSON.a}}`, ``, "body is not JSON: unexpected end of JSON"},
		{`{{.JSON.a}}`, strings.Repeat("[", 1002) + strings.Repeat("]", 1002), "body is not JSON: values stand more than 1000 deep inside of each other"},
		{`{{.Body}}`, pipe{strings.NewReader("x")}, "body is gotemplate_test.pipe, a stream that can be read once"},
		{`{{json .Body}}`, make(chan int), "json: unsupported type: chan int"},
		{`{{range 70000}}` + strings.Repeat("x", 1000) + `{{end}}`, nil, "the result is longer than 67108864 bytes"},
		{`{{define "a"}}{{template "a"}}{{end}}{{template "a"}}`, nil, "exceeded maximum template depth"},
		{`{{.SetHeader}}`, nil, "can't evaluate field SetHeader"},
	}
	for _, test := range tests {
		_, err := compile(t, test.text).Eval(t.Context(), &languagetest.Message{Body: test.body})
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.HasPrefix(err.Error(), "line:1:") && !strings.HasPrefix(err.Error(), "the") {
			t.Errorf("%.50s: %v, want %s", test.text, err, test.want)
		}
	}
}

func TestEndsWithContext(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Millisecond, why)
	defer cancel()
	e := compile(t, `{{range 1000000000}}{{""}}{{end}}`)
	if _, err := e.Eval(ctx, &languagetest.Message{}); !errors.Is(err, why) {
		t.Errorf("have %v", err)
	}
}

func FuzzExpr(f *testing.F) {
	for _, text := range []string{`{{.Body.name}}`, `{{range $k, $v := .JSON}}{{$k}}{{end}}`, `{{define "a"}}{{.}}{{end}}{{template "a" .JSON}}`, `{{printf "%d" 7 | len}}`, `{{index .JSON 1}}`, `{{slice "abc" 1 2}}`} {
		f.Add(text, `{"name": [1, {"b": "x"}]}`)
	}
	f.Fuzz(func(t *testing.T, text, body string) {
		e, err := gotemplate.Expr(text).Compile()
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, _ = e.Eval(ctx, &languagetest.Message{Body: body, Headers: map[string]any{}})
	})
}

func BenchmarkEval(b *testing.B) {
	e := compile(b, `{{and (gt .Body.Age 30) (eq (.Header "kind") "gold")}}`)
	m := &languagetest.Message{Body: &customer{"Ada", 36}, Headers: map[string]any{"kind": "gold"}}
	b.ReportAllocs()
	for b.Loop() {
		m.Asked = m.Asked[:0]
		if v, err := e.Eval(b.Context(), m); v != "true" || err != nil {
			b.Fatal(v, err)
		}
	}
}
