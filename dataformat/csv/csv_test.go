package csv_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/dataformat"
	"github.com/mehari-go/mehari/dataformat/csv"
	"github.com/mehari-go/mehari/dataformat/formattest"
)

type base struct {
	ID int `csv:"id"`
}

type order struct {
	base
	Item  string        `csv:"item"`
	Price *float64      `csv:"price"`
	Wait  time.Duration `csv:"wait"`
	Note  string        `csv:"-"`
	Paid  bool
}

var (
	orders  = []order{{base{1}, "tea, \"green\"\nor not", new(1.5), time.Minute, "", true}, {Item: " #"}}
	harness = formattest.Harness{
		Format:  csv.Format{},
		Name:    "csv",
		Values:  []any{[]map[string]string{{"a": "1", "b": ""}, {"a": "x,y", "b": "\"\n"}}, orders, []*order{&orders[0]}, []map[string]any{{"a": "1"}}},
		Natural: []map[string]string{{"a": "1", "b": ""}, {"a": "x,y", "b": "\"\n"}},
		Bad:     []string{"a,b\n1\n", "a,b\n1,2,3\n", "a,a\n", "a\n\"1\n", "a\n1\"\n", "a\n\xff\n"},
		Unfit: []any{
			nil, 1, "text",
			[]int{},
			[]order{{}}[0].Wait,
			[]map[string]any{{"a": make(chan int)}},
			[]map[string]string{{"a": "1"}, {"b": "2"}},
			[]map[string]string{{"a": "\xff"}},
			[][]string{{}},
			[]map[int]string{{1: ""}},
			[]*order{nil},
			iter.Seq2[any, error](nil),
			[][]byte{{1}},
			[]map[string]string{{}},
		},
	}
)

func TestFormat(t *testing.T) { formattest.Test(t, harness) }

func FuzzFormat(f *testing.F) {
	h := harness
	h.Equal = func(a, b any) bool { // the end of a line in a cell is read as \n
		return strings.ReplaceAll(fmt.Sprintf("%q", a), `\r`, "") == strings.ReplaceAll(fmt.Sprintf("%q", b), `\r`, "")
	}
	h.Format = csv.Format{NoHeader: true}
	h.Values = []any{[][]string{{"a", "#"}, {"", "\ufeff"}}, [][]string{{""}}}
	formattest.Fuzz(f, h)
}

func write(f csv.Format, v any) string {
	var b strings.Builder
	if err := f.Marshal(&b, v); err != nil {
		return err.Error()
	}
	return b.String()
}

func TestWrite(t *testing.T) {
	seq := iter.Seq2[any, error](func(yield func(any, error) bool) {
		_ = yield([]string{"1", "2"}, nil) && yield(nil, errors.New("the line is dead"))
	})
	for _, c := range []struct {
		format csv.Format
		in     any
		want   string
	}{
		{csv.Format{}, map[string]any{"b": 1.5, "a": nil}, "a,b\r\n,1.5\r\n"},
		{csv.Format{LF: true, Delimiter: ';'}, []map[string]string{{"a": "x;y", "b": "x,y"}}, "a;b\n\"x;y\";x,y\n"},
		{csv.Format{LF: true, NoHeader: true}, orders[1], "0,\" #\",,0s,false\n"},
		{csv.Format{LF: true, Header: []string{"Paid", "id"}}, orders[:1], "Paid,id\ntrue,1\n"},
		{csv.Format{LF: true}, []order{}, "id,item,price,wait,Paid\n"},
		{csv.Format{LF: true, Header: []string{"a", "b"}}, []any{}, "a,b\n"},
		{csv.Format{LF: true}, []any{1, "x", nil}, "1,x,\n"},
		{csv.Format{LF: true}, [][]any{{1, true}, {2, time.Second}}, "1,true\n2,1s\n"},
		{csv.Format{LF: true}, []string{""}, "\"\"\n"},
		{csv.Format{LF: true, Comment: '#'}, []string{"#a", "#b"}, "\"#a\",\"#b\"\n"},
		{csv.Format{LF: true}, seq, "row 2: the line is dead"},
		{csv.Format{Header: []string{"a", "b"}}, [][]string{{"1"}}, "row 1: there are 1 cells, want 2"},
		{csv.Format{}, []map[string]string{{"a": "1"}, {"a": "1", "x": "2"}}, `row 2: there is no column "x" (have ["a"])`},
		{csv.Format{Header: []string{"size"}}, orders, `row 1: csv_test.order has no field for column "size"`},
		{csv.Format{}, []map[string]any{{"a": make(chan int)}}, `row 1: column "a": cannot convert chan int to string: json: unsupported type: chan int`},
		{csv.Format{Delimiter: '"'}, orders, `'"' cannot be a delimiter`},
		{csv.Format{}, 5, `row 1: want a map, a struct or a slice of cells, have int`},
	} {
		if got := write(c.format, c.in); got != c.want {
			t.Errorf("%+v %v:\n%q, want\n%q", c.format, c.in, got, c.want)
		}
	}
}

