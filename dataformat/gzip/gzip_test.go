package gzip_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/dataformat"
	"github.com/mehari-go/mehari/dataformat/formattest"
	"github.com/mehari-go/mehari/dataformat/gzip"
)

var harness = formattest.Harness{
	Format:    gzip.Format{},
	Name:      "gzip",
	Values:    []any{[]byte("hello, hello"), "", strings.Repeat("text", 1000)},
	Natural:   []byte("hello, hello"),
	Bytes:     true,
	Truncated: true,
	Bad:       []string{"", "\x1f", "text", compress("text") + "x", compress("text")[:20]},
}

func TestFormat(t *testing.T) { formattest.Test(t, harness) }

func FuzzFormat(f *testing.F) { formattest.Fuzz(f, harness) }

func compress(text string) string {
	var b bytes.Buffer
	if err := (gzip.Format{}).Marshal(&b, text); err != nil {
		panic(err)
	}
	return b.String()
}

func TestOptions(t *testing.T) {
	const text = "some text some text some text"
	for level := range 10 {
		var b bytes.Buffer
		var got string
		if err := (gzip.Format{Level: level}).Marshal(&b, text); err != nil {
			t.Error(err)
		}
		if err := (gzip.Format{}).Unmarshal(&b, &got); err != nil || got != text {
			t.Errorf("level %d: %q, %v", level, got, err)
		}
	}
	if err := (gzip.Format{Level: 10}).Marshal(io.Discard, text); err == nil || err.Error() != "want a level from 1 to 9, have 10" {
		t.Error(err)
	}
	var two string
	if err := (gzip.Format{}).Unmarshal(strings.NewReader(compress("a")+compress("b")), &two); err != nil || two != "ab" {
		t.Errorf("two members: %q, %v", two, err)
	}
}

// A few bytes do not become more than was allowed.
func TestBomb(t *testing.T) {
	bomb := compress(strings.Repeat("\x00", 10<<20))
	var b []byte
	err := gzip.Format{MaxSize: 1 << 20}.Unmarshal(strings.NewReader(bomb), &b)
	if err == nil || err.Error() != "there are more than the 1 MB that MaxSize allows" {
		t.Errorf("%d bytes became %d, %v", len(bomb), len(b), err)
	}
	var r io.Reader
	if err := (gzip.Format{MaxSize: 1 << 20}).Unmarshal(strings.NewReader(bomb), &r); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, r); n != 1<<20 || err == nil {
		t.Errorf("%d bytes were streamed, %v", n, err)
	}
	if err := (gzip.Format{MaxSize: 10 << 20}).Unmarshal(strings.NewReader(bomb), &b); err != nil || len(b) != 10<<20 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestCheck(t *testing.T) {
	var f dataformat.Checker = gzip.Format{Level: 10}
	if err := f.Check(); err == nil || err.Error() != "want a level from 1 to 9, have 10" {
		t.Errorf("have %v, want an error", err)
	}
}
