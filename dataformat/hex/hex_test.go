package hex_test

import (
	"os"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/dataformat/formattest"
	"github.com/mehari-go/mehari/dataformat/hex"
)

var harness = formattest.Harness{
	Format:  hex.Format{},
	Name:    "hex",
	Values:  []any{[]byte{0, 0x9f, 0xff}, "", "text"},
	Natural: []byte{0, 0x9f, 0xff},
	Bytes:   true,
	Bad:     []string{"0", "0g", "00 00", "00\n"},
}

func TestFormat(t *testing.T) { formattest.Test(t, harness) }

func FuzzFormat(f *testing.F) { formattest.Fuzz(f, harness) }

func TestOptions(t *testing.T) {
	var b strings.Builder
	if err := (hex.Format{Upper: true}).Marshal(&b, []byte{0xaf}); err != nil || b.String() != "AF" {
		t.Errorf("%q, %v", b.String(), err)
	}
	var got string
	if err := (hex.Format{}).Unmarshal(strings.NewReader("4a4B"), &got); err != nil || got != "JK" {
		t.Errorf("%q, %v", got, err)
	}
	err := hex.Format{MaxSize: 3}.Unmarshal(strings.NewReader("4a4B"), &got)
	if err == nil || err.Error() != "there are more than the 3 bytes that MaxSize allows" {
		t.Error(err)
	}
}

func Example() {
	_ = hex.Format{}.Marshal(os.Stdout, "camel")
	// Output: 63616d656c
}
