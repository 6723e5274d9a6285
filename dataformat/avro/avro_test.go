package avro_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/dataformat"
	"github.com/mehari-go/mehari/dataformat/avro"
	"github.com/mehari-go/mehari/dataformat/formattest"
)

const schema = `{"type": "record", "name": "Order", "fields": [
	{"name": "item", "type": "string"},
	{"name": "count", "type": "long"},
	{"name": "sizes", "type": {"type": "array", "items": "int"}, "default": []},
	{"name": "part", "type": ["null", "Order"], "default": null}
]}`

type order struct {
	Item  string  `avro:"item"`
	Count int64   `avro:"count"`
	Sizes []int32 `avro:"sizes"`
	Part  *order  `avro:"part"`
}

var (
	tea    = order{Item: "tea", Count: 2, Sizes: []int32{1, 2}, Part: &order{Item: "bag", Sizes: []int32{}}}
	sizes  = []any{int32(1), int32(2)}
	fields = map[string]any{"item": "tea", "count": int64(2), "sizes": sizes, "part": map[string]any{"item": "bag", "count": int64(0), "sizes": []any{}, "part": nil}}
)

func made(t testing.TB, c avro.Config) avro.Format {
	t.Helper()
	f, err := avro.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func cycle() *order {
	o := &order{}
	o.Part = o
	return o
}

func TestFormat(t *testing.T) {
	formattest.Test(t, formattest.Harness{
		Format:    made(t, avro.Config{Schema: schema}),
		Name:      "avro",
		Values:    []any{tea, fields},
		Natural:   fields,
		Truncated: true,
		Bad: []string{
			"", "\xff", "\x06tea\x04\x00\x04", "\x06tea\x04\x00\x00x", "\x06tea\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
			"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", strings.Repeat("\x00\x00\x00\x02", 100_000) + "\x00\x00\x00\x00",
		},
		Unfit: []any{nil, 1, map[string]any{"item": "tea"}, map[string]any{"item": 1, "count": 1}, cycle()},
	})
}

func TestContainer(t *testing.T) {
	for _, codec := range []string{"", "null", "deflate", "snappy", "zstandard"} {
		t.Run(codec, func(t *testing.T) {
			formattest.Test(t, formattest.Harness{
				Format:  made(t, avro.Config{Schema: schema, Container: true, Codec: codec}),
				Name:    "avro",
				Values:  []any{[]order{tea, *tea.Part}, []any{fields}, []map[string]any{fields, fields}},
				Natural: []any{fields, fields["part"]},
				Bad:     []string{"", "Obj", "Obj\x01", "text", "Obj\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
				Unfit:   []any{nil, tea, []any{1}, iter.Seq2[any, error](nil), []*order{cycle()}, broken()},
			})
		})
	}
}

func broken() iter.Seq2[any, error] {
	return func(yield func(any, error) bool) { _ = yield(tea, nil) && yield(nil, errors.New("dead")) }
}

func FuzzFormat(f *testing.F) {
	formattest.Fuzz(f, formattest.Harness{Format: made(f, avro.Config{Schema: schema}), Values: []any{tea, *tea.Part}, Bad: []string{"\xff"}, Equal: sameText})
}

func FuzzContainer(f *testing.F) {
	formattest.Fuzz(f, formattest.Harness{Format: made(f, avro.Config{Schema: schema, Container: true, Codec: "deflate", MaxSize: 1 << 20}), Values: []any{[]order{tea}}, Equal: sameText})
}

// sameText compares without telling an empty slice from nil.
func sameText(a, b any) bool { return text(a) == text(b) }

func text(v any) string {
	switch v := v.(type) {
	case []order:
		s := ""
		for _, o := range v {
			s += text(o)
		}
		return s
	case order:
		s := fmt.Sprintf("%q %d %v", v.Item, v.Count, v.Sizes)
		if v.Part != nil {
			s += text(*v.Part)
		}
		return s
	}
	return fmt.Sprint(v)
}

func TestSchemas(t *testing.T) {
	const old = `{"type": "record", "name": "Order", "fields": [{"name": "item", "type": "string"}, {"name": "color", "type": "string"}]}`
	const grown = `{"type": "record", "name": "Order", "fields": [{"name": "item", "type": "string"}, {"name": "count", "type": "int", "default": 1}]}`
	value := map[string]any{"item": "tea", "color": "green"}
	want := map[string]any{"item": "tea", "count": int32(1)}
	for _, c := range []struct {
		write, read avro.Config
		in, want    any
	}{
		{avro.Config{Schema: old}, avro.Config{Schema: grown, Writer: old}, value, want},
		{avro.Config{Schema: old, Container: true}, avro.Config{Schema: grown, Container: true}, []any{value}, []any{want}},
		{avro.Config{Schema: old, Container: true}, avro.Config{Container: true}, []any{value}, []any{value}},
	} {
		var b bytes.Buffer
		if err := made(t, c.write).Marshal(&b, c.in); err != nil {
			t.Fatal(err)
		}
		var got any
		if err := made(t, c.read).Unmarshal(&b, &got); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v: %v, %v, want %v", c.read, got, err, c.want)
		}
	}
}

func TestValues(t *testing.T) {
	f := made(t, avro.Config{Schema: schema, Container: true, Codec: "zstandard"})
	var b bytes.Buffer
	seq := iter.Seq2[any, error](func(yield func(any, error) bool) {
		for i := range 1000 {
			if !yield(order{Item: "tea", Count: int64(i)}, nil) {
				return
			}
		}
	})
	if err := f.Marshal(&b, seq); err != nil {
		t.Fatal(err)
	}
	whole := b.String()
	var values iter.Seq2[any, error]
	if err := f.Unmarshal(strings.NewReader(whole), &values); err != nil {
		t.Fatal(err)
	}
	var n int64
	for v, err := range values {
		if err != nil || v.(map[string]any)["count"] != n {
			t.Fatalf("%d: %v, %v", n, v, err)
		}
		n++
	}
	if n != 1000 {
		t.Errorf("%d values, want 1000", n)
	}
	for range f.Values(strings.NewReader(whole)) {
		break
	}
	for _, in := range []string{"text", whole[:len(whole)-1], whole[:len(whole)/2]} {
		var last error
		for _, err := range f.Values(strings.NewReader(in)) {
			last = err
		}
		if last == nil {
			t.Errorf("%.20q of %d bytes: no error", in, len(in))
		}
	}
}

// A few bytes do not become more than was allowed, in one block or in many.
func TestBomb(t *testing.T) {
	zeros := strings.Repeat("\x00", 100_000)
	many := make([]order, 30)
	for i := range many {
		many[i].Item = zeros
	}
	for _, codec := range []string{"null", "deflate", "snappy", "zstandard"} {
		var b bytes.Buffer
		if err := made(t, avro.Config{Schema: schema, Container: true, Codec: codec}).Marshal(&b, many); err != nil {
			t.Fatal(err)
		}
		var got []order
		err := made(t, avro.Config{Container: true, MaxSize: 1 << 20}).Unmarshal(&b, &got)
		if err == nil || !strings.Contains(err.Error(), "there are more than the 1 MB that MaxSize allows") {
			t.Errorf("%s: %d values, %v", codec, len(got), err)
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		config avro.Config
		want   string
	}{
		{avro.Config{}, "avro: Config.Schema is missing"},
		{avro.Config{Codec: "lzma", Container: true, Writer: schema}, "avro: Config.Codec: want null, deflate, snappy or zstandard, have \"lzma\"\navro: Config.Writer: a container has its own"},
	} {
		if _, err := avro.New(c.config); err == nil || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	for _, c := range []avro.Config{{Schema: "text"}, {Schema: schema, Writer: "{}"}, {Schema: `"int"`, Writer: `"string"`}} {
		if _, err := avro.New(c); err == nil || !strings.HasPrefix(err.Error(), "avro: Config.") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := made(t, avro.Config{Container: true}).Marshal(io.Discard, []order{tea}); err == nil || err.Error() != "want a schema to write with: Config.Schema" {
		t.Error(err)
	}
	for _, err := range []error{avro.Format{}.Marshal(io.Discard, tea), avro.Format{}.Unmarshal(strings.NewReader(""), new(any))} {
		if err == nil || err.Error() != "want a format made by avro.New" {
			t.Error(err)
		}
	}
	var s string
	err := made(t, avro.Config{Container: true}).Unmarshal(strings.NewReader(""), &s)
	if want := "want a pointer to a slice, to an any or to an iter.Seq2[any, error] for a container, have *string"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func Example() {
	format, err := avro.New(avro.Config{Schema: `{"type": "record", "name": "Order", "fields": [
		{"name": "item", "type": "string"}, {"name": "count", "type": "int"}
	]}`})
	if err != nil {
		fmt.Println(err)
		return
	}
	type Order struct {
		Item  string `avro:"item"`
		Count int    `avro:"count"`
	}
	var b bytes.Buffer
	if err := format.Marshal(&b, Order{"tea", 2}); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%q\n", b.String())

	var order Order
	if err := format.Unmarshal(&b, &order); err != nil {
		fmt.Println(err)
	}
	fmt.Println(order)

	// Output:
	// "\x06tea\x04"
	// {tea 2}
}

func TestCheck(t *testing.T) {
	var f dataformat.Checker = avro.Format{}
	if err := f.Check(); err == nil || err.Error() != "want a format made by avro.New" {
		t.Errorf("have %v, want an error", err)
	}
}