func TestRead(t *testing.T) {
	type pair struct {
		A string `csv:"a"`
		B int8   `csv:"b"`
	}
	for _, c := range []struct {
		format csv.Format
		in     string
		into   any
		want   any // or the text of the error
	}{
		{csv.Format{}, "", new(any), []map[string]string{}},
		{csv.Format{}, "\ufeffa,b\r\n1,2\r\n", new(any), []map[string]string{{"a": "1", "b": "2"}}},
		{csv.Format{NoHeader: true}, "a,b\n1,2\n", new(any), [][]string{{"a", "b"}, {"1", "2"}}},
		{csv.Format{NoHeader: true, Header: []string{"a", "b"}}, "1,2\n", new(any), []map[string]string{{"a": "1", "b": "2"}}},
		{csv.Format{Header: []string{"a", "b"}}, "a,b\n1,2\n", new([]pair), []pair{{"1", 2}}},
		{csv.Format{Header: []string{"a", "b"}}, "a,c\n1,2\n", new([]pair), `line 1: the columns are called ["a" "c"], want ["a" "b"]`},
		{csv.Format{Header: []string{"a", "b"}}, "", new([]pair), []pair{}},
		{csv.Format{}, "b,x,a\n1,2,3\n,,\n", new([]pair), []pair{{"3", 1}, {}}},
		{csv.Format{NoHeader: true}, "x,1\n", new([]*pair), []*pair{{"x", 1}}},
		{csv.Format{NoHeader: true}, "1,2\n3,4\n", new([][]int), [][]int{{1, 2}, {3, 4}}},
		{csv.Format{}, "a,b\n1,2\n", new([][]int), [][]int{{1, 2}}},
		{csv.Format{}, "a,b\n1,2\n", new([]map[string]int), []map[string]int{{"a": 1, "b": 2}}},
		{csv.Format{}, "a,b\n1,2\n", new([]any), []any{map[string]string{"a": "1", "b": "2"}}},
		{csv.Format{Delimiter: '\t', Comment: '#', TrimSpace: true, LazyQuotes: true}, "#x\na\tb\n  1\tx\"y\n", new(any), []map[string]string{{"a": "1", "b": "x\"y"}}},
		{csv.Format{}, "a,b\n1,2\n3,many\n", new([]pair), `line 3, column "b": cannot convert string "many" to int8: want a whole number in decimal digits`},
		{csv.Format{NoHeader: true}, "1,300\n", new([]pair), `line 1, column 2: cannot convert string "300" to int8: it is out of range`},
		{csv.Format{}, "a,b\n1\n", new(any), "line 2: there are 1 cells, want 2"},
		{csv.Format{}, "a,b\n\"1\n", new(any), `parse error on line 2, column 4: extraneous or missing " in quoted-field`},
		{csv.Format{}, "a,b,a\n", new(any), `two columns are called "a"`},
		{csv.Format{}, "a\n\"\n\xff\"\n", new(any), `line 2, column "a": it is not valid UTF-8`},
		{csv.Format{}, "a\n1\n", new(string), `want a pointer to a slice of rows, to an iter.Seq2 of rows and errors or to an any, have *string`},
		{csv.Format{}, "a\n1\n", new([]string), `want rows of type map[string]string, []string or struct, have string`},
		{csv.Format{NoHeader: true}, "1\n", new([]map[string]string), `want rows of type []string or struct where there is no header, have map[string]string`},
		{csv.Format{Delimiter: '"'}, "a\n1\n", new(any), "csv: invalid field or comment delimiter"},
		{csv.Format{MaxSize: 3}, "a\n1\n", new(any), "there are more than the 3 bytes that MaxSize allows"},
	} {
		err := c.format.Unmarshal(strings.NewReader(c.in), c.into)
		got := reflect.ValueOf(c.into).Elem().Interface()
		if err != nil {
			got = err.Error()
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q:\n%#v, want\n%#v", c.in, got, c.want)
		}
	}
}

