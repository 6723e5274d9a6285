// Package formattest tests data formats: what all of them promise, in one call of [Test].
package formattest

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/mehari-go/mehari/dataformat"
)

// A Harness is a data format and what it does with some values.
type Harness struct {
	// Format is what is tested.
	Format dataformat.Format

	// Name is what String returns.
	Name string

	// Values come back as they are from what they are marshalled to. There is at least one.
	Values []any

	// Equal compares values; nil means [reflect.DeepEqual].
	Equal func(a, b any) bool

	// Natural is what a *any is given of the first of Values.
	Natural any

	// Bytes tells that the values of the format are bytes: it takes and gives a []byte, a
	// string and an io.Reader.
	Bytes bool

	// Bad are inputs that are refused where a value like the first is wanted.
	Bad []string

	// Truncated tells that every beginning of the first value's bytes is refused, and not
	// only that nothing panics.
	Truncated bool

	// Unfit are values that cannot be marshalled.
	Unfit []any
}

// Test tests a data format.
func Test(t *testing.T, h Harness) {
	t.Helper()
	if h.Equal == nil {
		h.Equal = reflect.DeepEqual
	}
	if got := h.Format.String(); got != h.Name {
		t.Errorf("String: %q, want %q", got, h.Name)
	}
	t.Run("round trip", h.roundTrip)
	t.Run("natural type", h.natural)
	t.Run("bytes", h.bytes)
	t.Run("bad input", h.bad)
	t.Run("bad targets", h.targets)
	t.Run("bad readers and writers", h.broken)
	t.Run("concurrency", h.concurrency)
}

func (h Harness) marshal(t testing.TB, v any) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := h.Format.Marshal(&out, v); err != nil {
		t.Fatalf("Marshal %T: %v", v, err)
	}
	return out.Bytes()
}

// unmarshal returns a value of the type of like.
func (h Harness) unmarshal(r io.Reader, like any) (any, error) {
	p := reflect.New(reflect.TypeOf(like))
	err := h.Format.Unmarshal(r, p.Interface())
	return p.Elem().Interface(), err
}

func (h Harness) roundTrip(t *testing.T) {
	if len(h.Values) == 0 {
		t.Fatal("there are no values")
	}
	for _, v := range h.Values {
		b := h.marshal(t, v)
		for _, r := range []io.Reader{bytes.NewReader(b), iotest.OneByteReader(bytes.NewReader(b)), iotest.DataErrReader(bytes.NewReader(b))} {
			if got, err := h.unmarshal(r, v); err != nil || !h.Equal(got, v) {
				t.Errorf("%#v became %.200q and then %#v, %v", v, b, got, err)
			}
		}
	}
}

func (h Harness) natural(t *testing.T) {
	var got any
	err := h.Format.Unmarshal(bytes.NewReader(h.marshal(t, h.Values[0])), &got)
	if err != nil || !h.Equal(got, h.Natural) {
		t.Errorf("a *any was given %#v, %v, want %#v", got, err, h.Natural)
	}
}

func (h Harness) bytes(t *testing.T) {
	if !h.Bytes {
		return
	}
	const text = "text of some kind"
	for _, in := range []any{text, []byte(text), strings.NewReader(text)} {
		b := h.marshal(t, in)
		var asBytes []byte
		var asString string
		var asReader io.Reader
		var asAny any
		for _, into := range []any{&asBytes, &asString, &asReader, &asAny} {
			if err := h.Format.Unmarshal(bytes.NewReader(b), into); err != nil {
				t.Errorf("%T into %T: %v", in, into, err)
			}
		}
		streamed, err := io.ReadAll(asReader)
		if natural, _ := asAny.([]byte); err != nil || string(asBytes) != text || asString != text || string(streamed) != text || string(natural) != text {
			t.Errorf("%T: %q, %q, %q, %v, %v", in, asBytes, asString, streamed, asAny, err)
		}
	}
	var number int
	if err := h.Format.Unmarshal(bytes.NewReader(h.marshal(t, text)), &number); err == nil || !strings.Contains(err.Error(), "*int") {
		t.Errorf("into a *int: %v, want an error that names it", err)
	}
	if err := h.Format.Unmarshal(bytes.NewReader(h.marshal(t, []byte{0xff})), new(string)); err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("the byte ff into a *string: %v, want an error", err)
	}
}

