// Package jsonvalue reads and writes JSON as encoding/json does, and refuses what that
// would change without a word: bytes that are not UTF-8, and numbers that an any cannot
// hold as a float64, which become an int64 or a uint64 or, if none holds them, a
// json.Number.
package jsonvalue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// MaxDepth is how deep values may stand inside of each other, as in Jackson's
// StreamReadConstraints.
const MaxDepth = 1000

var (
	errUTF8 = errors.New("it is not valid UTF-8")
	errEnd  = errors.New("unexpected end of JSON")
	errMore = errors.New("there is more than one JSON value")
)

// Options of [Unmarshal]. The zero value is for most.
type Options struct {
	UseNumber             bool // numbers in an any are of type json.Number
	DisallowUnknownFields bool
	MaxDepth              int // 0 means [MaxDepth]
}

// Unmarshal stores the one value that b is in what into points to.
func Unmarshal(b []byte, into any, o Options) error {
	if !utf8.Valid(b) {
		return errUTF8
	}
	if o.MaxDepth == 0 {
		o.MaxDepth = MaxDepth
	}
	depth, long := scan(b)
	if depth > o.MaxDepth {
		return fmt.Errorf("values stand more than %d deep inside of each other", o.MaxDepth)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if o.UseNumber || long {
		d.UseNumber()
	}
	if o.DisallowUnknownFields {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(into); err != nil {
		return placed(err, b)
	}
	if _, err := d.Token(); err != io.EOF {
		return errMore
	}
	if long && !o.UseNumber {
		plain(into)
	}
	return nil
}

// scan returns how deep values stand in each other, and whether there may be a number with
// more digits than every float64 has (15), or with an exponent.
func scan(b []byte) (deepest int, long bool) {
	depth, digits := 0, 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case '0' <= c && c <= '9':
			digits++
			long = long || digits > 15
			continue
		case c|0x20 == 'e' && digits > 0:
			long = true
		case c == '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case c == '[' || c == '{':
			depth++
			deepest = max(deepest, depth)
		case c == ']' || c == '}':
			depth--
		}
		digits = 0
	}
	return deepest, long
}

// placed adds to a syntax error where in b it is.
func placed(err error, b []byte) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errEnd
	}
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		before := b[:min(max(int(s.Offset)-1, 0), len(b))]
		line := 1 + bytes.Count(before, []byte("\n"))
		column := len(before) - bytes.LastIndexByte(before, '\n')
		return fmt.Errorf("line %d, column %d: %w", line, column, err)
	}
	return err
}

// Marshal returns v as JSON. An indent makes it more than one line.
func Marshal(v any, indent string, escapeHTML bool) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetIndent("", indent)
	e.SetEscapeHTML(escapeHTML)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	b := out.Bytes()
	if hasReplaced(b) {
		return nil, errUTF8
	}
	return b[:len(b)-1], nil // without the line's end
}

// hasReplaced tells whether encoding/json has written \ufffd in the place of a byte that
// is not UTF-8: the character itself it writes as it is.
func hasReplaced(b []byte) bool {
	for {
		i := bytes.Index(b, []byte(`\ufffd`))
		if i < 0 {
			return false
		}
		before := bytes.TrimRight(b[:i], `\`)
		if (i-len(before))%2 == 0 {
			return true
		}
		b = b[i+1:]
	}
}
