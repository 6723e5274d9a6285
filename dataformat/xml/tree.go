package xml

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/mehari-go/mehari/internal/convert"
)

const textKey = "#text"

// readRoot reads the root with all that is in it.
func readRoot(d *xml.Decoder, into *any) error {
	for {
		token, err := d.RawToken()
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			v, err := readElement(d, t, 1)
			if err == nil {
				*into = map[string]any{nameOf(t.Name): v}
			}
			return err
		case xml.CharData:
			if len(bytes.TrimSpace(bytes.TrimPrefix(t, []byte("\ufeff")))) > 0 {
				return errors.New("there is text where the root should be")
			}
		case xml.EndElement:
			return fmt.Errorf("line %d: </%s> ends what did not begin", line(d), nameOf(t.Name))
		}
	}
}

// readElement reads an element whose start is read.
func readElement(d *xml.Decoder, start xml.StartElement, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("line %d: elements stand more than %d deep inside of each other", line(d), maxDepth)
	}
	all, hasElements := map[string]any{}, false
	for _, a := range start.Attr {
		name := "@" + nameOf(a.Name)
		if _, twice := all[name]; twice {
			return nil, fmt.Errorf("line %d: <%s> has two attributes %q", line(d), nameOf(start.Name), name[1:])
		}
		all[name] = a.Value
	}
	var text strings.Builder
	lists := map[string]bool{}
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			return nil, fmt.Errorf("line %d: <%s> does not end", line(d), nameOf(start.Name))
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			v, err := readElement(d, t, depth+1)
			if err != nil {
				return nil, err
			}
			name := nameOf(t.Name)
			first, more := all[name]
			switch {
			case !more:
				all[name] = v
			case lists[name]:
				all[name] = append(first.([]any), v)
			default:
				all[name], lists[name] = []any{first, v}, true
			}
			hasElements = true
		case xml.EndElement:
			if t.Name != start.Name {
				return nil, fmt.Errorf("line %d: </%s> ends <%s>", line(d), nameOf(t.Name), nameOf(start.Name))
			}
			s := text.String()
			if len(all) == 0 {
				return s, nil
			}
			if hasElements {
				s = strings.TrimSpace(s)
			}
			if s != "" {
				all[textKey] = s
			}
			return all, nil
		}
	}
}

func line(d *xml.Decoder) int { n, _ := d.InputPos(); return n }

// nameOf returns a name as it was written.
func nameOf(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// A treeWriter writes a tree of maps.
type treeWriter struct {
	*bytes.Buffer
	indent string
	names  map[string]bool // that were checked
}

func (f Format) writeRoot(out *bytes.Buffer, root map[string]any) error {
	if len(root) != 1 {
		return fmt.Errorf("want a map with one key, for the root, have %d", len(root))
	}
	w := &treeWriter{out, f.Indent, map[string]bool{}}
	for name, v := range root {
		if rv := reflect.ValueOf(v); isList(rv) {
			return fmt.Errorf("want one value for the root %q, have %T", name, v)
		}
		return w.element(name, v, 1)
	}
	return nil
}

func isList(v reflect.Value) bool {
	return (v.Kind() == reflect.Slice || v.Kind() == reflect.Array) && v.Type().Elem().Kind() != reflect.Uint8
}

// element writes an element.
func (w *treeWriter) element(name string, v any, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("elements stand more than %d deep inside of each other", maxDepth)
	}
	if err := w.check(name); err != nil {
		return err
	}
	children, ok := asMap(v)
	if !ok {
		w.WriteString("<" + name + ">")
		if err := w.text(name, v); err != nil {
			return err
		}
		w.WriteString("</" + name + ">")
		return nil
	}
	w.WriteString("<" + name)
	keys := slices.Sorted(maps.Keys(children))
	for _, k := range keys {
		attribute, ok := strings.CutPrefix(k, "@")
		if !ok {
			continue
		}
		if err := w.check(attribute); err != nil {
			return err
		}
		w.WriteString(" " + attribute + `="`)
		if err := w.text(k, children[k]); err != nil {
			return err
		}
		w.WriteString(`"`)
	}
	w.WriteString(">")
	indent := w.indent
	if text, ok := children[textKey]; ok {
		if err := w.text(name, text); err != nil {
			return err
		}
		w.indent = "" // more text would be text
	}
	before := w.Len()
	for _, k := range keys {
		if k == textKey || strings.HasPrefix(k, "@") {
			continue
		}
		if err := w.elements(k, children[k], depth+1); err != nil {
			return err
		}
	}
	if w.Len() > before {
		w.line(depth - 1)
	}
	w.indent = indent
	w.WriteString("</" + name + ">")
	return nil
}

// elements writes the elements of one name.
func (w *treeWriter) elements(name string, v any, depth int) error {
	rv := reflect.ValueOf(v)
	if !isList(rv) {
		w.line(depth - 1)
		return w.element(name, v, depth)
	}
	for i := range rv.Len() {
		w.line(depth - 1)
		if err := w.element(name, rv.Index(i).Interface(), depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *treeWriter) line(depth int) {
	if w.indent != "" {
		w.WriteString("\n" + strings.Repeat(w.indent, depth))
	}
}

// asMap returns v if it is a map with names.
func asMap(v any) (map[string]any, bool) {
	if m, ok := v.(map[string]any); ok {
		return m, true
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Map || rv.Type().Key().Kind() != reflect.String {
		return nil, false
	}
	m := make(map[string]any, rv.Len())
	for k, e := range rv.Seq2() {
		m[k.String()] = e.Interface()
	}
	return m, true
}

// text writes the text of a value; that of nil is empty.
func (w *treeWriter) text(of string, v any) error {
	if v == nil {
		return nil
	}
	s, err := convert.As[string](v)
	if err != nil {
		return fmt.Errorf("%q: %w", of, err)
	}
	for i, r := range s {
		if !isChar(r) || r == '\ufffd' && !strings.HasPrefix(s[i:], "\ufffd") {
			return fmt.Errorf("%q: XML has no character %q", of, s[i:i+1])
		}
	}
	return xml.EscapeText(w, []byte(s))
}

// isChar tells whether XML has a character: section 2.2 of its specification.
func isChar(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= ' ' && r <= 0xd7ff || r >= 0xe000 && r <= 0xfffd || r >= 0x10000
}

// check returns an error if name is none.
func (w *treeWriter) check(name string) error {
	if w.names[name] {
		return nil
	}
	token, err := xml.NewDecoder(strings.NewReader("<" + name + "/>")).RawToken()
	if start, ok := token.(xml.StartElement); err != nil || !ok || nameOf(start.Name) != name || len(start.Attr) > 0 {
		return fmt.Errorf("%q cannot be a name in XML", name)
	}
	w.names[name] = true
	return nil
}
