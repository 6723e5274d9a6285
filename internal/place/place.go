// Package place shows where in a text a mistake is.
package place

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Error returns an error with the reason, the line and column of the byte at offset, and
// the line with a caret below the place. Of long lines the part around the place is shown.
func Error(text string, offset int, reason string) error {
	offset = max(0, min(offset, len(text)))
	start := strings.LastIndexByte(text[:offset], '\n') + 1
	end := len(text)
	if i := strings.IndexByte(text[offset:], '\n'); i >= 0 {
		end = offset + i
	}
	at := fmt.Sprintf("column %d", utf8.RuneCountInString(text[start:offset])+1)
	if line := strings.Count(text[:start], "\n") + 1; line > 1 {
		at = fmt.Sprintf("line %d, %s", line, at)
	}
	before, after := []rune(text[start:offset]), []rune(text[offset:end])
	before = before[max(0, len(before)-60):]
	after = after[:min(60, len(after))]
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\t%s%s\n\t", at, reason, string(before), string(after))
	for _, r := range before {
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	b.WriteByte('^')
	return errors.New(b.String())
}
