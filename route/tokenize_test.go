package route_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mehari-go/mehari/route"
)

// tokens takes text apart.
func tokens(t *testing.T, body any, e route.Expr) ([]string, error) {
	t.Helper()
	trace, _, err := through(t, route.NewExchange(body), func(r *route.Route) {
		r.Split(e, route.Do().To("to:trace"))
	})
	all := make([]string, len(trace))
	for i, part := range trace {
		all[i] = part.(string)
	}
	return all, err
}

func TestTokenize(t *testing.T) {
	small := route.TokenOptions{MaxSize: 4}
	for _, test := range []struct {
		by   route.Expr
		text string
		want string // with | between parts
		err  string
	}{
		{route.Tokenize(","), "a,,b,", "a||b", ""},
		{route.Tokenize(","), "", "", ""},
		{route.Tokenize(","), ",", "", ""},
		{route.Tokenize("<br>"), "a<br>b<b>c<br><br>d", "a|b<b>c||d", ""},
		{route.Tokenize("aab"), "aaabx", "a|x", ""},
		{route.Lines(), "one\r\ntwo\n\nthree\r", "one|two||three", ""},
		{route.Lines(route.TokenOptions{Skip: 1}), "head\na\nb", "a|b", ""},
		{route.Lines(small), "1234\n1234\r\n12", "1234|1234|12", ""},
		{route.Tokenize("--", small), "1234--1234", "1234|1234", ""},
		{route.Tokenize("--", small), "12--1234--12345--1", "12|1234", "part 3, at byte 10: longer than 4 bytes"},
		{route.Tokenize("--", small), "12345", "", "part 1, at byte 0: longer than 4 bytes"},
		{route.Lines(small), "1\n" + strings.Repeat("x", 100_000), "1", "part 2, at byte 2: longer than 4 bytes"},

		{route.TokenizeJSON(), ` [ 1 , "a,]" ,{"b": [2, {}]},null,[]  ] `, `1|"a,]"|{"b": [2, {}]}|null|[]`, ""},
		{route.TokenizeJSON(), `[]`, "", ""},
		{route.TokenizeJSON(), ` `, "", ""},
		{route.TokenizeJSON(), `{"a":1}`, "", "part 1, at byte 0: want a JSON array, have an object"},
		{route.TokenizeJSON(), `"a"`, "", "part 1, at byte 0: want a JSON array, have a text"},
		{route.TokenizeJSON(), `1`, "", "part 1, at byte 0: want a JSON array, have a number"},
		{route.TokenizeJSON(), `true`, "", "part 1, at byte 0: want a JSON array, have a bool"},
		{route.TokenizeJSON(), `null`, "", "part 1, at byte 0: want a JSON array, have null"},
		{route.TokenizeJSON(), `[1,2`, "1|2", "part 3, at byte 4: unexpected EOF"},
		{route.TokenizeJSON(), `[1,{"a":`, "1", "part 2, at byte 2: unexpected EOF"},
		{route.TokenizeJSON(), `[1,}`, "1", "part 2, at byte 2: invalid character '}' looking for beginning of value"},
		{route.TokenizeJSON(), `[1] x`, "1", "part 2, at byte 3: invalid character 'x' looking for beginning of value"},
		{route.TokenizeJSON(), `[1][2]`, "1", "part 2, at byte 3: want nothing after the array"},
		{route.TokenizeJSON(small), `[1234,"12",12345]`, `1234|"12"`, "part 3, at byte 10: longer than 4 bytes"},
		{route.TokenizeJSON(small), `[1,` + strings.Repeat(" ", 100_000) + `2]`, `1`, "part 2, at byte 2: longer than 4 bytes"},
		{route.TokenizeJSON(), strings.Repeat("[", 100_000), "", "part 1, at byte 1: invalid character '[' exceeded max depth"},

		{route.TokenizeXML("a"), `<x><a>1</a> <b><a k="v"/></b><!-- <a> --><a>2<a>3</a></a></x>`, `<a>1</a>|<a k="v"/>|<a>2<a>3</a></a>`, ""},
		{route.TokenizeXML("a"), `<a>1</a>`, `<a>1</a>`, ""},
		{route.TokenizeXML("a"), ``, ``, ""},
		{
			route.TokenizeXML("a"), `<x xmlns="urn:x" xmlns:p="urn:p" xmlns:q="u&quot;q"><a q:k="1"/><p:a xmlns="urn:y">p:</p:a></x>`,
			`<a xmlns="urn:x" xmlns:q="u&#34;q" q:k="1"/>|<p:a xmlns:p="urn:p" xmlns="urn:y">p:</p:a>`, "",
		},
		{route.TokenizeXML("a"), `<x xmlns="urn:x"><y xmlns=""><a/></y><a/></x>`, `<a/>|<a xmlns="urn:x"/>`, ""},
		{route.TokenizeXML("{urn:x}a"), `<x xmlns:x="urn:x"><a/><x:a>x</x:a></x>`, `<x:a xmlns:x="urn:x">x</x:a>`, ""},
		{route.TokenizeXML("{}a"), `<x xmlns:x="urn:x"><a/><x:a>x</x:a></x>`, `<a/>`, ""},
		{route.TokenizeXML("a"), "<x><a>1</a>\n<a>2</x>", `<a>1</a>`, "part 2, at byte 12: XML syntax error on line 2: element <a> closed by </x>"},
		{route.TokenizeXML("a"), "<x><a>1</a>", `<a>1</a>`, "part 2, at byte 11: XML syntax error on line 1: unexpected EOF"},
		{route.TokenizeXML("a"), "<x>&bomb;</x>", ``, "part 1, at byte 3: XML syntax error on line 1: invalid character entity &bomb;"},
		{route.TokenizeXML("a", route.TokenOptions{MaxSize: 10}), "<x><a>123</a><a>1234</a></x>", `<a>123</a>`, "part 2, at byte 13: longer than 10 bytes"},
		{route.TokenizeXML("a", route.TokenOptions{MaxSize: 10}), "<x>" + strings.Repeat(" ", 100_000), ``, "part 1, at byte 14: longer than 10 bytes"},
		{route.TokenizeXML("a"), strings.Repeat("<x>", 2000), ``, "part 1, at byte 3000: want elements, and namespaces of those around, up to 1000 deep"},
		{route.TokenizeXML("a"), "<a>" + strings.Repeat("<x>", 2000), ``, "part 1, at byte 0: want elements, and namespaces of those around, up to 1000 deep"},
	} {
		want := strings.Split(test.want, "|")
		if test.want == "" {
			want = nil
			if test.text == "," {
				want = []string{""}
			}
		}
		for kind, body := range map[string]any{
			"string":  test.text,
			"bytes":   []byte(test.text),
			"reader":  strings.NewReader(test.text),
			"trickle": iotest.OneByteReader(strings.NewReader(test.text)),
		} {
			got, err := tokens(t, body, test.by)
			if !slices.Equal(got, want) || (err == nil) != (test.err == "") || err != nil && !strings.HasSuffix(err.Error(), ": split: "+test.err) {
				t.Errorf("%s %.100q: %q, %v; want %q, %s", kind, test.text, got, err, want, test.err)
			}
		}
	}
}

