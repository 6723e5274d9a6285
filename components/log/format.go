package log

import (
	"encoding/hex"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/mehari-go/mehari/internal/nested"
	"github.com/mehari-go/mehari/route"
)

// A format turns exchanges into text, in the order of Camel's DefaultExchangeFormatter.
type format struct {
	Config
	showType, showBody, joinLines bool
	max                           int
}

func newFormat(c Config) format {
	if c.ShowAll {
		c.ShowExchangeID, c.ShowRouteID, c.ShowExchangePattern = true, true, true
		c.ShowAllProperties, c.ShowHeaders, c.ShowCaughtException = true, true, true
	}
	return format{
		Config:    c,
		showType:  c.ShowAll || value(c.ShowBodyType, true),
		showBody:  c.ShowAll || value(c.ShowBody, true),
		joinLines: value(c.SkipBodyLineSeparator, true),
		max:       value(c.MaxChars, 10000),
	}
}

func (f *format) append(dst []byte, ex *route.Exchange) []byte {
	if f.Plain {
		return f.cut(f.masked(f.body(dst, ex)))
	}
	dst = append(dst, "Exchange["...)
	empty := len(dst)
	label := func(name string) {
		switch {
		case f.Multiline:
			dst = append(dst, "\n  "...)
		case len(dst) > empty:
			dst = append(dst, ", "...)
		}
		dst = append(append(dst, name...), ": "...)
	}
	if f.ShowExchangeID {
		label("Id")
		dst = append(dst, ex.ID()...)
	}
	if f.ShowRouteID {
		label("RouteId")
		dst = append(dst, ex.RouteID()...)
	}
	if f.ShowExchangePattern {
		label("ExchangePattern")
		if ex.ReplyExpected() {
			dst = append(dst, "InOut"...)
		} else {
			dst = append(dst, "InOnly"...)
		}
	}
	if f.ShowProperties || f.ShowAllProperties {
		label("Properties")
		dst = f.fields(dst, ex.Properties(), func(name string) bool {
			return f.ShowAllProperties || !strings.HasPrefix(name, "Camel")
		})
	}
	if f.ShowHeaders {
		label("Headers")
		dst = f.fields(dst, ex.Headers(), func(string) bool { return true })
	}
	if f.showType {
		label("BodyType")
		dst = appendType(dst, ex.Body)
	}
	if f.showBody {
		label("Body")
		start := len(dst)
		dst = f.body(dst, ex)
		if f.joinLines {
			dst = joinLines(dst, start)
		}
	}
	if err, ok := route.Caught.Get(ex); ok && f.ShowCaughtException {
		label("CaughtExceptionType")
		dst = appendType(dst, err)
		label("CaughtExceptionMessage")
		dst = append(dst, err.Error()...)
	}
	if f.Multiline {
		dst = append(dst, '\n')
	}
	return f.cut(f.masked(append(dst, ']')))
}

// fields appends {name=value, name=value}.
func (f *format) fields(dst []byte, all iter.Seq2[string, any], want func(string) bool) []byte {
	dst = append(dst, '{')
	empty := len(dst)
	for name, v := range all {
		if !want(name) {
			continue
		}
		if len(dst) > empty {
			dst = append(dst, ", "...)
		}
		dst = append(append(dst, name...), '=')
		if looksSecret(name) {
			dst = append(dst, hidden...)
		} else {
			dst = f.text(dst, v)
		}
	}
	return append(dst, '}')
}

func (f *format) body(dst []byte, ex *route.Exchange) []byte {
	if ex.Body == nil {
		return append(dst, "[Body is null]"...)
	}
	return f.text(dst, ex.Body)
}

// text appends a value, or as much of it as will be shown.
func (f *format) text(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(dst, v[:f.enough(len(v))]...)
	case []byte:
		shown := v[:f.enough(len(v))]
		if utf8.Valid(v[:min(len(v), 512)]) || utf8.Valid(shown) {
			return append(dst, shown...)
		}
		return hex.AppendEncode(dst, shown)
	case fmt.Stringer, error:
		return fmt.Append(dst, v)
	case io.Reader:
		return fmt.Appendf(dst, "[Body is a stream: %T]", v) // to read it would take it away
	}
	return nested.Append(dst, v)
}

// enough is how many bytes of n are as many characters as will be shown, and more, so
// that it is seen that there are more.
func (f *format) enough(n int) int {
	if f.max == 0 {
		return n
	}
	return min(n, (f.max+1)*utf8.UTFMax)
}

func (f *format) masked(dst []byte) []byte {
	if f.LogMask {
		return mask(dst)
	}
	return dst
}

// cut shortens text to the most characters that are to be shown.
func (f *format) cut(text []byte) []byte {
	if f.max == 0 || len(text) <= f.max {
		return text
	}
	chars := 0
	for i := 0; i < len(text); chars++ {
		if chars == f.max {
			return append(text[:i], "..."...)
		}
		_, n := utf8.DecodeRune(text[i:])
		i += n
	}
	return text
}

func appendType(dst []byte, v any) []byte {
	switch v.(type) {
	case nil:
		return append(dst, "null"...)
	case []byte:
		return append(dst, "[]byte"...)
	}
	return fmt.Appendf(dst, "%T", v)
}

// joinLines takes the line breaks out of dst from start on.
func joinLines(dst []byte, start int) []byte {
	kept := dst[:start]
	for _, c := range dst[start:] {
		if c != '\n' && c != '\r' {
			kept = append(kept, c)
		}
	}
	return kept
}
