// Package hex is the data format of hexadecimal digits, two for each byte. It takes and
// gives a []byte, a string or an [io.Reader], which streams; a *any is given a []byte.
package hex

import (
	"bytes"
	"encoding/hex"
	"io"

	"github.com/mehari-go/mehari/internal/octets"
)

// Format is the data format. It reads digits in either case.
type Format struct {
	// Upper writes A to F rather than a to f.
	Upper bool

	// MaxSize is how many digits are read; 0 means 256 MB, -1 no limit.
	MaxSize int64
}

// String returns "hex".
func (Format) String() string { return "hex" }

// Marshal writes the digits of v.
func (f Format) Marshal(w io.Writer, v any) error {
	r, err := octets.Reader(v)
	if err != nil {
		return err
	}
	if f.Upper {
		w = upper{w}
	}
	_, err = io.Copy(hex.NewEncoder(w), r)
	return err
}

type upper struct{ w io.Writer }

func (u upper) Write(b []byte) (int, error) { return u.w.Write(bytes.ToUpper(b)) }

// Unmarshal reads digits.
func (f Format) Unmarshal(r io.Reader, into any) error {
	return octets.Store(hex.NewDecoder(octets.Limit(r, f.MaxSize)), into)
}
