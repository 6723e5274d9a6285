package route

import (
	"io"

	"github.com/mehari-go/mehari/internal/stream"
)

// A Stream is a body that can be read once. A step that reads a body that is an
// [io.Reader] leaves a Stream in its place, and so does [Exchange.Clone] in both exchanges:
// who reads it later, or second, gets an error rather than nothing. Its method Open returns
// the reader.
type Stream = stream.Stream

// NewStream returns the stream that r is.
func NewStream(r io.Reader) *Stream { return stream.New(r) }

// open returns r to be read. isBody tells that it is the body.
func (ex *Exchange) open(r io.Reader, isBody bool) (io.Reader, error) {
	s := NewStream(r)
	if isBody {
		ex.Body = s
	}
	return s.Open()
}

// shareBody makes a body that two exchanges have safe to be read by one of them.
func (ex *Exchange) shareBody() {
	if r, ok := ex.Body.(io.Reader); ok {
		ex.Body = NewStream(r)
	}
}

// wasRead makes a body that others have read as far as they liked one that nobody else can
// read.
func (ex *Exchange) wasRead() {
	if r, ok := ex.Body.(io.Reader); ok {
		s := NewStream(r)
		_, _ = s.Open()
		ex.Body = s
	}
}
