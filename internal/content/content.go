// Package content reads what messages carry for the languages of expressions: a body as
// text or as JSON, and headers as values of JSON.
package content

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxStream is how many bytes of a stream are read at most: 64 MiB.
const MaxStream = 64 << 20

// Text returns the text that body is, and whether it is text: a string, []byte, a
// *bytes.Buffer, which keeps what it holds, or a stream that can be wound back, which is.
// A stream that can be read only once is an error: the next step would find it empty. The
// bytes may be those of the body.
func Text(body any) ([]byte, bool, error) {
	switch body := body.(type) {
	case string:
		return []byte(body), true, nil
	case []byte:
		return body, true, nil
	case json.RawMessage:
		return body, true, nil
	case *bytes.Buffer:
		return body.Bytes(), true, nil
	case io.ReadSeeker:
		b, err := rewound(body)
		return b, err == nil, err
	case io.Reader:
		return nil, false, fmt.Errorf("body is %T, a stream that can be read once: convert it to []byte or string first", body)
	}
	return nil, false, nil
}

func rewound(s io.ReadSeeker) ([]byte, error) {
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
	return b, err
}

// String is [Text] as a string.
func String(body any) (string, bool, error) {
	if s, ok := body.(string); ok {
		return s, true, nil
	}
	b, ok, err := Text(body)
	return string(b), ok, err
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
