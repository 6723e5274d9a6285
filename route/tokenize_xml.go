package route

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
)

// TokenizeXML is an expression for [Route.Split]: the elements called element in an XML
// document, wherever they stand. The name is "order" for elements of that name in every
// namespace, or "{urn:shop}order" for those in one. Elements within such an element are
// part of it, not parts of their own. A part is a string with the text of the element as
// it is written, to which the namespaces are added that elements around it declare and
// whose prefixes it uses, so that it is a document of its own. A reader is read element by element; elements may be
// nested 1000 deep, those around one may declare 1000 namespaces, and MaxSize is also that
// of what stands between two of them. The document has to be in UTF-8. An error names the part and the byte, counted from 1 and 0.
func TokenizeXML(element string, opts ...TokenOptions) Expr {
	space, local := "", element
	inSpace := strings.HasPrefix(element, "{")
	if inSpace {
		space, local, _ = strings.Cut(element[1:], "}")
	}
	t := tokens{opts: opts, split: func(r io.Reader, limit int) tokenizer {
		t := &xmlTokens{space: space, local: local, inSpace: inSpace, reader: bufio.NewReader(r), limit: limit}
		t.decoder = xml.NewDecoder(t)
		return t
	}}
	if local == "" || strings.ContainsAny(local, "{}<>/:= \t\r\n") {
		t.mistake = fmt.Sprintf("want the name of an element, such as order or {urn:shop}order, have %q", element)
	}
	return t
}

const maxElements = 1000 // inside of each other

// xmlTokens are the elements of one name.
type xmlTokens struct {
	space, local string
	inSpace      bool

	reader  *bufio.Reader
	decoder *xml.Decoder
	limit   int
	text    []byte // what the decoder has read since base
	base    int64
	begin   int64      // of the token or the part
	outer   []xml.Attr // the namespaces that elements around declare
	around  []int      // for each of these elements, how many of outer are from before it
}

// ReadByte reads for the decoder, which does not look ahead.
func (t *xmlTokens) ReadByte() (byte, error) {
	if len(t.text) > t.limit {
		return 0, errTokenTooLong
	}
	c, err := t.reader.ReadByte()
	if err == nil {
		t.text = append(t.text, c)
	}
	return c, err
}

// Read is not called.
func (t *xmlTokens) Read(p []byte) (int, error) { return t.reader.Read(p) }

func (t *xmlTokens) offset() int64 { return t.begin }

func (t *xmlTokens) next() (string, error) {
	for {
		t.begin = t.decoder.InputOffset()
		t.text = append(t.text[:0], t.text[t.begin-t.base:]...)
		t.base = t.begin
		token, err := t.decoder.Token()
		if err != nil {
			if err == io.EOF && len(t.around) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == t.local && (!t.inSpace || token.Name.Space == t.space) {
				return t.element(token)
			}
			t.around = append(t.around, len(t.outer))
			for _, a := range token.Attr {
				if declares(a) {
					t.outer = append(t.outer, a)
				}
			}
			if len(t.around) > maxElements || len(t.outer) > maxElements {
				return "", errDeep
			}
		case xml.EndElement:
			last := len(t.around) - 1
			t.outer, t.around = t.outer[:t.around[last]], t.around[:last]
		}
	}
}

var errDeep = fmt.Errorf("want elements, and namespaces of those around, up to %d deep", maxElements)

// declares tells whether an attribute declares a namespace.
func declares(a xml.Attr) bool {
	return a.Name.Space == "xmlns" || a.Name.Space == "" && a.Name.Local == "xmlns"
}

// element returns the element that has begun.
func (t *xmlTokens) element(start xml.StartElement) (string, error) {
	for depth := 1; depth > 0; {
		token, err := t.decoder.Token()
		if err != nil {
			return "", whole(err)
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
		if depth+len(t.around) > maxElements {
			return "", errDeep
		}
	}
	text := t.text[:t.decoder.InputOffset()-t.base]
	inherited := t.inherited(start, text)
	if len(inherited) == 0 {
		return string(text), nil
	}
	name := bytes.IndexAny(text, " \t\r\n/>") // its end
	var b strings.Builder
	b.Write(text[:name])
	for _, a := range inherited {
		b.WriteString(" xmlns")
		if a.Name.Space != "" {
			b.WriteString(":" + a.Name.Local)
		}
		b.WriteString(`="`)
		if err := xml.EscapeText(&b, []byte(a.Value)); err != nil {
			return "", err
		}
		b.WriteString(`"`)
	}
	b.Write(text[name:])
	return b.String(), nil
}

// inherited returns the namespaces that hold in an element, that it does not declare
// itself, and that its text uses.
func (t *xmlTokens) inherited(start xml.StartElement, text []byte) (all []xml.Attr) {
	known := slices.Clone(start.Attr)
	for _, a := range slices.Backward(t.outer) {
		if a.Name.Space != "" && !bytes.Contains(text, []byte(a.Name.Local+":")) {
			continue
		}
		if !slices.ContainsFunc(known, func(b xml.Attr) bool { return a.Name == b.Name }) {
			known = append(known, a)
			if a.Value != "" {
				all = append(all, a)
			}
		}
	}
	slices.Reverse(all)
	return all
}