// A reader that fails has not ended: what it has read of a part is none.
func TestTokenizeReaderFails(t *testing.T) {
	boom := errors.New("boom")
	for _, test := range []struct {
		by         route.Expr
		text, want string
	}{
		{route.Lines(), "one\ntw", "[one]"},
		{route.TokenizeJSON(), "[1,2", "[1]"},
		{route.TokenizeXML("a"), "<x><a/><a>1</", "[<a/>]"},
	} {
		got, err := tokens(t, io.MultiReader(strings.NewReader(test.text), iotest.ErrReader(boom)), test.by)
		if !errors.Is(err, boom) || fmt.Sprint(got) != test.want {
			t.Errorf("%q: %v, %v; want %s and boom", test.text, got, err, test.want)
		}
	}
}

// What was read is not there to be read again.
func TestTokenizeReadsOnce(t *testing.T) {
	trace, _, err := through(t, route.NewExchange(strings.NewReader("a\nb")), func(r *route.Route) {
		r.Split(route.Lines(), route.Do().To("to:trace")).
			Split(route.Lines(), route.Do().To("to:trace"))
	})
	if fmt.Sprint(trace) != "[a b]" || err == nil || !strings.Contains(err.Error(), ": split: the stream was read before") {
		t.Errorf("%v, %v", trace, err)
	}
}

