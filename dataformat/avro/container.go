package avro

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"reflect"

	"github.com/twmb/avro/ocf"

	"github.com/mehari-go/mehari/internal/nested"
	"github.com/mehari-go/mehari/internal/octets"
)

// writeContainer writes a slice, an array or a sequence of values.
func (f Format) writeContainer(w io.Writer, v any) error {
	all, err := values(v)
	if err != nil {
		return err
	}
	opts := []ocf.WriterOpt{}
	if f.Schema != "" {
		opts = append(opts, ocf.WithSchema(f.Schema))
	}
	if codec := codecs[f.Codec]; codec != nil {
		c, err := codec()
		if err != nil {
			return err
		}
		opts = append(opts, ocf.WithCodec(c))
	}
	out, err := ocf.NewWriter(w, f.schema, opts...)
	if err != nil {
		return err
	}
	n := 0
	for v, err := range all {
		n++
		if err == nil {
			err = nested.Check(v)
		}
		if err == nil {
			err = out.Encode(v)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("value %d: %w", n, err), out.Close())
		}
	}
	return out.Close()
}

func values(v any) (iter.Seq2[any, error], error) {
	if seq, ok := v.(iter.Seq2[any, error]); ok && seq != nil {
		return seq, nil
	}
	rv := reflect.ValueOf(v)
	if kind := rv.Kind(); kind != reflect.Slice && kind != reflect.Array {
		return nil, fmt.Errorf("want a slice or an iter.Seq2[any, error] of values for a container, have %T", v)
	}
	return func(yield func(any, error) bool) {
		for i := range rv.Len() {
			if !yield(rv.Index(i).Interface(), nil) {
				return
			}
		}
	}, nil
}

// readContainer reads all values into a slice.
func (f Format) readContainer(r io.Reader, to reflect.Value) error {
	t := to.Type()
	if to.Kind() == reflect.Interface && to.NumMethod() == 0 {
		t = reflect.TypeFor[[]any]()
	}
	if t.Kind() != reflect.Slice {
		return fmt.Errorf("want a pointer to a slice, to an any or to an iter.Seq2[any, error] for a container, have *%s", t)
	}
	in := &octets.Watched{R: octets.Limit(r, f.MaxSize)}
	values, err := f.open(in, &counter{left: f.max()})
	if err != nil {
		return in.Cause(err)
	}
	defer values.Close()
	all := reflect.MakeSlice(t, 0, 0)
	for {
		v := reflect.New(t.Elem())
		err := in.Cause(values.Decode(v.Interface()))
		if err == io.EOF {
			to.Set(all)
			return nil
		}
		if err != nil {
			return err
		}
		all = reflect.Append(all, v.Elem())
	}
}

// Values returns the values of a container as they are read, each of the type that is
// natural to the schema. The sequence can be ranged over once, and ends with the first
// error.
func (f Format) Values(r io.Reader) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		if f.format == nil {
			yield(nil, errZero)
			return
		}
		in := &octets.Watched{R: r}
		values, err := f.open(in, nil)
		if err != nil {
			yield(nil, in.Cause(err))
			return
		}
		defer values.Close()
		for {
			var v any
			err := in.Cause(values.Decode(&v))
			if err == io.EOF || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

func (f Format) max() int64 {
	switch {
	case f.MaxSize == 0:
		return octets.MaxSize
	case f.MaxSize < 0:
		return math.MaxInt64
	}
	return f.MaxSize
}

// open reads the header of a container. All that is decompressed counts, if there is a
// counter.
func (f Format) open(r io.Reader, count *counter) (*ocf.Reader, error) {
	opts := []ocf.ReaderOpt{ocf.WithMaxBlockBytes(f.max()), ocf.WithMaxDecompressedBlockBytes(f.max())}
	if f.schema != nil {
		opts = append(opts, ocf.WithReaderSchema(f.schema))
	}
	for _, codec := range codecs {
		if codec == nil || count == nil {
			continue
		}
		c, err := codec()
		if err != nil {
			return nil, err
		}
		opts = append(opts, ocf.WithCodec(&counted{c, count, f.max()}))
	}
	return ocf.NewReader(r, opts...)
}

// counted decompresses no more than there may be in all.
type counted struct {
	ocf.Codec
	count *counter
	max   int64
}

type counter struct{ left int64 }

func (c *counted) DecompressBounded(b []byte, limit int64) ([]byte, error) {
	out, err := c.Codec.(ocf.BoundedDecompressor).DecompressBounded(b, limit)
	if c.count.left -= int64(len(out)); err == nil && c.count.left < 0 {
		return nil, &octets.TooLargeError{Max: c.max}
	}
	return out, err
}
