package convert_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/mehari-go/mehari/internal/convert"
)

type (
	name   string
	age    int8
	raw    []byte
	person struct {
		Name name   `json:"name"`
		Age  age    `json:"age"`
		More any    `json:"more,omitempty"`
		Key  []byte `json:"key,omitempty"`
	}
	same   person
	hidden struct{ x int }
)

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 5e6, time.UTC)
	some = person{Name: "Ada", Age: 36}
	text = `{"name":"Ada","age":36}`
)

// into makes a conversion of a type.
func into[T any]() func(v any) (any, error) {
	return func(v any) (any, error) {
		out, err := convert.To(v, reflect.TypeFor[T]())
		as, err2 := convert.As[T](v)
		if r, ok := v.(io.Reader); ok && r != nil {
			return out, err // it can be read once
		}
		if fmt.Sprint(err) != fmt.Sprint(err2) {
			return nil, fmt.Errorf("To and As disagree: %w, %w", err, err2)
		}
		if err == nil && !equal(out, any(as)) {
			return nil, fmt.Errorf("To and As disagree: %#v, %#v", out, as)
		}
		return out, err
	}
}

func equal(a, b any) bool {
	if x, ok := a.(float64); ok && math.IsNaN(x) {
		y, ok := b.(float64)
		return ok && math.IsNaN(y)
	}
	return reflect.DeepEqual(a, b)
}

