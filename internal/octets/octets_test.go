package octets_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mehari-go/mehari/internal/octets"
)

func TestLimit(t *testing.T) {
	for _, c := range []struct {
		max  int64
		want string
		err  string
	}{
		{-1, "12345", ""},
		{0, "12345", ""},
		{5, "12345", ""},
		{6, "12345", ""},
		{4, "1234", "there are more than the 4 bytes that MaxSize allows"},
	} {
		for _, r := range []io.Reader{strings.NewReader("12345"), bytes.NewBufferString("12345"), iotest.OneByteReader(strings.NewReader("12345"))} {
			var got []byte
			var err error
			if c.max%2 == 0 {
				got, err = io.ReadAll(octets.Limit(r, c.max))
			} else {
				got, err = octets.ReadAll(r, c.max)
			}
			if e, ok := errors.AsType[*octets.TooLargeError](err); string(got) != c.want || ok != (c.err != "") || ok && e.Error() != c.err {
				t.Errorf("%T, %d: %q, %v, want %q, %s", r, c.max, got, err, c.want, c.err)
			}
		}
	}
}

func TestRenewed(t *testing.T) {
	r := octets.Renewed(strings.NewReader("1234567"), 3)
	for _, want := range []string{"123", "456"} {
		b := make([]byte, 3)
		if _, err := io.ReadFull(r, b); err != nil || string(b) != want {
			t.Errorf("%q, %v, want %q", b, err, want)
		}
		r.Renew()
	}
	if b, err := io.ReadAll(r); string(b) != "7" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}
