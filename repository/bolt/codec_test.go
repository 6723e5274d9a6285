package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/route"
)

type order struct {
	ID    string
	Lines []string
}

type celsius float64

func testCodec(t testing.TB) *codec {
	t.Helper()
	c, err := newCodec([]Type{JSON[order]("order"), TypeOf("celsius",
		func(c celsius) ([]byte, error) {
			if c < -273.15 {
				return nil, errors.New("too cold")
			}
			return fmt.Append(nil, float64(c)), nil
		},
		func(b []byte) (c celsius, err error) { _, err = fmt.Sscan(string(b), &c); return c, err })})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRoundTrip(t *testing.T) {
	c := testCodec(t)
	at := time.Date(2026, 11, 22, 10, 0, 0, 123, time.FixedZone("", 3600))
	for _, v := range []any{
		nil, true, false, "", "text",
		[]byte{},
		[]byte{0, 255},
		7, -7, math.MaxInt, math.MinInt, int8(-8), int16(-16), int32(-32), int64(math.MinInt64),
		uint(1), uint8(255), uint16(16), uint32(math.MaxUint32), uint64(math.MaxUint64), float32(1.5), -0.25, math.Inf(1),
		time.Minute, at,
		[]any{},
		[]any{1, "two", nil, []any{3.0}},
		map[string]any{},
		map[string]any{"a": 1, "b": map[string]any{"c": []byte("d")}},
		order{"o-1", []string{"tent"}},
		celsius(36.6),
		[]any{order{ID: "o-2"}},
	} {
		b, err := c.append(nil, v, 0)
		if err != nil {
			t.Errorf("%#v: %v", v, err)
			continue
		}
		r := &reader{codec: c, b: b}
		if got := r.value(0); !reflect.DeepEqual(got, v) || r.err != nil || len(r.b) > 0 {
			t.Errorf("%#v came back as %#v, %v, with %d bytes left", v, got, r.err, len(r.b))
		}
	}
}

// Nothing is lost in silence: what cannot be stored is an error that names the type, and
// where it is.
func TestWhatCannotBeStored(t *testing.T) {
	c := testCodec(t)
	cycle := []any{nil}
	cycle[0] = cycle
	hint := " cannot be stored: give bolt.Options.Types a bolt.JSON or bolt.TypeOf of it"
	g := &route.Group{Key: "k", Body: "fine"}
	fields := func(m map[string]any) func(func(string, any) bool) {
		return func(yield func(string, any) bool) {
			for _, k := range slices.Sorted(maps.Keys(m)) {
				if !yield(k, m[k]) {
					return
				}
			}
		}
	}
	g.SetFields(fields(map[string]any{"a": 1, "b": []string{"x"}}), fields(map[string]any{"c": errors.New("x")}), fields(map[string]any{"d": &order{}}))
	_, err := c.encode(g)
	want := `header "b": a value of type []string` + hint + "\n" + `property "c": a value of type *errors.errorString` + hint + "\n" + `variable "d": a value of type *bolt.order` + hint
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
	for _, w := range []struct {
		value any
		want  string
	}{
		{make(chan int), "body: a value of type chan int" + hint},
		{[]any{1, map[string]any{"k": struct{}{}}}, `body: [1]: ["k"]: a value of type struct {}` + hint},
		{celsius(-300), "body: bolt.celsius: too cold"},
		{cycle, "lists and maps stand more than 100 deep inside of each other"},
	} {
		if _, err := c.encode(&route.Group{Body: w.value}); err == nil || !strings.HasSuffix(err.Error(), w.want) {
			t.Errorf("%v, want %s", err, w.want)
		}
	}
	b, err := c.append(nil, order{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := newCodec(nil)
	r := &reader{codec: other, b: b}
	if r.value(0); r.err == nil || r.err.Error() != `a value of the type named "order" is stored: give bolt.Options.Types one with this name` {
		t.Error(r.err)
	}
	for _, types := range [][]Type{{JSON[order]("")}, {{}}, {JSON[order]("a"), JSON[order]("b")}, {JSON[order]("a"), JSON[celsius]("a")}, {TypeOf[order]("a", nil, nil)}} {
		if _, err := newCodec(types); err == nil {
			t.Errorf("%v: no error", types)
		}
	}
}

// Whatever bytes are read, they are refused or read as a value that is stored alike.
func FuzzCodec(f *testing.F) {
	c := testCodec(f)
	for _, v := range []any{nil, 7, "text", []any{1, map[string]any{"a": time.Minute}}, order{ID: "o"}, time.Unix(1, 2), uint8(3)} {
		b, err := c.append(nil, v, 0)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		g := &route.Group{Key: "k", Size: 2, Version: 3, Timeout: 4, Deadline: time.Unix(5, 6), CompletedBy: "size", Redeliveries: 7, Body: v}
		if b, err = c.encode(g); err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if g, err := c.decode(b); err == nil {
			if again, err := c.encode(g); err == nil {
				if third, err := c.decode(again); err != nil || third.Key != g.Key || third.Version != g.Version {
					t.Errorf("%+v came back as %+v, %v", g, third, err)
				}
			}
		}
		r := &reader{codec: c, b: b}
		v := r.value(0)
		if r.err != nil {
			return
		}
		once, err := c.append(nil, v, 0)
		if err != nil {
			return // a registered type has read what it does not write
		}
		again := &reader{codec: c, b: once}
		twice, err := c.append(nil, again.value(0), 0)
		if err != nil || again.err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%#v: %x became %x, %v, %v", v, once, twice, err, again.err)
		}
	})
}
