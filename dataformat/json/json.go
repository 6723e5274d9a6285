// Package json is the data format of JSON (RFC 8259), by encoding/json.
//
//	route.From("direct:orders").
//		Step(route.Unmarshal[Order](json.Format{}))
//
// A *any is given a map[string]any, a []any, a string, a float64, a bool or nil. A number
// that is not exactly a float64 becomes an int64 or a uint64 or, if none holds it, a
// [encoding/json.Number]. What is not UTF-8 is an error, in both directions.
package json

import (
	"io"

	"github.com/mehari-go/mehari/internal/jsonvalue"
	"github.com/mehari-go/mehari/internal/octets"
)

// Format is the data format. The zero value writes compact JSON.
type Format struct {
	// Indent begins each line once for each level, such as "\t"; "" means that all is in
	// one line. Camel calls it prettyPrint.
	Indent string

	// EscapeHTML writes <, > and & as escapes, for JSON inside of HTML.
	EscapeHTML bool

	// DisallowUnknownFields refuses objects with keys that the struct does not have.
	DisallowUnknownFields bool

	// UseNumber makes every number in an any a [encoding/json.Number].
	UseNumber bool

	// MaxDepth is how deep arrays and objects may stand inside of each other; 0 means
	// 1000. There is no more than 10000.
	MaxDepth int

	// MaxSize is how many bytes of JSON are read; 0 means 256 MB, -1 no limit.
	MaxSize int64
}

// String returns "json".
func (Format) String() string { return "json" }

// Marshal writes v as one JSON value, without the end of a line. A []byte becomes text in
// base64, as encoding/json has it.
func (f Format) Marshal(w io.Writer, v any) error {
	if err := octets.Value(v); err != nil {
		return err
	}
	b, err := jsonvalue.Marshal(v, f.Indent, f.EscapeHTML)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// Unmarshal reads one JSON value, and nothing may follow it.
func (f Format) Unmarshal(r io.Reader, into any) error {
	b, err := octets.ReadFor(into, r, f.MaxSize)
	if err != nil {
		return err
	}
	return jsonvalue.Unmarshal(b, into, jsonvalue.Options{
		UseNumber: f.UseNumber, DisallowUnknownFields: f.DisallowUnknownFields, MaxDepth: f.MaxDepth,
	})
}
