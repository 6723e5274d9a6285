package xml_test

import (
	"bytes"
	stdxml "encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/dataformat/formattest"
	"github.com/mehari-go/mehari/dataformat/xml"
)

type order struct {
	XMLName stdxml.Name `xml:"order"`
	ID      int         `xml:"id,attr"`
	Items   []string    `xml:"item"`
	Note    string      `xml:"note,omitempty"`
}

var (
	tea     = order{XMLName: stdxml.Name{Local: "order"}, ID: 5, Items: []string{"tea", "<cup> & \"é\"\r\n"}}
	harness = formattest.Harness{
		Format: xml.Format{},
		Name:   "xml",
		Values: []any{tea, &order{XMLName: stdxml.Name{Local: "order"}}},
		Natural: map[string]any{"order": map[string]any{
			"@id": "5", "item": []any{"tea", "<cup> & \"é\"\r\n"},
		}},
		Truncated: true,
		Bad: []string{
			"", "text", "<a/>", "<order id='x'/>", "<order></a>", "<order>&who;</order>", "<order/><order/>", "<order/>x", "<order>\x01</order>", "<order>\xff</order>",
			`<?xml version="1.0" encoding="EBCDIC"?><order/>`, `<?xml version="1.1"?><order/>`,
			`<!DOCTYPE order [<!ENTITY who SYSTEM "file:///etc/passwd">]><order><note>&who;</note></order>`,
		},
		Unfit: []any{
			strings.NewReader("x"), nil,
			[]order{tea},
			make(chan int),
			map[string]any{},
			map[string]any{"a": 1, "b": 2},
			map[string]any{"a": []any{1}},
			map[string]any{"a b": 1},
			map[string]any{"a": "\x01"},
			map[string]any{"a": "\xff"},
			map[string]any{"a": map[string]any{"@": 1}},
			map[string]any{"": 1},
			map[string]any{"a": make(chan int)},
			map[string]int{"a": 1},
		},
	}
)

func TestFormat(t *testing.T) { formattest.Test(t, harness) }

func FuzzFormat(f *testing.F) { formattest.Fuzz(f, harness) }

// A tree that was read is the same after it was written and read.
func FuzzTree(f *testing.F) {
	for _, in := range harness.Bad {
		f.Add(in)
	}
	f.Add(`<a xmlns:b="c" b:d="e">f<b:g> h </b:g><b:g/><i><![CDATA[<j>]]></i></a>`)
	f.Fuzz(func(t *testing.T, in string) {
		var v, again any
		if xml.Format.Unmarshal(xml.Format{}, strings.NewReader(in), &v) != nil {
			return
		}
		for _, indent := range []string{"", " "} {
			var out bytes.Buffer
			if err := (xml.Format{Indent: indent}).Marshal(&out, v); err != nil {
				t.Fatalf("%q as %v: %v", in, v, err)
			}
			text := out.String()
			if err := (xml.Format{}).Unmarshal(&out, &again); err != nil || !reflect.DeepEqual(v, again) {
				t.Fatalf("%q as %q became %q and then %q, %v", in, v, text, again, err)
			}
		}
	})
}

func TestTree(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"<a/>", `map[a:]`},
		{" <?x?><!-- x --><!DOCTYPE a><a>\n x </a> <!-- x -->\n", "map[a:\n x ]"},
		{`<a b="1"/>`, `map[a:map[@b:1]]`},
		{`<a b="1"> x </a>`, `map[a:map[#text: x  @b:1]]`},
		{`<a> x <b>1</b> y </a>`, `map[a:map[#text:x  y b:1]]`},
		{"<a>\n<b>1</b>\n<c/><b>2</b><b><d/></b></a>", `map[a:map[b:[1 2 map[d:]] c:]]`},
		{`<x:a xmlns:x="y" x:b="1"><x:c/></x:a>`, `map[x:a:map[@x:b:1 @xmlns:x:y x:c:]]`},
		{`<a>&lt;<![CDATA[<]]>&#233;</a>`, `map[a:<<é]`},
		{"\ufeff<a/>", `map[a:]`},
		{"", "there is no element"},
		{"<a>", "line 1: <a> does not end"},
		{"<a>\n</b>", "line 2: </b> ends <a>"},
		{"</a>", "line 1: </a> ends what did not begin"},
		{"x<a/>", "there is text where the root should be"},
		{`<a b="1" b="2"/>`, `line 1: <a> has two attributes "b"`},
		{`<a/><b/>`, `there is more than one element`},
		{`<a>&b;</a>`, `XML syntax error on line 1: invalid character entity &b;`},
		{strings.Repeat("<a>", 2000), "line 1: elements stand more than 1000 deep inside of each other"},
	} {
		var v any
		got := ""
		if err := (xml.Format{}).Unmarshal(strings.NewReader(c.in), &v); err != nil {
			got = err.Error()
		} else {
			got = fmt.Sprint(v)
		}
		if got != c.want {
			t.Errorf("%.100s:\n%q, want\n%q", c.in, got, c.want)
		}
	}
	var o struct{ A *struct{} }
	if err := (xml.Format{}).Unmarshal(strings.NewReader(strings.Repeat("<A>", 50_000)), &o); err == nil {
		t.Error("50000 elements inside of each other were taken")
	}
}

