// Package xml is the data format of XML 1.0, by encoding/xml. Structs have its tags.
//
// A *any is given a map[string]any with one key, the name of the root. An element that
// has text alone is a string; another is a map[string]any with its attributes as
// "@name", its elements by name, as a []any where there is more than one of a name, and
// its text, if it has any, as "#text". So
//
//	<order id="5"><item>tea</item><item>cup</item></order>
//
// is
//
//	map[string]any{"order": map[string]any{"@id": "5", "item": []any{"tea", "cup"}}}
//
// Names are as they were written, with their prefixes, and attributes such as "@xmlns:a"
// are like others. Lost are comments, the order of elements with different names, and
// where between them text stood. The same maps can be written; then values may be of
// any type that converts to text.
//
// Entities are those of XML itself. Others are an error: a document type is passed over,
// and nothing is ever fetched. Elements may stand 1000 deep inside of each other in an
// any, and 10000 in a struct.
package xml

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/mehari-go/mehari/internal/octets"
)

// Format is the data format.
type Format struct {
	// Indent begins each line once for each level; "" means that all is in one line.
	Indent string

	// Declaration writes <?xml version="1.0" encoding="UTF-8"?> first.
	Declaration bool

	// Charset returns a reader that makes UTF-8 of another encoding that a text
	// declares. Nil means that there is only UTF-8.
	Charset func(charset string, r io.Reader) (io.Reader, error)

	// MaxSize is how many bytes are read; 0 means 256 MB, -1 no limit.
	MaxSize int64
}

// String returns "xml".
func (Format) String() string { return "xml" }

const maxDepth = 1000

// Marshal writes v as one element: a struct, a value that writes itself, or a map as it
// is described above. Characters that XML cannot hold are an error in a map; in a struct
// encoding/xml replaces them by U+FFFD.
func (f Format) Marshal(w io.Writer, v any) error {
	var out bytes.Buffer
	if f.Declaration {
		out.WriteString(xml.Header)
	}
	if m, ok := v.(map[string]any); ok {
		if err := f.writeRoot(&out, m); err != nil {
			return err
		}
	} else {
		before := out.Len()
		e := xml.NewEncoder(&out)
		e.Indent("", f.Indent)
		if err := cmp.Or(octets.Value(v), oneRoot(v)); err != nil {
			return err
		}
		if err := e.Encode(v); err != nil {
			return err
		}
		if out.Len() == before {
			return fmt.Errorf("want a value that makes an element, have %T", v)
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

// oneRoot refuses what would have no root, or more than one.
func oneRoot(v any) error {
	_, itself := v.(xml.Marshaler)
	t := reflect.TypeOf(v)
	if t != nil && !itself && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) {
		return fmt.Errorf("want one value, for the root, have %T", v)
	}
	return nil
}

// Unmarshal reads one element, and nothing but comments may follow it.
func (f Format) Unmarshal(r io.Reader, into any) error {
	if err := octets.Target(into); err != nil {
		return err
	}
	in := &octets.Watched{R: octets.Limit(r, f.MaxSize)}
	d := xml.NewDecoder(in)
	d.CharsetReader = f.Charset
	return in.Cause(f.unmarshal(d, into))
}

func (f Format) unmarshal(d *xml.Decoder, into any) (err error) {
	if p, ok := into.(*any); ok {
		err = readRoot(d, p)
	} else {
		err = d.Decode(into)
	}
	if err == io.EOF {
		return errors.New("there is no element")
	}
	if err != nil {
		return err
	}
	for {
		switch token, err := d.RawToken(); t := token.(type) {
		case nil:
			if err == io.EOF {
				return nil
			}
			return err
		case xml.Comment, xml.ProcInst:
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return errMore
			}
		default:
			return errMore
		}
	}
}

var errMore = errors.New("there is more than one element")