func TestConvert(t *testing.T) {
	nested := map[string]any{"name": "Ada", "age": 36}
	for _, c := range []struct {
		in   any
		into func(any) (any, error)
		want any
	}{
		{"a", into[string](), "a"},
		{"a", into[any](), "a"},
		{"a", into[name](), name("a")},
		{name("a"), into[string](), "a"},
		{"a", into[[]byte](), []byte("a")},
		{"a", into[raw](), raw("a")},
		{raw("a"), into[[]byte](), []byte("a")},
		{[]byte("é"), into[string](), "é"},
		{[]byte{0xff}, into[raw](), raw{0xff}},
		{json.RawMessage("5"), into[string](), "5"},
		{json.Number("5"), into[int](), 5},
		{strings.NewReader("12"), into[int](), 12},
		{strings.NewReader("12"), into[[]byte](), []byte("12")},
		{strings.NewReader(text), into[person](), some},

		{1, into[int64](), int64(1)},
		{int64(127), into[int8](), int8(127)},
		{36.0, into[age](), age(36)},
		{-1.0, into[int64](), int64(-1)},
		{uint8(3), into[float32](), float32(3)},
		{uint64(math.MaxUint64), into[uint64](), uint64(math.MaxUint64)},
		{uint64(1 << 63), into[float64](), float64(1 << 63)},
		{float64(1 << 63), into[uint64](), uint64(1 << 63)},
		{-1 << 63, into[float64](), float64(-1 << 63)},
		{float64(-1 << 63), into[int64](), int64(math.MinInt64)},
		{math.NaN(), into[float64](), math.NaN()},
		{0.5, into[float32](), float32(0.5)},
		{float32(0.1), into[float64](), float64(float32(0.1))},
		{"300", into[int16](), int16(300)},
		{"-3", into[age](), age(-3)},
		{"18446744073709551615", into[uint64](), uint64(math.MaxUint64)},
		{"1e3", into[float64](), 1000.0},
		{"NaN", into[float64](), math.NaN()},
		{[]byte("0.1"), into[float64](), 0.1},
		{big.NewInt(7), into[int](), 7},
		{42, into[string](), "42"},
		{uint16(42), into[string](), "42"},
		{age(42), into[[]byte](), []byte("42")},
		{1e21, into[string](), "1e+21"},
		{float32(0.1), into[string](), "0.1"},
		{1234567.0, into[string](), "1234567"},

		{true, into[string](), "true"},
		{"True", into[bool](), true},
		{"false", into[bool](), false},

		{noon, into[string](), "2026-11-22T12:00:00.005Z"},
		{"2026-11-22T12:00:00.005Z", into[time.Time](), noon},
		{noon, into[int64](), noon.UnixMilli()},
		{noon.UnixMilli(), into[time.Time](), noon},
		{float64(noon.UnixMilli()), into[time.Time](), noon},
		{fmt.Sprint(noon.UnixMilli()), into[time.Time](), noon},
		{90 * time.Second, into[string](), "1m30s"},
		{"1m30s", into[time.Duration](), 90 * time.Second},
		{"1500", into[time.Duration](), 1500 * time.Millisecond},
		{1500, into[time.Duration](), 1500 * time.Millisecond},
		{uint8(2), into[time.Duration](), 2 * time.Millisecond},
		{2 * time.Second, into[int](), 2000},
		{2 * time.Second, into[float64](), 2000.0},

		{"::1", into[netip.Addr](), netip.IPv6Loopback()},
		{netip.IPv6Loopback(), into[string](), "::1"},
		{*big.NewInt(7), into[string](), "7"}, // the method is the pointer's
		{"WARN", into[slog.Level](), slog.LevelWarn},
		{4, into[slog.Level](), slog.LevelWarn},
		{slog.LevelWarn, into[string](), "WARN"},
		{slog.LevelWarn, into[int](), 4},

		{text, into[person](), some},
		{[]byte(text), into[*person](), &some},
		{some, into[string](), text},
		{&some, into[[]byte](), []byte(text)},
		{some, into[map[string]any](), map[string]any{"name": "Ada", "age": 36.0}},
		{nested, into[person](), some},
		{&nested, into[person](), some},
		{some, into[same](), same(some)},
		{some, into[*same](), new(same(some))},
		{`{"a":{"b":[1,2.5,9007199254740993,18446744073709551615,123456789012345678901,null]}}`, into[any](), nil},
		{
			`{"a":{"b":[1,2.5,9007199254740993,18446744073709551615,123456789012345678901,null]}}`, into[map[string]any](),
			map[string]any{"a": map[string]any{"b": []any{1.0, 2.5, int64(9007199254740993), uint64(math.MaxUint64), json.Number("123456789012345678901"), nil}}},
		},
		{`{"more":[9007199254740993]}`, into[person](), person{More: []any{int64(9007199254740993)}}},
		{person{Key: []byte{0xff}}, into[string](), `{"name":"","age":0,"key":"/w=="}`},
		{`["a"]`, into[[]string](), []string{"a"}},
		{[]any{1, "2", 3.0}, into[[]int](), []int{1, 2, 3}},
		{[...]int{1, 2}, into[[]string](), []string{"1", "2"}},
		{[]any{nested}, into[[]person](), []person{some}},
		{[]string(nil), into[[]any](), []any(nil)},
		{map[string]any{"a": "1"}, into[map[string]int](), map[string]int{"a": 1}},
		{map[string]int(nil), into[map[string]any](), map[string]any(nil)},
		{`\ufffd` + "\ufffd", into[string](), `\ufffd` + "\ufffd"},
		{[]string{`\ufffd`, "\ufffd"}, into[string](), `["\\ufffd","` + "\ufffd" + `"]`},

		{new(5), into[int](), 5},
		{5, into[*int](), new(5)},
		{"5", into[**int](), new(new(5))},
		{new(int8(5)), into[*int](), new(5)},
		{nil, into[*int](), (*int)(nil)},
		{nil, into[[]byte](), []byte(nil)},
		{nil, into[map[string]any](), map[string]any(nil)},
		{nil, into[any](), nil},
		{(*int8)(nil), into[*int](), (*int)(nil)},
		{(*string)(nil), into[[]byte](), []byte(nil)},
	} {
		got, err := c.into(c.in)
		if s, ok := c.in.(string); ok && c.want == nil {
			c.want = s // it is an any already
		}
		if err != nil || !equal(got, c.want) {
			t.Errorf("%T %v: %#v, %v, want %#v", c.in, c.in, got, err, c.want)
		}
	}
}

