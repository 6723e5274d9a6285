// Package zstd is the data format of Zstandard (RFC 8878), by
// [github.com/klauspost/compress/zstd]. It takes and gives a []byte, a string or an
// [io.Reader], which streams; a *any is given a []byte.
package zstd

import (
	"bufio"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/mehari-go/mehari/internal/octets"
)

// Format is the data format.
type Format struct {
	// Level is from 1, the fastest, to 22, the smallest, as in the reference program; of
	// those the library knows four. 0 means 3.
	Level int

	// MaxSize is how many bytes may come out of decompression, so that a small message
	// cannot fill the memory; 0 means 256 MB, -1 no limit.
	MaxSize int64
}

// maxWindow is how far back a frame may look, which is memory that it takes: what the
// reference program allows.
const maxWindow = 128 << 20

// String returns "zstd".
func (Format) String() string { return "zstd" }

// encoders are used again, because one takes megabytes. They are by level.
var encoders [zstd.SpeedBestCompression + 1]sync.Pool

// Marshal compresses v.
func (f Format) Marshal(w io.Writer, v any) error {
	if f.Level < 0 || f.Level > 22 {
		return fmt.Errorf("want a level from 1 to 22, have %d", f.Level)
	}
	r, err := octets.Reader(v)
	if err != nil {
		return err
	}
	level := zstd.SpeedDefault
	if f.Level != 0 {
		level = zstd.EncoderLevelFromZstd(f.Level)
	}
	e, ok := encoders[level].Get().(*zstd.Encoder)
	if !ok {
		if e, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true)); err != nil {
			return err
		}
	}
	defer func() { e.Reset(nil); encoders[level].Put(e) }()
	e.Reset(w)
	if _, err := io.Copy(e, r); err != nil {
		return err
	}
	return e.Close()
}

// Unmarshal decompresses r. Frames one after the other are one text.
func (f Format) Unmarshal(r io.Reader, into any) error {
	if err := octets.Target(into); err != nil {
		return err
	}
	in := bufio.NewReader(r)
	if _, err := in.Peek(1); err != nil {
		return octets.Ended(err)
	}
	// With a concurrency of 1 it starts no goroutines, and needs not be closed.
	d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return err
	}
	return octets.Store(octets.Limit(d, f.MaxSize), into)
}
