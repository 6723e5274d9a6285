package route

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
)

// TokenOptions are the options of [Tokenize], [Lines], [TokenizeXML] and [TokenizeJSON].
type TokenOptions struct {
	// From is what is taken apart; the body if it is nil. The value is a string, a []byte or
	// an [io.Reader], which is read while the parts are led through their steps, and which
	// is not closed: see [Stream]. A nil value has no parts.
	From Expr

	// MaxSize is how many bytes one part may have, 0 for 1 MiB. This much of a reader is in
	// memory, or twice as much, and not more.
	MaxSize int

	// Skip is how many parts at the beginning are left out, such as a head line.
	Skip int
}

const defaultMaxToken = 1 << 20

// Tokenize is an expression for [Route.Split]: the parts of a text between separators. A
// part is a string without its separator. An empty one is a part too, but for what comes
// after a separator at the end: "a,,b," has the parts "a", "" and "b". An error names the
// part and the byte, counted from 1 and 0. There may be one TokenOptions.
func Tokenize(separator string, opts ...TokenOptions) Expr {
	t := tokens{opts: opts, split: func(r io.Reader, limit int) tokenizer {
		return newTextTokens(r, []byte(separator), limit)
	}}
	if separator == "" {
		t.mistake = "want a separator that is not empty"
	}
	return t
}

// Lines is [Tokenize] for lines, which end with "\n" or "\r\n".
func Lines(opts ...TokenOptions) Expr {
	return tokens{opts: opts, split: func(r io.Reader, limit int) tokenizer {
		t := newTextTokens(r, []byte("\n"), limit)
		t.lines = true
		return t
	}}
}

// A tokenizer reads one part after the other.
type tokenizer interface {
	// next returns the next part; io.EOF if there is none.
	next() (string, error)

	// offset is the number of the byte that an error of next is about.
	offset() int64
}

// tokens are the parts of a text.
type tokens struct {
	mistake string // in what it was made of, if there is one
	opts    []TokenOptions
	split   func(r io.Reader, limit int) tokenizer
}

func (t tokens) expression(b *Builder) value {
	o := only(b, t.opts)
	if t.mistake != "" {
		b.Errorf("%s", t.mistake)
	}
	if o.MaxSize < 0 {
		b.Errorf("want a MaxSize that is not negative, have %d", o.MaxSize)
	}
	if o.Skip < 0 {
		b.Errorf("want a Skip that is not negative, have %d", o.Skip)
	}
	if o.MaxSize == 0 {
		o.MaxSize = defaultMaxToken
	}
	from := value{eval: func(_ context.Context, ex *Exchange) (any, error) { return ex.Body, nil }}
	if o.From != nil {
		from = b.value(o.From)
	}
	return value{eval: func(ctx context.Context, ex *Exchange) (any, error) {
		v, err := from.get(ctx, ex)
		if err != nil {
			return nil, err
		}
		r, err := ex.textReader(v, o.From == nil)
		if r == nil {
			return nil, err
		}
		return t.all(r, o), nil
	}}
}

// textReader reads text; it is nil where there is none.
func (ex *Exchange) textReader(v any, isBody bool) (io.Reader, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return strings.NewReader(v), nil
	case []byte:
		return bytes.NewReader(v), nil
	case io.Reader:
		return ex.open(v, isBody)
	}
	return nil, fmt.Errorf("want a string, a []byte or an io.Reader to take apart, have %T", v)
}

// all yields the parts. After an error there are none.
func (t tokens) all(r io.Reader, o TokenOptions) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		parts := t.split(r, o.MaxSize)
		for n := 1; ; n++ {
			part, err := parts.next()
			if err == io.EOF {
				return
			}
			if err == nil && len(part) > o.MaxSize {
				err = errTokenTooLong
			}
			if err == errTokenTooLong {
				err = fmt.Errorf("longer than %d bytes", o.MaxSize)
			}
			if err != nil {
				yield(nil, fmt.Errorf("part %d, at byte %d: %w", n, parts.offset(), err))
				return
			}
			if n > o.Skip && !yield(part, nil) {
				return
			}
		}
	}
}

var errTokenTooLong = bufio.ErrTooLong

// textTokens are the texts between separators.
type textTokens struct {
	scanner   *bufio.Scanner
	reader    io.Reader
	failed    error // of reader
	separator []byte
	lines     bool
	searched  int   // so many bytes of what the scanner has do not begin a separator
	begin     int64 // of the part
	end       int64 // of its separator
}

func newTextTokens(r io.Reader, separator []byte, limit int) *textTokens {
	t := &textTokens{reader: r, separator: separator}
	t.scanner = bufio.NewScanner(t)
	t.scanner.Buffer(nil, limit+len(separator)+1) // a "\r" too
	t.scanner.Split(t.cut)
	return t
}

// Read reads for the scanner, which takes every error for the end of a part.
func (t *textTokens) Read(p []byte) (int, error) {
	n, err := t.reader.Read(p)
	if err != io.EOF {
		t.failed = err
	}
	return n, err
}

// cut is a [bufio.SplitFunc].
func (t *textTokens) cut(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.Index(data[t.searched:], t.separator); i >= 0 {
		i += t.searched
		t.searched = 0
		return i + len(t.separator), data[:i], nil
	}
	t.searched = max(0, len(data)-len(t.separator)+1)
	if atEOF && t.failed == nil && len(data) > 0 {
		t.searched = 0
		return len(data), data, nil
	}
	return 0, nil, nil
}

func (t *textTokens) next() (string, error) {
	t.begin = t.end
	if !t.scanner.Scan() {
		if err := t.scanner.Err(); err != nil {
			return "", err
		}
		return "", io.EOF
	}
	part := t.scanner.Bytes()
	t.end += int64(len(part) + len(t.separator))
	if t.lines {
		part = bytes.TrimSuffix(part, []byte("\r"))
	}
	return string(part), nil
}

func (t *textTokens) offset() int64 { return t.begin }
