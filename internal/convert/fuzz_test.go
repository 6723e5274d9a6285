package convert_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/mehari-go/mehari/internal/convert"
)

// Whatever text becomes, it becomes again of its own text.
func FuzzText(f *testing.F) {
	for _, s := range []string{"", "1", "-1.5e3", "NaN", "true", "1m30s", "2026-11-22T12:00:00Z", `{"a":[1,9007199254740993]}`, "\xff", `["\ufffd"]`} {
		f.Add(s)
	}
	types := []reflect.Type{
		reflect.TypeFor[int8](), reflect.TypeFor[uint64](), reflect.TypeFor[float32](), reflect.TypeFor[float64](), reflect.TypeFor[bool](),
		reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](), reflect.TypeFor[[]byte](), reflect.TypeFor[*name](),
		reflect.TypeFor[map[string]any](), reflect.TypeFor[[]any](), reflect.TypeFor[person](),
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, typ := range types {
			v, err := convert.To(s, typ)
			if err != nil {
				continue
			}
			text, err := convert.As[string](v)
			if err != nil {
				if typ != reflect.TypeFor[[]byte]() && typ != reflect.TypeFor[*name]() {
					t.Errorf("%q as %s: %v", s, typ, err)
				}
				continue
			}
			again, err := convert.To(text, typ)
			if err != nil {
				t.Errorf("%q as %s: %q: %v", s, typ, text, err)
				continue
			}
			if last, err := convert.As[string](again); err != nil || last != text {
				t.Errorf("%q as %s: %q, and then %q, %v", s, typ, text, last, err)
			}
		}
	})
}

func isNaN(v any) bool {
	f := reflect.ValueOf(v)
	return f.CanFloat() && math.IsNaN(f.Float())
}

// A number that is converted is the same number.
func FuzzNumber(f *testing.F) {
	for _, i := range []int64{0, 1, -1, 127, 128, 1 << 53, 1<<53 + 1, math.MaxInt64, math.MinInt64} {
		f.Add(i, float64(i))
	}
	types := []reflect.Type{
		reflect.TypeFor[int8](), reflect.TypeFor[int16](), reflect.TypeFor[int32](), reflect.TypeFor[int64](), reflect.TypeFor[uint8](),
		reflect.TypeFor[uint16](), reflect.TypeFor[uint32](), reflect.TypeFor[uint64](), reflect.TypeFor[float32](), reflect.TypeFor[float64](),
		reflect.TypeFor[string](), reflect.TypeFor[time.Time](), reflect.TypeFor[time.Duration](),
	}
	f.Fuzz(func(t *testing.T, i int64, x float64) {
		for _, v := range []any{i, uint64(i), x} {
			for _, typ := range types {
				out, err := convert.To(v, typ)
				if err != nil {
					continue
				}
				back, err := convert.To(out, reflect.TypeOf(v))
				if err != nil || back != v && !isNaN(v) {
					t.Errorf("%T %v became %v as %s, and %v again: %v", v, v, out, typ, back, err)
				}
			}
		}
	})
}
