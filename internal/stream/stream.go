// Package stream holds bodies that can be read once, and tells who comes too late.
package stream

import (
	"errors"
	"io"
	"sync/atomic"
)

// ErrRead is the error of a stream that was opened before.
var ErrRead = errors.New("the stream was read before: a stream can be read once, so convert it to []byte or string first")

// A Stream is a body that can be read once. Many goroutines may use it at once: one of
// them gets it.
type Stream struct {
	r      io.Reader
	opened atomic.Bool
}

// New returns the stream that r is.
func New(r io.Reader) *Stream {
	if s, ok := r.(*Stream); ok {
		return s
	}
	return &Stream{r: r}
}

// Open returns what is to be read, the first time, and [ErrRead] after that.
func (s *Stream) Open() (io.Reader, error) {
	if s.opened.Swap(true) {
		return nil, ErrRead
	}
	return s.r, nil
}

// Read reads the stream for those who do not know what it is. It fails where the stream was
// opened.
func (s *Stream) Read(p []byte) (int, error) {
	if s.opened.Load() {
		return 0, ErrRead
	}
	return s.r.Read(p)
}

// Open returns r to be read; if it is a [Stream], once.
func Open(r io.Reader) (io.Reader, error) {
	if s, ok := r.(*Stream); ok {
		return s.Open()
	}
	return r, nil
}
