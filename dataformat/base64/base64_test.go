package base64_test

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/dataformat/base64"
	"github.com/mehari-go/mehari/dataformat/formattest"
)

var harness = formattest.Harness{
	Format:  base64.Format{},
	Name:    "base64",
	Values:  []any{[]byte{0xfb, 0xff, 0xfe}, "", "a", "ab", strings.Repeat("text", 100)},
	Natural: []byte{0xfb, 0xff, 0xfe},
	Bytes:   true,
	Bad:     []string{"A", "AAA*", "A=AA", "AA=A", "AAAA===", "AB==", "é"},
}

func TestFormat(t *testing.T) { formattest.Test(t, harness) }

func FuzzFormat(f *testing.F) { formattest.Fuzz(f, harness) }

func TestWrite(t *testing.T) {
	in := []byte{0xfb, 0xff, 0xfe, 0xff}
	for _, c := range []struct {
		format base64.Format
		in     any
		want   string
	}{
		{base64.Format{}, in, "+//+/w==\r\n"},
		{base64.Format{}, "", ""},
		{base64.Format{LineLength: -1}, in, "+//+/w=="},
		{base64.Format{LineLength: -1, URLSafe: true}, in, "-__-_w=="},
		{base64.Format{LineLength: -1, URLSafe: true, NoPadding: true}, in, "-__-_w"},
		{base64.Format{LineLength: 4, LineSeparator: "\n"}, in, "+//+\n/w==\n"},
		{base64.Format{LineLength: 8}, "123456123456", "MTIzNDU2\r\nMTIzNDU2\r\n"},
		{base64.Format{}, strings.Repeat("a", 58), strings.Repeat("YWFh", 19) + "\r\nYQ==\r\n"},
	} {
		var b strings.Builder
		if err := c.format.Marshal(&b, c.in); err != nil || b.String() != c.want {
			t.Errorf("%+v: %q, %v, want %q", c.format, b.String(), err, c.want)
		}
	}
	err := base64.Format{LineLength: 10}.Marshal(io.Discard, "x")
	if err == nil || err.Error() != "want lines of a multiple of 4 letters, have 10" {
		t.Error(err)
	}
}

func TestRead(t *testing.T) {
	for in, want := range map[string]string{
		"YWI=": "ab", "YWI": "ab", "Y W\r\nI\t=\n": "ab", "_-8=": "\xff\xef", "/+8": "\xff\xef", "": "", "\n": "",
	} {
		var got []byte
		if err := (base64.Format{}).Unmarshal(strings.NewReader(in), &got); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
	var b []byte
	err := base64.Format{MaxSize: 3}.Unmarshal(strings.NewReader("YWI="), &b)
	if err == nil || err.Error() != "there are more than the 3 bytes that MaxSize allows" {
		t.Error(err)
	}
	err = base64.Format{}.Unmarshal(strings.NewReader("YW*="), &b)
	if err == nil || err.Error() != "illegal base64 data at input byte 2" {
		t.Error(err)
	}
}

func Example() {
	format := base64.Format{LineLength: -1}
	if err := format.Marshal(os.Stdout, "camel"); err != nil {
		fmt.Println(err)
	}
	// Output: Y2FtZWw=
}
