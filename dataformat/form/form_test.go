package form_test

import (
	"fmt"
	"net/url"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/dataformat/form"
	"github.com/mehari-go/mehari/dataformat/formattest"
)

type order struct {
	Item  string    `form:"item"`
	Sizes []int     `form:"size"`
	When  time.Time `form:"when"`
	Paid  *bool     `form:"paid"`
	Note  string    `form:"-"`
}

var (
	when    = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	harness = formattest.Harness{
		Format: form.Format{},
		Name:   "form",
		Values: []any{
			url.Values{"a": {"1", "2"}, "b&": {"é =+"}},
			map[string]string{"a": "1"},
			map[string][]string{"": {""}},
			map[string]any{"a": "1", "b": []string{"1", "2"}},
			map[string]int{"a": 1},
			order{Item: "tea", Sizes: []int{1, 2}, When: when, Paid: new(true)},
			&order{Item: "&", When: when},
			map[string]string{},
		},
		Natural: url.Values{"a": {"1", "2"}, "b&": {"é =+"}},
		Bad:     []string{"a;b", "%", "%zz=1", "a=%ff", "%ff=1"},
		Unfit:   []any{nil, 1, "a=1", []string{"a"}, map[string]any{"a": make(chan int)}, map[string]string{"a": "\xff"}, map[int]string{}, (*order)(nil)},
	}
)

func TestFormat(t *testing.T) { formattest.Test(t, harness) }

func FuzzFormat(f *testing.F) { formattest.Fuzz(f, harness) }

func TestRead(t *testing.T) {
	for _, c := range []struct {
		in   string
		into any
		want any // or the text of the error
	}{
		{"item=tea&size=1&size=2&color=red", new(order), order{Item: "tea", Sizes: []int{1, 2}}},
		{"a=1&a=2&b=3", new(map[string]any), map[string]any{"a": []string{"1", "2"}, "b": "3"}},
		{"", new(any), url.Values{}},
		{"a", new(map[string]string), map[string]string{"a": ""}},
		{"item=tea&item=cup", new(order), `"item": there are 2 values, want one`},
		{"a=1&a=2", new(map[string]string), `"a": there are 2 values, want one`},
		{"size=1&size=big", new(order), `"size": cannot convert []string to []int: element 1: cannot convert string "big" to int: want a whole number in decimal digits`},
		{"paid=no", new(order), `"paid": cannot convert string "no" to *bool: want true or false`},
		{"a=1", new(string), `want a pointer to url.Values, to another map, to a struct or to an any, have *string`},
		{"a=%ff", new(any), `"a": it is not valid UTF-8`},
	} {
		err := form.Format{}.Unmarshal(strings.NewReader(c.in), c.into)
		got := reflect.ValueOf(c.into).Elem().Interface()
		if err != nil {
			got = err.Error()
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q:\n%#v, want\n%#v", c.in, got, c.want)
		}
	}
	for max, want := range map[int64]string{0: "there are more than the 10 MB that MaxSize allows", -1: ""} {
		var got string
		if err := (form.Format{MaxSize: max}).Unmarshal(strings.NewReader(strings.Repeat("a", 11<<20)), new(any)); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("MaxSize %d: %q, want %q", max, got, want)
		}
	}
}

func Example() {
	type Order struct {
		Item  string `form:"item"`
		Sizes []int  `form:"size"`
	}
	var order Order
	if err := (form.Format{}).Unmarshal(strings.NewReader("item=green+tea&size=1&size=2"), &order); err != nil {
		fmt.Println(err)
	}
	fmt.Println(order.Item, order.Sizes)
	if err := (form.Format{}).Marshal(os.Stdout, map[string]any{"item": "tea & cup", "size": 3}); err != nil {
		fmt.Println(err)
	}

	// Output:
	// green tea [1 2]
	// item=tea+%26+cup&size=3
}
