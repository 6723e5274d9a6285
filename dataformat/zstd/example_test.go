package zstd_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/mehari-go/mehari/dataformat/zstd"
)

func Example() {
	format := zstd.Format{MaxSize: 1 << 20} // of the text, in bytes

	var compressed bytes.Buffer
	if err := format.Marshal(&compressed, strings.Repeat("camel ", 1000)); err != nil {
		fmt.Println(err)
	}
	var text string
	if err := format.Unmarshal(&compressed, &text); err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(text), text[:5])

	// Output:
	// 6000 camel
}
