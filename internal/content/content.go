// Package content reads what messages carry for the languages of expressions: a body as
// text or as JSON, and headers as values of JSON.
package content

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxStream is how many bytes of a stream are read at most: 64 MiB.
const MaxStream = 64 << 20

// Text returns a reader of the text that body is: a string, []byte, a *bytes.Buffer,
// which keeps what it holds, or a stream that can be wound back, which is. It returns
// nil for a body of another type. A stream that can be read only once is an error: the
// next step would find it empty.
func Text(body any) (io.Reader, error) {
	switch body := body.(type) {
	case string:
		return strings.NewReader(body), nil
	case []byte:
		return bytes.NewReader(body), nil
	case *bytes.Buffer:
		return bytes.NewReader(body.Bytes()), nil
	case io.ReadSeeker:
		return rewound(body)
	case io.Reader:
		return nil, fmt.Errorf("body is %T, a stream that can be read only once: want text, bytes or a value, so read it in a step before", body)
	}
	return nil, nil
}

func rewound(s io.ReadSeeker) (io.Reader, error) {
	start, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, fmt.Errorf("body is %T, a stream that cannot be wound back: %w", s, err)
	}
	b, err := io.ReadAll(io.LimitReader(s, MaxStream+1))
	if err == nil && len(b) > MaxStream {
		err = fmt.Errorf("body is longer than %d bytes", MaxStream)
	}
	if _, back := s.Seek(start, io.SeekStart); back != nil {
		err = errors.Join(err, fmt.Errorf("body is %T, a stream that cannot be wound back: %w", s, back))
	}
	return bytes.NewReader(b), err
}

// String returns the text that body is, and whether it is text: see [Text].
func String(body any) (string, bool, error) {
	if s, ok := body.(string); ok {
		return s, true, nil
	}
	r, err := Text(body)
	if r == nil || err != nil {
		return "", false, err
	}
	var b strings.Builder
	_, err = io.Copy(&b, r)
	return b.String(), true, err
}

// ID returns the text of an id.
func ID(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case encoding.TextAppender:
		b, err := v.AppendText(make([]byte, 0, 32))
		if err == nil {
			return string(b)
		}
	}
	return fmt.Sprint(v)
}

// Exception returns the text of an error, or nil where there is none.
func Exception(v any) any {
	if err, ok := v.(error); ok {
		return err.Error()
	}
	return v
}