func write(f xml.Format, v any) string {
	var b strings.Builder
	if err := f.Marshal(&b, v); err != nil {
		return err.Error()
	}
	return b.String()
}

func TestWrite(t *testing.T) {
	tree := map[string]any{"a": map[string]any{"@n": 1, "b": []int{1, 2}, "c": map[string]string{"#text": "x", "d": ""}, "e": nil}}
	cyclic := map[string]any{}
	cyclic["a"] = cyclic
	for _, c := range []struct {
		format xml.Format
		in     any
		want   string
	}{
		{xml.Format{}, tree, `<a n="1"><b>1</b><b>2</b><c>x<d></d></c><e></e></a>`},
		{xml.Format{Indent: "  "}, tree, "<a n=\"1\">\n  <b>1</b>\n  <b>2</b>\n  <c>x<d></d></c>\n  <e></e>\n</a>"},
		{xml.Format{Declaration: true}, order{ID: 1}, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<order id=\"1\"></order>"},
		{xml.Format{Indent: " "}, order{Items: []string{"a"}}, "<order id=\"0\">\n <item>a</item>\n</order>"},
		{xml.Format{}, []order{tea}, "want one value, for the root, have []xml_test.order"},
		{xml.Format{}, nil, "want a value that makes an element, have <nil>"},
		{xml.Format{}, map[string]any{}, "want a map with one key, for the root, have 0"},
		{xml.Format{}, map[string]any{"a": []any{1}}, `want one value for the root "a", have []interface {}`},
		{xml.Format{}, map[string]any{"a><b": 1}, `"a><b" cannot be a name in XML`},
		{xml.Format{}, map[string]any{"a": "\x01"}, `"a": XML has no character "\x01"`},
		{xml.Format{}, cyclic, "elements stand more than 1000 deep inside of each other"},
	} {
		if got := write(c.format, c.in); got != c.want {
			t.Errorf("%v:\n%s, want\n%s", c.in, got, c.want)
		}
	}
}

func TestOptions(t *testing.T) {
	const latin = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xe9</a>"
	f := xml.Format{Charset: func(name string, r io.Reader) (io.Reader, error) {
		if name != "ISO-8859-1" {
			return nil, errors.New("unknown encoding")
		}
		b, err := io.ReadAll(r)
		return strings.NewReader(strings.ReplaceAll(string(b), "\xe9", "é")), err
	}}
	var v any
	if err := f.Unmarshal(strings.NewReader(latin), &v); err != nil || !reflect.DeepEqual(v, map[string]any{"a": "é"}) {
		t.Errorf("%v, %v", v, err)
	}
	err := xml.Format{MaxSize: 10}.Unmarshal(strings.NewReader("<a>1234567890</a>"), &v)
	if err == nil || err.Error() != "there are more than the 10 bytes that MaxSize allows" {
		t.Error(err)
	}
}

func Example() {
	type Order struct {
		ID    int      `xml:"id,attr"`
		Items []string `xml:"item"`
	}
	const text = `<order id="5"><item>tea</item><item>cup</item></order>`

	var order Order
	if err := (xml.Format{}).Unmarshal(strings.NewReader(text), &order); err != nil {
		fmt.Println(err)
	}
	fmt.Println(order)

	var tree any
	if err := (xml.Format{}).Unmarshal(strings.NewReader(text), &tree); err != nil {
		fmt.Println(err)
	}
	fmt.Println(tree)

	// Output:
	// {5 [tea cup]}
	// map[order:map[@id:5 item:[tea cup]]]
}