func TestTypedRows(t *testing.T) {
	type line struct {
		A string `csv:"a"`
		B int    `csv:"b"`
	}
	const text = "a,b\nx,1\ny,2\nz,many\n"
	var rows iter.Seq2[line, error]
	if err := (csv.Format{}).Unmarshal(strings.NewReader(text), &rows); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err := csv.Format{LF: true}.Marshal(&out, rows)
	if want := `row 3: line 4, column "b": cannot convert string "many" to int: want a whole number in decimal digits`; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := (csv.Format{}).Unmarshal(strings.NewReader(text), &rows); err != nil {
		t.Fatal(err)
	}
	for row, err := range rows {
		if (row != line{"x", 1}) || err != nil {
			t.Errorf("%v, %v", row, err)
		}
		break // yields no more
	}
	if err := (csv.Format{}).Unmarshal(strings.NewReader("a,b\nx,1\ny,2\n"), &rows); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := (csv.Format{LF: true}).Marshal(&out, rows); err != nil || out.String() != "a,b\nx,1\ny,2\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
	var numbers iter.Seq2[int, error]
	if err := (csv.Format{}).Unmarshal(strings.NewReader(text), &numbers); err != nil {
		t.Fatal(err)
	}
	for _, err := range numbers {
		if err == nil || !strings.HasPrefix(err.Error(), "want rows of type") {
			t.Errorf("%v, want an error for the type of the rows", err)
		}
	}
}

func TestRows(t *testing.T) {
	var rows iter.Seq2[any, error]
	if err := (csv.Format{}).Unmarshal(strings.NewReader("a,b\n1,2\n3,4\n5\n6,7\n"), &rows); err != nil {
		t.Fatal(err)
	}
	var got []any
	for row, err := range rows {
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		got = append(got, row)
	}
	want := []any{map[string]string{"a": "1", "b": "2"}, map[string]string{"a": "3", "b": "4"}, "line 4: there are 1 cells, want 2"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for row, err := range (csv.Format{MaxSize: 20}).Rows(strings.NewReader("a\n1\n" + strings.Repeat("x", 9000))) {
		if err != nil {
			if err.Error() != "there are more than the 20 bytes that MaxSize allows" {
				t.Error(err)
			}
			return
		}
		t.Logf("%.20v", row)
	}
	t.Error("a row is longer than it may be")
}

// As many rows as one likes take no more memory than one.
func TestRowsStream(t *testing.T) {
	const many = 300_000
	line := strings.Repeat("x", 98) + ",\n"
	n := 0
	endless := readerFunc(func(b []byte) (int, error) {
		if n > many {
			return 0, io.EOF
		}
		n++
		return copy(b, line), nil
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rows := 0
	for _, err := range (csv.Format{NoHeader: true}).Rows(endless) {
		if err != nil {
			t.Fatal(err)
		}
		rows++
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); rows < many || grown > 5<<20 {
		t.Errorf("%d rows, %d bytes more in use", rows, grown)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestCheck(t *testing.T) {
	var f dataformat.Checker = csv.Format{Delimiter: '\n'}
	if err := f.Check(); err == nil || err.Error() != "'\\n' cannot be a delimiter" {
		t.Errorf("have %v, want an error", err)
	}
}
