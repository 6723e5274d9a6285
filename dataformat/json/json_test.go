package json_test

import (
	stdjson "encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/dataformat/formattest"
	"github.com/mehari-go/mehari/dataformat/json"
)

type order struct {
	Item  string         `json:"item"`
	Count int            `json:"count"`
	More  map[string]any `json:"more,omitempty"`
}

var harness = formattest.Harness{
	Format:    json.Format{},
	Name:      "json",
	Values:    []any{order{Item: "tea", Count: 2}, order{More: map[string]any{"a": []any{1.5, "<é>", nil, true}}}, []any{}, "text", 1},
	Natural:   map[string]any{"item": "tea", "count": 2.0},
	Truncated: true,
	Bad:       []string{"", " ", "{", `{"count":"2"}`, `{"count":1.5}`, `{"count":1e99}`, "{} {}", "{}x", "[1]", "NaN", "{\"item\":\"\xff\"}", `{'item':1}`},
	Unfit:     []any{strings.NewReader("x"), make(chan int), math.NaN(), "\xff", func() {}, map[string]any{"a": "\xff"}},
}

func TestFormat(t *testing.T) { formattest.Test(t, harness) }

func FuzzFormat(f *testing.F) { formattest.Fuzz(f, harness) }

func FuzzAny(f *testing.F) {
	h := harness
	h.Values = []any{map[string]any{"a": []any{1.5, int64(9007199254740993), "\ufffd", nil}}}
	h.Equal = func(a, b any) bool { return text(f, a) == text(f, b) }
	formattest.Fuzz(f, h)
}

func text(t testing.TB, v any) string {
	var b strings.Builder
	if err := (json.Format{}).Marshal(&b, v); err != nil {
		t.Error(err)
	}
	return b.String()
}

func unmarshal(f json.Format, in string, into any) string {
	if err := f.Unmarshal(strings.NewReader(in), into); err != nil {
		return err.Error()
	}
	return ""
}

func TestOptions(t *testing.T) {
	var b strings.Builder
	if err := (json.Format{Indent: " ", EscapeHTML: true}).Marshal(&b, []string{"<"}); err != nil || b.String() != "[\n \"\\u003c\"\n]" {
		t.Errorf("%q, %v", b.String(), err)
	}
	if got := text(t, "<"); got != `"<"` {
		t.Error(got)
	}
	var v any
	if err := unmarshal(json.Format{UseNumber: true}, `1.0`, &v); err != "" || v != stdjson.Number("1.0") {
		t.Errorf("%#v, %s", v, err)
	}
	var o order
	for _, c := range []struct {
		format json.Format
		in     string
		want   string
	}{
		{json.Format{}, `{"item":"tea","color":"red"}`, ""},
		{json.Format{DisallowUnknownFields: true}, `{"item":"tea","color":"red"}`, `json: unknown field "color"`},
		{json.Format{MaxDepth: 2}, `{"more":{"a":1}}`, ""},
		{json.Format{MaxDepth: 2}, `{"more":{"a":[]}}`, "values stand more than 2 deep inside of each other"},
		{json.Format{}, `{"more":{"a":"\"` + strings.Repeat("[", 2000) + `"}}`, ""},
		{json.Format{}, `{"more":{"a":` + strings.Repeat("[", 2000), "values stand more than 1000 deep inside of each other"},
		{json.Format{MaxSize: 10}, `{"count":1}`, "there are more than the 10 bytes that MaxSize allows"},
		{json.Format{MaxSize: 11}, `{"count":1}`, ""},
		{json.Format{}, "{\n \"item\": tea\n}", "line 2, column 11: invalid character 'e' in literal true (expecting 'r')"},
		{json.Format{}, "{\"count\": 1", "unexpected end of JSON"},
		{json.Format{}, "\xff", "it is not valid UTF-8"},
		{json.Format{}, `{"count":"2"}`, "json: cannot unmarshal string into Go struct field order.count of type int"},
	} {
		if got := unmarshal(c.format, c.in, &o); got != c.want {
			t.Errorf("%.50s:\n%q, want\n%q", c.in, got, c.want)
		}
	}
}

// Numbers in an any are those that were written.
func TestNumbers(t *testing.T) {
	for in, want := range map[string]any{
		"1": 1.0, "-0.5": -0.5, "9007199254740992": 9007199254740992.0,
		"9007199254740993": int64(9007199254740993), "-9223372036854775808": -9223372036854775808.0, "9223372036854775807": int64(math.MaxInt64),
		"18446744073709551615": uint64(math.MaxUint64), "18446744073709551616": stdjson.Number("18446744073709551616"),
		"1e300": 1e300, "1e400": stdjson.Number("1e400"), "0.12345678901234567890": 0.12345678901234567890,
	} {
		var got any
		if err := unmarshal(json.Format{}, in, &got); err != "" || got != want {
			t.Errorf("%s: %#v, %s, want %#v", in, got, err, want)
		}
		var deep struct{ A []map[string]any }
		if err := unmarshal(json.Format{}, `{"a":[{"b":`+in+`}]}`, &deep); err != "" || deep.A[0]["b"] != want {
			t.Errorf("%s: %#v, %s, want %#v", in, deep, err, want)
		}
	}
}
