package content_test

import (
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/internal/content"
)

// stuck is a stream that cannot be wound back.
type stuck struct {
	io.Reader
	seeks int
}

func (s *stuck) Seek(int64, int) (int64, error) {
	if s.seeks--; s.seeks < 0 {
		return 0, errors.New("stuck")
	}
	return 0, nil
}

// zeros is a long stream.
type zeros struct{ stuck }

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func TestStreams(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("skipped {}"); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Seek(8, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if s, ok, err := content.String(file); s != "{}" || !ok || err != nil {
			t.Errorf("have %q, %t, %v", s, ok, err)
		}
	}
	wrong := map[string]io.Reader{
		"a stream that cannot be wound back: stuck":    &stuck{Reader: strings.NewReader("x")},
		"*content_test.stuck, a stream that cannot be": &stuck{Reader: strings.NewReader("x"), seeks: 1},
		"body is longer than 67108864 bytes":           &zeros{stuck{seeks: 2}},
		"a stream that can be read once":               io.MultiReader(),
	}
	for want, stream := range wrong {
		if _, _, err := content.String(stream); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, ok, err := content.String(7); ok || err != nil {
		t.Error("7 is text", err)
	}
}

type id struct{}

func (*id) AppendText(b []byte) ([]byte, error) { return append(b, "id"...), nil }

func TestID(t *testing.T) {
	for v, want := range map[any]string{"a": "a", new(id): "id", nil: "", 7: "7"} {
		if got := content.ID(v); got != want {
			t.Errorf("%#v: %q", v, got)
		}
	}
}

func TestFields(t *testing.T) {
	got := content.Fields(map[string]any{
		"i8": int8(1), "i16": int16(2), "i32": int32(3), "u16": uint16(4), "u32": uint32(5), "u": uint(6),
		"err": errors.New("e"), "bytes": []byte("b"), "func": func() {}, "nan": math.NaN(), "list": []any{1, int64(2)},
	}, content.Ints)
	nan, _ := got["nan"].(float64)
	delete(got, "nan")
	want := map[string]any{"i8": 1, "i16": 2, "i32": 3, "u16": 4, "u32": 5, "u": 6, "err": "e", "bytes": "b", "list": []any{1, 2}}
	if !reflect.DeepEqual(got, want) || !math.IsNaN(nan) {
		t.Errorf("have %v", got)
	}
	if got := content.Fields(nil, content.Ints); got == nil || len(got) != 0 {
		t.Errorf("have %v", got)
	}
}
