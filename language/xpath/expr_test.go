package xpath_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/language/languagetest"
	"github.com/mehari-go/mehari/language/xpath"
)

func compile(t testing.TB, s xpath.Source) language.Predicate {
	t.Helper()
	e, err := s.Compile()
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return e.(language.Predicate)
}

const order = `<?xml version="1.0"?>
<!-- an order -->
<order id="7" kind="gold">
  <item sku="a"><name>Ink</name><price>2.50</price></item>
  <item sku="b"><name>Pen &amp; <b>paper</b></name><price>4</price></item>
  <note><![CDATA[a < b]]> &#8364;</note>
  <empty/>
</order>`

func TestEval(t *testing.T) {
	tests := []struct {
		text string
		want any
	}{
		{`/order/@id`, "7"},
		{`//item[@sku='b']/name`, "Pen & paper"},
		{`//item/name`, []any{"Ink", "Pen & paper"}},
		{`//item/@sku`, []any{"a", "b"}},
		{`//nope`, nil},
		{`//empty`, ""},
		{`//note`, "a < b €"},
		{`//note/text()`, "a < b €"},
		{`/comment()`, " an order "},
		{`count(//item)`, 2.0},
		{`sum(//price)`, 6.5},
		{`string(//item[2]/price)`, "4"},
		{`number(//item[1]/price) * 2`, 5.0},
		{`//price > 3`, true},
		{`/order[@kind='gold' and count(item) > 1]/@id`, "7"},
		{`//item[last()]/@sku`, "b"},
		{`//item[position()=1]/following-sibling::item/@sku`, "b"},
		{`//price[. = 4]/parent::item/@sku`, "b"},
		{`//price[. = 4]/preceding-sibling::name/b`, "paper"},
		{`//b/ancestor::item/@sku`, "b"},
		{`concat(/order/@kind, '-', //item[1]/name)`, "gold-Ink"},
		{`name(/*)`, "order"},
		{`//item/name | //empty`, []any{"Ink", "Pen & paper", ""}},
		{`boolean(//nope)`, false},
		{`not(//nope)`, true},
		{`matches(/order/@kind, '^g.ld$')`, true},
		{`//*[@sku]/@sku`, []any{"a", "b"}},
		{`/order/item/price[number(.) < 3]`, "2.50"},
	}
	for _, test := range tests {
		e := compile(t, xpath.Expr(test.text))
		for _, body := range []any{order, []byte(order), strings.NewReader(order), "\ufeff" + order} {
			got, err := e.Eval(t.Context(), &languagetest.Message{Body: body})
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s of %T = %#v, %v; want %#v", test.text, body, got, err, test.want)
			}
		}
	}
}

const namespaced = `<o:order xmlns:o="urn:orders" xmlns="urn:items" xmlns:x="urn:x"><item x:id="1" id="2" q="&quot;&#10;">a&amp;b<!--c--><sub xmlns=""/></item><x:item/></o:order>`

func TestNamespaces(t *testing.T) {
	tests := []struct {
		source xpath.Source
		want   any
	}{
		{xpath.Expr(`/p:order/q:item/@id`).Namespace("p", "urn:orders").Namespace("q", "urn:items"), "2"},
		{xpath.Expr(`//q:item/@x:id`).Namespace("q", "urn:items").Namespace("x", "urn:x"), "1"},
		{xpath.Expr(`//q:order`).Namespace("q", "urn:items"), nil},
		{xpath.Expr(`/o:order/item/@x:id`), "1"},
		{xpath.Expr(`namespace-uri(/*/*)`), "urn:items"},
		{xpath.Expr(`count(//@*)`), 3.0},
		{xpath.Expr(`//item`).Nodes(), []any{`<item xmlns="urn:items" xmlns:o="urn:orders" xmlns:x="urn:x" x:id="1" id="2" q="&#34;&#10;">a&amp;b<!--c--><sub xmlns=""/></item>`}},
		{xpath.Expr(`//sub`).Nodes(), []any{`<sub xmlns="" xmlns:o="urn:orders" xmlns:x="urn:x"/>`}},
		{xpath.Expr(`//item/@id | //item/text()`).Nodes(), []any{"2", "a&b"}},
		{xpath.Expr(`//nope`).Nodes(), []any{}},
		{xpath.Expr(`/`).Nodes(), []any{strings.ReplaceAll(namespaced, "&quot;", "&#34;")}},
	}
	for _, test := range tests {
		got, err := compile(t, test.source).Eval(t.Context(), &languagetest.Message{Body: namespaced})
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s = %#v, %v; want %#v", test.source, got, err, test.want)
		}
	}
}

