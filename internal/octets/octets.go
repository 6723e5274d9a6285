// Package octets is what the data formats share that read bytes, and of those whose values
// are bytes themselves.
package octets

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/mehari-go/mehari/internal/convert"
)

// MaxSize is how many bytes are taken in if nothing else is said: 256 MB.
const MaxSize = 256 << 20

// A TooLargeError tells that there is more than may be taken in.
type TooLargeError struct{ Max int64 }

func (e *TooLargeError) Error() string {
	size, unit := e.Max, "bytes"
	if size >= 1<<20 && size%(1<<20) == 0 {
		size, unit = size>>20, "MB"
	}
	return fmt.Sprintf("there are more than the %d %s that MaxSize allows", size, unit)
}

// Limit returns a reader of r that fails after max bytes if there are more. 0 means
// [MaxSize], a negative number no limit.
func Limit(r io.Reader, max int64) io.Reader {
	if max < 0 {
		return r
	}
	return Renewed(r, max)
}

// Renewed is [Limit] for what is read in parts: each may be as long.
func Renewed(r io.Reader, max int64) *Limited {
	switch {
	case max == 0:
		max = MaxSize
	case max < 0:
		max = math.MaxInt64 - 1
	}
	return &Limited{R: r, left: max, max: max}
}

// A Limited reader does not read more than it may.
type Limited struct {
	R         io.Reader
	left, max int64
}

// Renew begins to count anew.
func (l *Limited) Renew() { l.left = l.max }

func (l *Limited) Read(b []byte) (int, error) {
	if int64(len(b)) > l.left+1 {
		b = b[:l.left+1]
	}
	n, err := l.R.Read(b)
	if int64(n) > l.left {
		return int(l.left), &TooLargeError{l.max}
	}
	l.left -= int64(n)
	return n, err
}

// ReadAll reads all of r, under [Limit].
func ReadAll(r io.Reader, max int64) ([]byte, error) {
	limit := Limit(r, max)
	size := 0
	switch r := r.(type) {
	case *bytes.Reader:
		size = r.Len()
	case *strings.Reader:
		size = r.Len()
	case *bytes.Buffer:
		size = r.Len()
	}
	if l, ok := limit.(*Limited); size == 0 || ok && int64(size) > l.max {
		return io.ReadAll(limit)
	}
	b := make([]byte, size)
	_, err := io.ReadFull(r, b)
	return b, err
}

// ReadFor reads all of r like [ReadAll], for a value that is stored in what into points to.
func ReadFor(into any, r io.Reader, max int64) ([]byte, error) {
	if err := Target(into); err != nil {
		return nil, err
	}
	return ReadAll(r, max)
}

// Bytes returns all that [Reader] has of v, under [Limit].
func Bytes(v any, max int64) ([]byte, error) {
	r, err := Reader(v)
	if err != nil {
		return nil, err
	}
	return ReadAll(r, max)
}

// Reader returns a reader of the text of v: a []byte, a string, an io.Reader or what
// converts to text.
func Reader(v any) (io.Reader, error) {
	if v == nil {
		return nil, fmt.Errorf("want a []byte, a string or an io.Reader, have nil")
	}
	return convert.As[io.Reader](v)
}

// Value returns an error if v is a stream: what formats whose values are no bytes would make
// of that is nothing.
func Value(v any) error {
	if _, ok := v.(io.Reader); ok {
		return fmt.Errorf("want a value, have the stream %T", v)
	}
	return nil
}

// Store stores what r has in what into points to, which is a []byte, a string, an any,
// which becomes a []byte, or an io.Reader, which becomes r.
func Store(r io.Reader, into any) error {
	if p, ok := into.(*io.Reader); ok && p != nil {
		*p = r
		return nil
	}
	if err := Target(into); err != nil {
		return err
	}
	switch v := reflect.ValueOf(into).Elem(); {
	case v.Kind() == reflect.String:
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
	case v.Kind() == reflect.Interface && v.NumMethod() == 0:
	default:
		return fmt.Errorf("want a *[]byte, a *string, a *io.Reader or a *any, have %T", into)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	switch v := reflect.ValueOf(into).Elem(); v.Kind() {
	case reflect.String:
		if !utf8.Valid(b) {
			return fmt.Errorf("it is not valid UTF-8, as a %s is", v.Type())
		}
		v.SetString(string(b))
	case reflect.Slice:
		v.SetBytes(b)
	default:
		v.Set(reflect.ValueOf(b))
	}
	return nil
}

// Target returns an error if into is not a pointer to a value.
func Target(into any) error {
	if v := reflect.ValueOf(into); v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("want a pointer to store a value in, have %T", into)
	}
	return nil
}

// Ended returns err, and for an end where there should be more one that says so.
func Ended(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
