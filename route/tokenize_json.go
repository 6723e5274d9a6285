package route

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// TokenizeJSON is an expression for [Route.Split]: the elements of a JSON array, each of
// which is a string with its JSON text. A reader is read element by element; elements may
// be nested 10 000 deep. An error names the element and the byte after the one before it,
// counted from 1 and 0. MaxSize is also that of an element with the space around it. JSON
// texts that stand in lines of their own are taken apart by [Lines].
func TokenizeJSON(opts ...TokenOptions) Expr {
	return tokens{opts: opts, split: func(r io.Reader, limit int) tokenizer {
		t := &jsonTokens{reader: r, limit: int64(limit)}
		t.decoder = json.NewDecoder(t)
		return t
	}}
}

// jsonTokens are the elements of an array.
type jsonTokens struct {
	reader  io.Reader
	decoder *json.Decoder
	inside  bool  // of the array
	limit   int64 // of the bytes of an element
	read    int64 // from reader
	begin   int64 // of the element
}

// Read reads for the decoder, which reads more only where the element does not end in
// what it has.
func (t *jsonTokens) Read(p []byte) (int, error) {
	if t.read-t.begin > t.limit+1 { // a comma before it
		return 0, errTokenTooLong
	}
	n, err := t.reader.Read(p)
	t.read += int64(n)
	return n, err
}

func (t *jsonTokens) next() (string, error) {
	if !t.inside {
		switch first, err := t.decoder.Token(); {
		case err == io.EOF:
			return "", io.EOF // no text at all
		case err != nil:
			return "", err
		case first != json.Delim('['):
			return "", fmt.Errorf("want a JSON array, have %s", jsonKind(first))
		}
		t.inside = true
	}
	t.begin = t.decoder.InputOffset()
	if !t.decoder.More() {
		return "", t.finish()
	}
	var element json.RawMessage
	if err := t.decoder.Decode(&element); err != nil {
		return "", whole(err)
	}
	return string(element), nil
}

// finish reads the end of the array and what comes after it.
func (t *jsonTokens) finish() error {
	if _, err := t.decoder.Token(); err != nil {
		return whole(err)
	}
	t.begin = t.decoder.InputOffset()
	if _, err := t.decoder.Token(); err != io.EOF {
		if err == nil {
			err = errors.New("want nothing after the array")
		}
		return err
	}
	return io.EOF
}

// whole says that a text has ended too early.
func whole(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (t *jsonTokens) offset() int64 { return t.begin }

func jsonKind(token json.Token) string {
	switch token.(type) {
	case json.Delim:
		return "an object"
	case string:
		return "a text"
	case bool:
		return "a bool"
	case nil:
		return "null"
	default:
		return "a number"
	}
}
