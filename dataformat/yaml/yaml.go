// Package yaml is the data format of YAML 1.2, by [go.yaml.in/yaml/v4]. Structs have its
// tags.
//
// A *any is given a map[string]any, or a map[any]any where not all keys are text, a
// []any, a string, an int, a uint64, a float64, which is also what a larger whole number
// becomes, a bool, a [time.Time] or nil. There is one document; [Format.Documents] reads
// more, as does an iter.Seq2[any, error] that is unmarshalled into.
//
// Aliases may not make a document much larger than it is written, keys may not be there
// twice, and values may stand 10000 deep inside of each other, 1000 where they are written.
package yaml

import (
	"errors"
	"io"
	"iter"

	"go.yaml.in/yaml/v4"

	"github.com/mehari-go/mehari/internal/nested"
	"github.com/mehari-go/mehari/internal/octets"
)

// Format is the data format.
type Format struct {
	// Indent is by how many spaces, from 2 to 9, a line is indented for each level; 0
	// means 2.
	Indent int

	// DisallowUnknownFields refuses maps with keys that the struct does not have.
	DisallowUnknownFields bool

	// MaxSize is how many bytes are read, by [Format.Documents] for each document; 0 means
	// 256 MB, -1 no limit.
	MaxSize int64
}

// String returns "yaml".
func (Format) String() string { return "yaml" }

// Marshal writes v as one document.
func (f Format) Marshal(w io.Writer, v any) error {
	if err := errors.Join(octets.Value(v), nested.Check(v)); err != nil {
		return err
	}
	indent := 2
	if f.Indent != 0 {
		indent = f.Indent
	}
	b, err := yaml.Dump(v, yaml.WithIndent(indent))
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// Unmarshal reads one document, and there may be no other.
func (f Format) Unmarshal(r io.Reader, into any) error {
	if seq, ok := into.(*iter.Seq2[any, error]); ok && seq != nil {
		*seq = f.Documents(r)
		return nil
	}
	b, err := octets.ReadFor(into, r, f.MaxSize)
	if err != nil {
		return err
	}
	return yaml.Load(b, into, yaml.WithKnownFields(f.DisallowUnknownFields))
}

// Documents returns the documents of r as they are read, each of the type that is natural
// to it. The sequence can be ranged over once, and ends with the first error.
func (f Format) Documents(r io.Reader) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		limit := octets.Renewed(r, f.MaxSize)
		in := &octets.Watched{R: limit}
		loader, err := yaml.NewLoader(in)
		for err == nil {
			var v any
			limit.Renew()
			if err = in.Cause(loader.Load(&v)); err == nil && !yield(v, nil) {
				return
			}
		}
		if err != io.EOF {
			yield(nil, err)
		}
	}
}