func (h Harness) bad(t *testing.T) {
	for _, in := range h.Bad {
		if got, err := h.unmarshal(strings.NewReader(in), h.Values[0]); err == nil {
			t.Errorf("%.200q is taken for %#v", in, got)
		}
	}
	for _, v := range h.Unfit {
		var out bytes.Buffer
		if err := h.Format.Marshal(&out, v); err == nil {
			t.Errorf("%T %v is marshalled as %q", v, v, out.String())
		}
	}
	b := h.marshal(t, h.Values[0])
	for n := range len(b) {
		if got, err := h.unmarshal(bytes.NewReader(b[:n]), h.Values[0]); err == nil && h.Truncated {
			t.Errorf("%q, the beginning of %q, is taken for %#v", b[:n], b, got)
		}
		changed := bytes.Clone(b) // whatever that is, it does not panic
		changed[n] ^= 0x55
		_, _ = h.unmarshal(bytes.NewReader(changed), h.Values[0])
	}
}

func (h Harness) targets(t *testing.T) {
	b := h.marshal(t, h.Values[0])
	null := reflect.New(reflect.PointerTo(reflect.TypeOf(h.Values[0]))).Elem().Interface()
	for _, into := range []any{nil, h.Values[0], null, (*io.Reader)(nil), new(chan int), new(func())} {
		if v := reflect.ValueOf(into); v.Kind() == reflect.Pointer && !v.IsNil() && into == any(h.Values[0]) {
			continue // which is a pointer
		}
		if err := h.Format.Unmarshal(bytes.NewReader(b), into); err == nil {
			t.Errorf("into %T: no error", into)
		}
	}
}

var errBroken = errors.New("the line is dead")

func (h Harness) broken(t *testing.T) {
	v := h.Values[0]
	b := h.marshal(t, v)
	for _, n := range []int{0, len(b) / 2, len(b) - 1} {
		r := io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(errBroken))
		if _, err := h.unmarshal(r, v); !errors.Is(err, errBroken) {
			t.Errorf("a reader that breaks after %d of %d bytes: %v", n, len(b), err)
		}
	}
	for n := range len(b) {
		if err := h.Format.Marshal(&brokenWriter{n}, v); !errors.Is(err, errBroken) {
			t.Errorf("a writer that breaks after %d of %d bytes: %v", n, len(b), err)
		}
	}
	if h.Bytes {
		if err := h.Format.Marshal(io.Discard, iotest.ErrReader(errBroken)); !errors.Is(err, errBroken) {
			t.Errorf("a body that breaks: %v", err)
		}
		if err := h.Format.Marshal(io.Discard, nil); err == nil {
			t.Error("nil was marshalled")
		}
	}
}

type brokenWriter struct{ left int }

func (w *brokenWriter) Write(b []byte) (int, error) {
	if len(b) > w.left {
		return w.left, errBroken
	}
	w.left -= len(b)
	return len(b), nil
}

func (h Harness) concurrency(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, v := range h.Values {
				var out bytes.Buffer
				if err := h.Format.Marshal(&out, v); err != nil {
					t.Error(err)
					return
				}
				if got, err := h.unmarshal(&out, v); err != nil || !h.Equal(got, v) {
					t.Errorf("%#v became %#v, %v", v, got, err)
				}
			}
		})
	}
	wg.Wait()
}

// Fuzz gives a format any input, for a value like the one given. It must not panic, and
// what it takes comes back as it is.
func Fuzz(f *testing.F, h Harness) {
	f.Helper()
	if h.Equal == nil {
		h.Equal = reflect.DeepEqual
	}
	for _, v := range h.Values {
		f.Add(h.marshal(f, v))
	}
	for _, in := range h.Bad {
		f.Add([]byte(in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1<<16 {
			return
		}
		v, err := h.unmarshal(bytes.NewReader(in), h.Values[0])
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := h.Format.Marshal(&out, v); err != nil {
			t.Fatalf("%q as %#v: %v", in, v, err)
		}
		b := out.String()
		again, err := h.unmarshal(&out, v)
		if err != nil || !h.Equal(again, v) {
			t.Fatalf("%q as %#v became %q and then %#v, %v", in, v, b, again, err)
		}
	})
}
