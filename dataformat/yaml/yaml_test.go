package yaml_test

import (
	"bytes"
	"fmt"
	"iter"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/dataformat/formattest"
	"github.com/mehari-go/mehari/dataformat/yaml"
)

type order struct {
	Item  string         `yaml:"item"`
	Sizes []int          `yaml:"sizes,omitempty"`
	More  map[string]any `yaml:"more,omitempty"`
}

var harness = formattest.Harness{
	Format: yaml.Format{},
	Name:   "yaml",
	Values: []any{
		order{Item: "tea", Sizes: []int{1, 2}},
		&order{Item: "yes\n: #", More: map[string]any{"a": []any{1, 1.5, nil, true, "~"}}},
		map[string]any{"a": 1},
		[]string{"x"},
		"text", 1,
	},
	Natural: map[string]any{"item": "tea", "sizes": []any{1, 2}},
	Bad: []string{
		"", "- a", "sizes: [x]", "sizes: [1", "item: a\nitem: b\n", "item: \xff", "a: 1\n---\nb: 2\n", "more: *a", "more: &a {b: *a}", "\tx", "item: [",
		"sizes: [99999999999999999999]", bomb(), strings.Repeat("[", 20000), strings.Repeat("{a: ", 20000), strings.Repeat("- ", 20000),
	},
	Unfit: []any{strings.NewReader("x"), make(chan int), func() {}, cycle()},
}

// bomb is a document of a few lines whose aliases would make billions of values.
func bomb() string {
	text := "more:\n  a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 12; i++ {
		text += fmt.Sprintf("  a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9))
	}
	return text
}

func cycle() any {
	m := map[string]any{}
	m["self"] = []any{m}
	return m
}

func TestFormat(t *testing.T) { formattest.Test(t, harness) }

func FuzzFormat(f *testing.F) {
	h := harness
	h.Values = []any{struct {
		A string
		B []int
		C map[string]bool
	}{"x", []int{1}, map[string]bool{"y": true}}}
	h.Equal = func(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) }
	formattest.Fuzz(f, h)
}

// Nothing panics, and what was read can be written.
func FuzzAny(f *testing.F) {
	for _, in := range harness.Bad {
		f.Add(in)
	}
	f.Add("a: [1, 1.5, ~, true, 2026-11-22, !!binary aGk=, {1: x}]\nb: &c {d: e}\nf: {<<: *c}\n")
	f.Fuzz(func(t *testing.T, in string) {
		var v any
		if len(in) > 10_000 || yaml.Format.Unmarshal(yaml.Format{}, strings.NewReader(in), &v) != nil {
			return
		}
		if err := (yaml.Format{}).Marshal(new(bytes.Buffer), v); err != nil {
			t.Errorf("%q as %#v: %v", in, v, err)
		}
	})
}

func TestNatural(t *testing.T) {
	for in, want := range map[string]any{
		"1": 1, "1.5": 1.5, "9223372036854775807": math.MaxInt64, "18446744073709551615": uint64(math.MaxUint64), "~": nil, "true": true, "yes": "yes",
		"2026-11-22T10:00:00Z": time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), "{1: a, b: c}": map[any]any{1: "a", "b": "c"}, "{}": map[string]any{},
		"{a: &x {b: 1}, c: {<<: *x}}": map[string]any{"a": map[string]any{"b": 1}, "c": map[string]any{"b": 1}}, "[a, [b]]": []any{"a", []any{"b"}},
	} {
		var v any
		if err := (yaml.Format{}).Unmarshal(strings.NewReader(in), &v); err != nil || !reflect.DeepEqual(v, want) {
			t.Errorf("%s: %#v, %v, want %#v", in, v, err, want)
		}
	}
}

func TestOptions(t *testing.T) {
	var b strings.Builder
	if err := (yaml.Format{Indent: 4}).Marshal(&b, map[string]any{"a": map[string]any{"b": 1}}); err != nil || b.String() != "a:\n    b: 1\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
	var o order
	if err := (yaml.Format{}).Unmarshal(strings.NewReader("item: tea\ncolor: green\n"), &o); err != nil || o.Item != "tea" {
		t.Errorf("%v, %v", o, err)
	}
	err := yaml.Format{DisallowUnknownFields: true}.Unmarshal(strings.NewReader("item: tea\ncolor: green\n"), &o)
	if err == nil || !strings.Contains(err.Error(), "color") {
		t.Error(err)
	}
	err = yaml.Format{MaxSize: 4}.Unmarshal(strings.NewReader("item: tea"), &o)
	if err == nil || err.Error() != "there are more than the 4 bytes that MaxSize allows" {
		t.Error(err)
	}
}

func TestDocuments(t *testing.T) {
	var documents iter.Seq2[any, error]
	if err := (yaml.Format{}).Unmarshal(strings.NewReader("a: 1\n---\n- b\n---\n{\n"), &documents); err != nil {
		t.Fatal(err)
	}
	var got []any
	var failed error
	for v, err := range documents {
		if failed = err; err == nil {
			got = append(got, v)
		}
	}
	if want := []any{map[string]any{"a": 1}, []any{"b"}}; !reflect.DeepEqual(got, want) || failed == nil {
		t.Errorf("%v, %v, want %v and an error", got, failed, want)
	}
}

func Example() {
	type Order struct {
		Item  string `yaml:"item"`
		Sizes []int  `yaml:"sizes,flow"`
	}
	var order Order
	if err := (yaml.Format{}).Unmarshal(strings.NewReader("item: tea\nsizes: [1, 2]\n"), &order); err != nil {
		fmt.Println(err)
	}
	order.Sizes = append(order.Sizes, 3)
	if err := (yaml.Format{}).Marshal(os.Stdout, order); err != nil {
		fmt.Println(err)
	}

	// Output:
	// item: tea
	// sizes: [1, 2, 3]
}
