// Package avro is the data format of Apache Avro, by [github.com/twmb/avro]: a value by
// itself, for which both sides know the schema, or a container of values that has its
// schema with it. Structs have avro tags.
//
// A *any is given what is natural to the schema, which is a map[string]any for a record,
// and of a container a []any. A container is read into a slice, or into an
// iter.Seq2[any, error], which has its values one by one as they are read; the same can be
// written.
package avro

import (
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"

	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"

	"github.com/mehari-go/mehari/internal/nested"
	"github.com/mehari-go/mehari/internal/octets"
)

// Config is what a [Format] is made of.
type Config struct {
	// Schema is that of the values, in JSON. It is needed but for reading containers,
	// which are read as they say themselves if there is none.
	Schema string

	// Writer is the schema with which values were written that are read, if it is another:
	// fields that Schema does not have are passed over, and those that it has more get
	// their defaults. A container says so itself.
	Writer string

	// Container reads and writes object container files.
	Container bool

	// Codec compresses containers that are written: null, deflate, snappy or zstandard.
	// "" means null.
	Codec string

	// MaxSize is how many bytes are read, and how many may come out of the decompression
	// of a container; if that is read one by one, of a block of it. 0 means 256 MB, -1 no
	// limit.
	MaxSize int64
}

// A Format is the data format. It is made by [New].
type Format struct {
	*format
}

type format struct {
	Config
	schema *avro.Schema // of values that are written; nil if there is none
	reader *avro.Schema // of values by themselves that are read
}

var codecs = map[string]func() (ocf.Codec, error){
	"":          nil,
	"null":      nil,
	"deflate":   func() (ocf.Codec, error) { return ocf.DeflateCodec(flate.DefaultCompression), nil },
	"snappy":    func() (ocf.Codec, error) { return ocf.SnappyCodec(), nil },
	"zstandard": func() (ocf.Codec, error) { return ocf.ZstdCodec(nil, nil) },
}

// New returns the format of values with a schema.
func New(c Config) (Format, error) {
	f := &format{Config: c}
	var errs []error
	var err error
	if _, ok := codecs[c.Codec]; !ok {
		errs = append(errs, fmt.Errorf("avro: Config.Codec: want null, deflate, snappy or zstandard, have %q", c.Codec))
	}
	switch {
	case c.Schema == "" && !c.Container:
		errs = append(errs, errors.New("avro: Config.Schema is missing"))
	case c.Schema != "":
		if f.schema, err = avro.Parse(c.Schema); err != nil {
			errs = append(errs, fmt.Errorf("avro: Config.Schema: %w", err))
		}
	}
	f.reader = f.schema
	switch {
	case c.Writer != "" && c.Container:
		errs = append(errs, errors.New("avro: Config.Writer: a container has its own"))
	case c.Writer != "" && f.schema != nil:
		writer, err := avro.Parse(c.Writer)
		if err == nil {
			f.reader, err = avro.Resolve(writer, f.schema)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("avro: Config.Writer: %w", err))
		}
	}
	return Format{f}, errors.Join(errs...)
}

// String returns "avro".
func (Format) String() string { return "avro" }

// Check implements dataformat.Checker: the zero Format is none.
func (f Format) Check() error {
	if f.format == nil {
		return errZero
	}
	return nil
}

var (
	errZero     = errors.New("want a format made by avro.New")
	errNoSchema = errors.New("want a schema to write with: Config.Schema")
	errMore     = errors.New("there is more than one value")
)

// Marshal writes v.
func (f Format) Marshal(w io.Writer, v any) error {
	switch {
	case f.format == nil:
		return errZero
	case f.schema == nil:
		return errNoSchema
	case f.Container:
		return f.writeContainer(w, v)
	}
	if err := nested.Check(v); err != nil {
		return err
	}
	b, err := f.schema.Encode(v)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// Unmarshal reads one value, or a container.
func (f Format) Unmarshal(r io.Reader, into any) error {
	if f.format == nil {
		return errZero
	}
	if seq, ok := into.(*iter.Seq2[any, error]); ok && seq != nil && f.Container {
		*seq = f.Values(r)
		return nil
	}
	if err := octets.Target(into); err != nil {
		return err
	}
	if f.Container {
		return f.readContainer(r, reflect.ValueOf(into).Elem())
	}
	b, err := octets.ReadAll(r, f.MaxSize)
	if err != nil {
		return err
	}
	fresh := reflect.New(reflect.TypeOf(into).Elem())
	rest, err := f.reader.Decode(b, fresh.Interface())
	if err == nil && len(rest) > 0 {
		err = errMore
	}
	if err == nil {
		reflect.ValueOf(into).Elem().Set(fresh.Elem())
	}
	return err
}
