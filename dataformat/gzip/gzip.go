// Package gzip is the data format of gzip (RFC 1952), by compress/gzip. It takes and gives
// a []byte, a string or an [io.Reader], which streams; a *any is given a []byte.
package gzip

import (
	"compress/gzip"
	"fmt"
	"io"
	"sync"

	"github.com/mehari-go/mehari/internal/octets"
)

// Format is the data format.
type Format struct {
	// Level is from 1, the fastest, to 9, the smallest; 0 means 6.
	Level int

	// MaxSize is how many bytes may come out of decompression, so that a small message
	// cannot fill the memory; 0 means 256 MB, -1 no limit.
	MaxSize int64
}

// String returns "gzip".
func (Format) String() string { return "gzip" }

// Check implements dataformat.Checker: it looks at the Level.
func (f Format) Check() error {
	if f.Level < 0 || f.Level > gzip.BestCompression {
		return fmt.Errorf("want a level from 1 to %d, have %d", gzip.BestCompression, f.Level)
	}
	return nil
}

// writers are used again, because one takes a megabyte.
var writers [gzip.BestCompression + 1]sync.Pool

// Marshal compresses v.
func (f Format) Marshal(w io.Writer, v any) error {
	if err := f.Check(); err != nil {
		return err
	}
	r, err := octets.Reader(v)
	if err != nil {
		return err
	}
	z, ok := writers[f.Level].Get().(*gzip.Writer)
	if !ok {
		level := f.Level
		if level == 0 {
			level = gzip.DefaultCompression
		}
		if z, err = gzip.NewWriterLevel(w, level); err != nil {
			return err
		}
	}
	defer func() { z.Reset(io.Discard); writers[f.Level].Put(z) }()
	z.Reset(w)
	if _, err := io.Copy(z, r); err != nil {
		return err
	}
	return z.Close()
}

// Unmarshal decompresses r. Members one after the other are one text.
func (f Format) Unmarshal(r io.Reader, into any) error {
	if err := octets.Target(into); err != nil {
		return err
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return octets.Ended(err)
	}
	return octets.Store(octets.Limit(z, f.MaxSize), into)
}