func TestTokenizeFrom(t *testing.T) {
	ex := route.NewExchange(42)
	ex.SetHeader("csv", "a,b")
	trace, _, err := through(t, ex, func(r *route.Route) {
		r.Split(route.Tokenize(",", route.TokenOptions{From: route.NewKey[string]("csv")}), route.Do().To("to:trace")).
			Split(route.Lines(route.TokenOptions{From: func(*route.Exchange) any { return nil }}), route.Do().To("to:trace")).
			Split(route.Lines(), route.Do().To("to:trace"))
	})
	if fmt.Sprint(trace) != "[a b]" || err == nil || !strings.HasSuffix(err.Error(), ": split: want a string, a []byte or an io.Reader to take apart, have int") {
		t.Errorf("%v, %v", trace, err)
	}
}

func TestTokenizeMistakes(t *testing.T) {
	block := route.Do().Process(nop)
	wantMistakes(t, new(kit).build(route.Config{}, route.From("in:x").
		Split(route.Tokenize(""), block).
		Split(route.Lines(route.TokenOptions{MaxSize: -1, Skip: -2}), block).
		Split(route.Lines(route.TokenOptions{}, route.TokenOptions{}), block).
		Split(route.Lines(route.TokenOptions{From: "${body}"}), block).
		Split(route.TokenizeXML(""), block).
		Split(route.TokenizeXML("{urn:x"), block).
		Split(route.TokenizeXML("p:a"), block)),
		`split: want a separator that is not empty`,
		`split: want a MaxSize that is not negative, have -1`,
		`split: want a Skip that is not negative, have -2`,
		`split: want one route.TokenOptions, have 2`,
		`split: the text "${body}" would not be evaluated: use route.Simple, or route.Constant to have it as it is`,
		`split: want the name of an element, such as order or {urn:shop}order, have ""`,
		`split: want the name of an element, such as order or {urn:shop}order, have "{urn:x"`,
		`split: want the name of an element, such as order or {urn:shop}order, have "p:a"`)
}

// fuzzTokens returns a function that takes text apart.
func fuzzTokens(f *testing.F, e route.Expr) func(body any) ([]string, error) {
	var parts []string
	ctx, next := consumerOf(f, route.Config{Components: route.Components{}, Logger: slog.New(slog.DiscardHandler)}, route.From("in:x").
		Split(e, route.Do().Process(func(_ context.Context, ex *route.Exchange) error {
			parts = append(parts, ex.Body.(string))
			return nil
		})))
	return func(body any) ([]string, error) {
		parts = nil
		ex := route.NewExchange(body)
		defer ex.Release()
		err := next.Process(ctx, ex)
		if _, ok := errors.AsType[*route.PanicError](err); ok {
			panic(err)
		}
		return parts, err
	}
}

func FuzzTokenize(f *testing.F) {
	f.Add("a,,b,", ",")
	f.Add("aaabx", "aab")
	f.Fuzz(func(t *testing.T, text, separator string) {
		if separator == "" {
			return
		}
		want := strings.Split(text, separator)
		if want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		got, err := tokens(t, iotest.HalfReader(strings.NewReader(text)), route.Tokenize(separator))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	})
}

func FuzzTokenizeJSON(f *testing.F) {
	for _, text := range []string{`[1, "a", {"b":[]}]`, `[`, `[1,]`, `{}`, `[[]] 1`} {
		f.Add(text)
	}
	take := fuzzTokens(f, route.TokenizeJSON())
	f.Fuzz(func(t *testing.T, text string) {
		got, err := take(strings.NewReader(text))
		var want []json.RawMessage
		if json.Unmarshal([]byte(text), &want) == nil && want != nil && err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if err == nil && strings.TrimSpace(text) != "" {
			if fmt.Sprint(json.Unmarshal([]byte(text), &want)) != "<nil>" || len(want) != len(got) {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
			for i := range want {
				if string(want[i]) != got[i] {
					t.Errorf("%q: %q, want %q", text, got, want)
				}
			}
		}
	})
}

func FuzzTokenizeXML(f *testing.F) {
	for _, text := range []string{`<x><a>1</a><b/></x>`, `<x xmlns:p="urn:p"><p:a k="1"/></x>`, `<a`, `<x><a></x>`, `<!DOCTYPE x [<!ENTITY a "b">]><a>&a;</a>`} {
		f.Add(text)
	}
	take := fuzzTokens(f, route.TokenizeXML("a"))
	f.Fuzz(func(t *testing.T, text string) {
		got, _ := take(strings.NewReader(text))
		for _, part := range got { // is a document whose root is such an element
			var root struct {
				XMLName xml.Name
			}
			if err := xml.Unmarshal([]byte(part), &root); err != nil || root.XMLName.Local != "a" {
				t.Errorf("%q: part %q: %v", text, part, err)
			}
		}
	})
}