func TestHolds(t *testing.T) {
	tests := map[string]bool{
		`//item`: true, `//nope`: false, `//empty`: true, `count(//item)`: true, `count(//nope)`: false,
		`number('x')`: false, `string(//empty)`: false, `string(//name)`: true, `//price > 3`: true, `//price > 9`: false,
		`/order[@kind='gold']`: true, `/order[@kind='silver']`: false, `/order/@id = 7`: true, `//item and //nope`: false, `//item or //nope`: true,
	}
	for text, want := range tests {
		e := compile(t, xpath.Expr(text))
		for range 3 {
			if got, err := e.Holds(t.Context(), &languagetest.Message{Body: order}); err != nil || got != want {
				t.Errorf("%s: %t, %v", text, got, err)
			}
		}
	}
}

func TestOnlyTheBodyIsAskedFor(t *testing.T) {
	m := &languagetest.Message{Body: order}
	if _, err := compile(t, xpath.Expr(`/order`)).Eval(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Asked, []language.Kind{language.Body}) {
		t.Errorf("asked for %v", m.Asked)
	}
}

func TestWrongText(t *testing.T) {
	tests := []struct{ text, want string }{
		{``, "expr expression is nil"},
		{`//order[@id='7'`, "//order[@id='7' has an invalid token"},
		{`//order[@id=`, "expression must evaluate to a node-set"},
		{`$kind`, "undeclared variable in XPath expression: $kind"},
		{`//p:order`, "prefix p not defined."},
		{`nope(1)`, "not yet support this function nope()"},
		{`matches(//a, '[')`, "matches() got error. error parsing regexp: missing closing ]: `[`"},
		{strings.Repeat("(", 100000), "too complex"},
		{strings.Repeat("a[", 100000), "too complex"},
		{strings.Repeat("-", 100000) + "1", ""},
	}
	for _, test := range tests {
		_, err := xpath.Expr(test.text).Namespace("x", "urn:x").Compile()
		if test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%.50s: %v, want %s", test.text, err, test.want)
		}
	}
	if got := xpath.Expr(`/a[b="c"]`).String(); got != `xpath "/a[b=\"c\"]"` {
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
		{`/a`, ``, "body is not XML: there is no element"},
		{`/a`, `{"a": 1}`, "body is not XML: line 1: want an element, have text"},
		{`/a`, "<a>\n<b></a>", `body is not XML: line 2: unexpected end of element "a"`},
		{`/a`, "<a>\n<b>", `body is not XML: line 2: there is no end of element "b"`},
		{`/a`, "<a/>\n<b/>", `body is not XML: line 2: a second root element: "b"`},
		{`/a`, "</a>", `body is not XML: line 1: unexpected end of element "a"`},
		{`/a`, "<a b=1/>", `body is not XML: XML syntax error on line 1: unquoted or missing attribute value in element`},
		{`/a`, "<a>&x;</a>", `body is not XML: XML syntax error on line 1: invalid character entity &x;`},
		{`/a`, `<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>`, `body is not XML: XML syntax error on line 1: invalid character entity &x;`},
		{`/a`, strings.Repeat("<a>", 1e5), `body is not XML: line 1: nested deeper than 1000 levels`},
		{`/a`, `<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, `body is not XML: xml: opening charset "ISO-8859-1": want UTF-8, have the encoding "ISO-8859-1"`},
		{`/a`, nil, "body is <nil>, want XML as text"},
		{`/a`, map[string]any{}, "body is map[string]interface {}, want XML as text"},
		{`/a`, pipe{strings.NewReader("<a/>")}, "body is xpath_test.pipe, a stream that can be read once: convert it to []byte or string first"},
		{`contains(1, 2)`, `<a/>`, "contains() function argument type must be string"},
		{`sum(/a)`, `<a>x</a>`, ""},
	}
	for _, test := range tests {
		e := compile(t, xpath.Expr(test.text))
		for range 2 { // a panic of the library leaves nothing behind
			_, err := e.Eval(t.Context(), &languagetest.Message{Body: test.body})
			if test.want != "" && (err == nil || err.Error() != test.want) {
				t.Errorf("%s of %.30v: %v, want %s", test.text, test.body, err, test.want)
			}
			if _, err := e.Holds(t.Context(), &languagetest.Message{Body: test.body}); test.want != "" && (err == nil || err.Error() != test.want) {
				t.Errorf("%s of %.30v, as a condition: %v, want %s", test.text, test.body, err, test.want)
			}
		}
	}
	if _, err := compile(t, xpath.Expr(`count(/a)`).Nodes()).Eval(t.Context(), &languagetest.Message{Body: `<a/>`}); err == nil || err.Error() != "want nodes, have a value of type float64" {
		t.Errorf("have %v", err)
	}
}

func TestEndsWithContext(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, why)
	defer cancel()
	e := compile(t, xpath.Expr(`//a[count(//a[count(//a) > 0]) > 0]`))
	body := "<r>" + strings.Repeat("<a/>", 2000) + "</r>"
	if _, err := e.Eval(ctx, &languagetest.Message{Body: body}); !errors.Is(err, why) {
		t.Errorf("have %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	e := compile(t, xpath.Expr(`count(//item[@n > 3])`))
	done := make(chan bool)
	for i := range 8 {
		go func() {
			ok := true
			body := "<r>" + strings.Repeat(`<item n="4"/><item n="1"/>`, i) + "</r>"
			for range 100 {
				got, err := e.Eval(context.Background(), &languagetest.Message{Body: body})
				ok = ok && got == float64(i) && err == nil
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

// What an expression found before does not change what it finds.
func FuzzExpr(f *testing.F) {
	for _, text := range []string{`//a[@b='1']`, `count(//*) + 1`, `//a/../b | //c`, `string-join(//a, ',')`, `/a[position() < 2]/text()`, `//a[last()]/following::*`, `substring(//a, 1, 2)`, `//a and not(//b)`, `reverse(//a)`} {
		f.Add(text, `<a b="1"><b>x</b><a/>y<!--c--></a>`)
	}
	f.Add(`/*`, `<x:a xmlns:x="u"><b xmlns="v" c="&quot;&lt;"/>&amp;<![CDATA[<]]></x:a>`)
	f.Fuzz(func(t *testing.T, text, body string) {
		source := xpath.Expr(text)
		used, err := source.Compile()
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, _ = used.Eval(ctx, &languagetest.Message{Body: `<a><b>1</b><c d="e"/><b/></a>`})
		again, err1 := used.Eval(ctx, &languagetest.Message{Body: body})
		fresh, err2 := compile(t, source).Eval(ctx, &languagetest.Message{Body: body})
		if ctx.Err() == nil && (err1 == nil) != (err2 == nil) {
			t.Errorf("%s: %v and %v", text, err1, err2)
		}
		if ctx.Err() == nil && err1 == nil && fmt.Sprint(again) != fmt.Sprint(fresh) {
			t.Errorf("%s: %v and %v", text, again, fresh)
		}
		nodes, _ := compile(t, source.Nodes()).Eval(ctx, &languagetest.Message{Body: body})
		if list, ok := nodes.([]any); ok && text == "/*" {
			if _, err := compile(t, source).Eval(ctx, &languagetest.Message{Body: list[0]}); err != nil {
				t.Errorf("%s is not XML: %v", list[0], err)
			}
		}
	})
}

func BenchmarkHolds(b *testing.B) {
	e := compile(b, xpath.Expr(`/order[@kind='gold' and amount > 100]`))
	m := &languagetest.Message{Body: []byte(`<order id="7" kind="gold"><amount>150</amount><customer><name>Ada</name></customer></order>`)}
	b.ReportAllocs()
	for b.Loop() {
		m.Asked = m.Asked[:0]
		if ok, err := e.Holds(b.Context(), m); !ok || err != nil {
			b.Fatal(ok, err)
		}
	}
}
