// Package base64 is the data format of base64 (RFC 4648). It takes and gives a []byte, a
// string or an [io.Reader], which streams; a *any is given a []byte.
package base64

import (
	"encoding/base64"
	"fmt"
	"io"

	"github.com/mehari-go/mehari/internal/octets"
)

// Format is the data format. The zero value writes what Camel does: the standard
// alphabet, in lines.
//
// It reads both alphabets, with and without padding, and passes over spaces, tabs and the
// ends of lines.
type Format struct {
	// URLSafe writes the alphabet of RFC 4648, section 5, with - and _.
	URLSafe bool

	// NoPadding leaves out the = at the end.
	NoPadding bool

	// LineLength is how many letters a line has; 0 means 76, as in RFC 2045, -1 that all is
	// in one line, without an end. It is a multiple of 4.
	LineLength int

	// LineSeparator ends each line; "" means "\r\n".
	LineSeparator string

	// MaxSize is how many bytes of base64 are read; 0 means 256 MB, -1 no limit.
	MaxSize int64
}

// String returns "base64".
func (Format) String() string { return "base64" }

// Marshal writes v in base64.
func (f Format) Marshal(w io.Writer, v any) error {
	length, separator := f.LineLength, f.LineSeparator
	if length == 0 {
		length = 76
	}
	if separator == "" {
		separator = "\r\n"
	}
	if length > 0 && length%4 != 0 || length < -1 {
		return fmt.Errorf("want lines of a multiple of 4 letters, have %d", length)
	}
	r, err := octets.Reader(v)
	if err != nil {
		return err
	}
	encoding := base64.StdEncoding
	if f.URLSafe {
		encoding = base64.URLEncoding
	}
	if f.NoPadding {
		encoding = encoding.WithPadding(base64.NoPadding)
	}
	l := &lines{w: w, length: length, separator: separator}
	e := base64.NewEncoder(encoding, l)
	if _, err := io.Copy(e, r); err != nil {
		return err
	}
	if err := e.Close(); err != nil {
		return err
	}
	if l.column > 0 && length > 0 {
		_, err = io.WriteString(w, separator)
	}
	return err
}

// lines ends lines as what is written through it gets longer than one.
type lines struct {
	w         io.Writer
	length    int
	separator string
	column    int
}

func (l *lines) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		part := b
		if l.length > 0 {
			part = b[:min(len(b), l.length-l.column)]
		}
		m, err := l.w.Write(part)
		n += m
		if err != nil {
			return n, err
		}
		b = b[len(part):]
		if l.column += len(part); l.column == l.length {
			l.column = 0
			if _, err := io.WriteString(l.w, l.separator); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// Unmarshal reads base64.
func (f Format) Unmarshal(r io.Reader, into any) error {
	in := &octets.Watched{R: octets.Limit(r, f.MaxSize)}
	letters := base64.NewDecoder(base64.RawStdEncoding.Strict(), &letters{r: in})
	return octets.Store(&decoder{letters, in}, into)
}

// decoder tells why its letters ended, and not that they make no whole byte.
type decoder struct {
	r  io.Reader
	in *octets.Watched
}

func (d *decoder) Read(b []byte) (int, error) {
	n, err := d.r.Read(b)
	return n, d.in.Cause(err)
}

// letters reads base64 as letters of the standard alphabet without anything else.
type letters struct {
	r       io.Reader
	padding int
	read    int64
}

func (l *letters) Read(b []byte) (int, error) {
	for {
		n, err := l.r.Read(b)
		kept := 0
		for _, c := range b[:n] {
			l.read++
			switch c {
			case '\r', '\n', ' ', '\t':
				continue
			case '=':
				if l.padding++; l.padding > 2 {
					return 0, base64.CorruptInputError(l.read - 1)
				}
				continue
			case '-':
				c = '+'
			case '_':
				c = '/'
			}
			if l.padding > 0 {
				return 0, base64.CorruptInputError(l.read - 1)
			}
			b[kept] = c
			kept++
		}
		if kept > 0 || err != nil || len(b) == 0 {
			return kept, err
		}
	}
}
