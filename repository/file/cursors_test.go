package file_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/repository/file"
	"github.com/mehari-go/mehari/route"
)

func openCursors(t *testing.T, folder string) *file.Cursors {
	t.Helper()
	c, err := file.OpenCursors(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func openCursor(t *testing.T, c *file.Cursors, name string) route.Cursor {
	t.Helper()
	cursor, err := c.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return cursor
}

func wantCursor(t *testing.T, c route.Cursor, want []byte) {
	t.Helper()
	if have, err := c.Load(t.Context()); err != nil || !bytes.Equal(have, want) {
		t.Errorf("%.60q, %v, want %.60q", have, err, want)
	}
}

func wantRefusal(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestCursorsStay(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "b")
	names := []string{"timer:clock", "../x/\n", strings.Repeat("n", 256)}
	values := [][]byte{[]byte("1"), bytes.Repeat([]byte{0xff}, 4096), nil}
	for life := range 3 {
		all := openCursors(t, folder)
		for i, name := range names {
			c := openCursor(t, all, name)
			if life > 0 {
				wantCursor(t, c, values[(i+life-1)%3])
			} else {
				wantCursor(t, c, nil)
			}
			value := values[(i+life)%3]
			if err := c.Store(t.Context(), value); err != nil {
				t.Fatal(err)
			}
			wantCursor(t, c, value)
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := all.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCursorsRefuse(t *testing.T) {
	folder := t.TempDir()
	all := openCursors(t, folder)
	if runtime.GOOS == "linux" {
		_, err := file.OpenCursors(folder)
		wantRefusal(t, err, "in use already")
	}
	_, err := file.OpenCursors("")
	wantRefusal(t, err, "no folder")
	_, err = file.OpenCursors(filepath.Join(folder, ".lock"))
	wantRefusal(t, err, "not a directory")
	_, err = all.Open("")
	wantRefusal(t, err, "want a name of 1 to 256 bytes")
	_, err = all.Open("\xff")
	wantRefusal(t, err, "is not UTF-8")
	_, err = all.Open(strings.Repeat("n", 257))
	wantRefusal(t, err, "have 257")

	c := openCursor(t, all, "c")
	_, err = all.Open("c")
	wantRefusal(t, err, `the cursor "c" is in use by another consumer`)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	c = openCursor(t, all, "c")
	wantRefusal(t, c.Store(t.Context(), make([]byte, 4097)), "at most 4096 bytes, have 4097")
	if err := c.Store(t.Context(), []byte("1")); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	for content, want := range map[string]string{"{": "unexpected end", `{"name":"d"}`: `is that of "d"`} {
		if err := os.WriteFile(files[0], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := c.Load(t.Context())
		wantRefusal(t, err, want)
	}
	for range 2 {
		if err := all.Close(); err != nil {
			t.Error(err)
		}
	}
	_, err = c.Load(t.Context())
	wantRefusal(t, err, "is closed")
	wantRefusal(t, c.Store(t.Context(), nil), "is closed")
	_, err = all.Open("e")
	wantRefusal(t, err, "is closed")
}