func TestNothingIsLost(t *testing.T) {
	long := strings.Repeat("é", 100)
	cyclic := map[string]any{}
	cyclic["self"] = cyclic
	deep := []any{}
	for range 200 {
		deep = []any{deep}
	}
	type list []list
	for _, c := range []struct {
		in   any
		into func(any) (any, error)
		want string
	}{
		{300, into[int8](), "int 300 to int8: it is out of range"},
		{-1, into[uint](), "int -1 to uint: it is out of range"},
		{uint64(math.MaxUint64), into[int64](), "uint64 18446744073709551615 to int64: it is out of range"},
		{1.5, into[int](), "float64 1.5 to int: it has a fraction"},
		{1e300, into[int](), "float64 1e+300 to int: it is out of range"},
		{float64(1 << 63), into[int64](), "float64 9.223372036854776e+18 to int64: it is out of range"},
		{math.NaN(), into[int](), "float64 NaN to int: it is not a number"},
		{math.Inf(1), into[uint64](), "float64 +Inf to uint64: it is out of range"},
		{1<<53 + 1, into[float64](), "int 9007199254740993 to float64: it would be rounded"},
		{math.MaxInt64, into[float64](), "int 9223372036854775807 to float64: it would be rounded"},
		{uint64(math.MaxUint64), into[float64](), "uint64 18446744073709551615 to float64: it would be rounded"},
		{1<<24 + 1, into[float32](), "int 16777217 to float32: it would be rounded"},
		{0.1, into[float32](), "float64 0.1 to float32: it would be rounded"},
		{1e300, into[float32](), "float64 1e+300 to float32: it is out of range"},
		{true, into[int](), "bool true to int: there is no conversion"},
		{1, into[bool](), "int 1 to bool: there is no conversion"},
		{1, into[complex128](), "int 1 to complex128: there is no conversion"},
		{"1e3", into[int](), `string "1e3" to int: want a whole number in decimal digits`},
		{" 1", into[int](), `string " 1" to int: want a whole number in decimal digits`},
		{"1_0", into[int](), `string "1_0" to int: want a whole number in decimal digits`},
		{"0x10", into[uint](), `string "0x10" to uint: want a whole number in decimal digits`},
		{"", into[int](), `string "" to int: want a whole number in decimal digits`},
		{"300", into[int8](), `string "300" to int8: it is out of range`},
		{"1e999", into[float64](), `string "1e999" to float64: it is out of range`},
		{[]byte("x"), into[float64](), `[]uint8 "x" to float64: want a number`},
		{"yes", into[bool](), `string "yes" to bool: want true or false`},
		{long, into[int](), `string "éééééééééé"… to int: want a whole number in decimal digits`},
		{[]byte(long), into[int](), `[]uint8 "éééééééééé"… to int: want a whole number in decimal digits`},
		{[]byte{0xff}, into[string](), `[]uint8 "\xff" to string: it is not valid UTF-8`},
		{strings.NewReader("\xff"), into[string](), `*strings.Reader to string: it is not valid UTF-8`},
		{"{\"name\":\"\xff\"}", into[person](), `string "{\"name\":\"\xff\"}" to convert_test.person: it is not valid UTF-8`},
		{map[string]any{"a": "\xff"}, into[string](), `map[string]interface {} to string: it is not valid UTF-8`},
		{iotest.ErrReader(errors.New("line is dead")), into[string](), `*iotest.errReader to string: line is dead`},
		{"tomorrow", into[time.Time](), `string "tomorrow" to time.Time: want a time as in RFC 3339, or milliseconds`},
		{1 << 60, into[time.Time](), `int 1152921504606846976 to time.Time: it is out of range`},
		{true, into[time.Time](), "bool true to time.Time: there is no conversion"},
		{1.5, into[time.Time](), "float64 1.5 to time.Time: it has a fraction"},
		{noon.Add(1), into[int64](), "time.Time to int64: it has parts of a millisecond"},
		{noon, into[int8](), "time.Time to int8: it is out of range"},
		{"soon", into[time.Duration](), `string "soon" to time.Duration: want a duration like 1m30s, or milliseconds`},
		{true, into[time.Duration](), `bool true to time.Duration: there is no conversion`},
		{math.MaxInt64, into[time.Duration](), "int 9223372036854775807 to time.Duration: it is out of range"},
		{"9223372036854775807", into[time.Duration](), `string "9223372036854775807" to time.Duration: it is out of range`},
		{time.Microsecond, into[int](), "time.Duration 1000 to int: it has parts of a millisecond"},
		{nil, into[string](), "nil to string: there is no value"},
		{nil, into[int](), "nil to int: there is no value"},
		{(*string)(nil), into[string](), "*string to string: there is no value"},
		{(*person)(nil), into[person](), "*convert_test.person to convert_test.person: there is no value"},
		{`{"name":`, into[person](), `string "{\"name\":" to convert_test.person: unexpected end of JSON`},
		{``, into[person](), `string "" to convert_test.person: unexpected end of JSON`},
		{`{} {}`, into[person](), `string "{} {}" to convert_test.person: there is more than one JSON value`},
		{`{"age":300}`, into[person](), `string "{\"age\":300}" to convert_test.person: json: cannot unmarshal number 300 into Go struct field person.age of type convert_test.age`},
		{strings.Repeat("[", 20000), into[[]any](), `string "[[[[[[[[[[[[[[[[[[[["… to []interface {}: values stand more than 1000 deep inside of each other`},
		{cyclic, into[string](), "map[string]interface {} to string: json: unsupported value: encountered a cycle via map[string]interface {}"},
		{deep, into[list](), "[]interface {} to convert_test.list: values stand more than 100 deep inside of each other"},
		{[]any{1, "x"}, into[[]int](), `[]interface {} to []int: element 1: cannot convert string "x" to int: want a whole number in decimal digits`},
		{[]any{[]any{"x"}}, into[[][]int](), `[]interface {} to [][]int: element 0: element 0: cannot convert string "x" to int: want a whole number in decimal digits`},
		{map[string]any{"a": nil}, into[map[string]int](), `map[string]interface {} to map[string]int: key "a": cannot convert nil to int: there is no value`},
		{map[int]int{}, into[map[string]int](), `map[int]int to map[string]int: there is no conversion`},
		{hidden{1}, into[string](), "convert_test.hidden to string: its fields are not exported"},
		{errors.New("x"), into[map[string]any](), "*errors.errorString to map[string]interface {}: its fields are not exported"},
		{some, into[slog.Attr](), "convert_test.person to slog.Attr: there is no conversion"},
		{make(chan int), into[string](), "chan int to string: json: unsupported type: chan int"},
		{"x", into[func()](), `string "x" to func(): there is no conversion`},
		{"x", into[error](), `string "x" to error: there is no conversion`},
		{"x", into[[1]byte](), `string "x" to [1]uint8: there is no conversion`},
		{"nowhere", into[netip.Addr](), `string "nowhere" to netip.Addr: ParseAddr("nowhere"): unable to parse IP`},
	} {
		got, err := c.into(c.in)
		if e, ok := errors.AsType[*convert.Error](err); !ok || e.To == nil {
			t.Errorf("%T %v: %v, %v, want a *convert.Error", c.in, c.in, got, err)
			continue
		}
		if want := "cannot convert " + c.want; err.Error() != want {
			t.Errorf("error\n%s\nwant\n%s", err, want)
		}
	}
}

func TestReader(t *testing.T) {
	for _, in := range []any{"12", []byte("12"), 12, name("12"), new("12")} {
		r, err := convert.As[io.Reader](in)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); string(b) != "12" || err != nil {
			t.Errorf("%T: %q, %v", in, b, err)
		}
	}
	r := strings.NewReader("x")
	if same, err := convert.As[io.Reader](r); same != io.Reader(r) || err != nil {
		t.Error("a reader was not left as it was:", err)
	}
}

// An endless reader is read to the limit, and not into memory for ever.
func TestLimit(t *testing.T) {
	endless := readerFunc(func(b []byte) (int, error) { return len(b), nil })
	_, err := convert.As[[]byte](endless)
	if err == nil || !strings.HasSuffix(err.Error(), "more than 64 MB: it can only be read as an io.Reader") {
		t.Error(err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestNoAllocations(t *testing.T) {
	text, number, bytes := any("text"), any(1<<40), any([]byte("bytes"))
	typ := reflect.TypeFor[string]()
	for what, f := range map[string]func(){
		"string":       func() { must(t)(convert.As[string](text)) },
		"int":          func() { must(t)(convert.As[int](number)) },
		"[]byte":       func() { must(t)(convert.As[[]byte](bytes)) },
		"any":          func() { must(t)(convert.As[any](bytes)) },
		"To of string": func() { must(t)(convert.To(text, typ)) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations, want none", what, n)
		}
	}
}

func must(t *testing.T) func(_ any, err error) {
	return func(_ any, err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
}
