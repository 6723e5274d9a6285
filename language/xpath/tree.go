package xpath

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/antchfx/xpath"
)

const maxDepth = 1000

// A node is one of a document, whose root has no parent.
type node struct {
	kind       xpath.NodeType
	name       xml.Name   // where Space is the prefix
	attrs      []xml.Attr // without the declarations of namespaces
	namespaces []xml.Attr // Local is the prefix, Value the namespace
	text       string     // of texts and comments

	parent, first, last, next, prev *node
}

// parse reads a document. The tree is made here, and not by the library's own package
// for it, because that one does not bound the depth and brings an HTTP client.
func parse(r io.Reader) (*node, error) {
	d := xml.NewDecoder(r)
	d.CharsetReader = func(charset string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("want UTF-8, have the encoding %q", charset)
	}
	root := &node{kind: xpath.RootNode}
	at := root
	var text []byte // until something else comes: a CDATA section and its neighbours are one text
	for depth := 0; ; {
		token, err := d.RawToken()
		line, _ := d.InputPos()
		if _, more := token.(xml.CharData); !more && len(text) > 0 {
			at.add(&node{kind: xpath.TextNode, text: string(text)})
			text = text[:0]
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return nil, fmt.Errorf("line %d: nested deeper than %d levels", line, maxDepth)
			}
			if at == root && root.element() != nil {
				return nil, fmt.Errorf("line %d: a second root element: %q", line, full(token.Name))
			}
			at = at.add(element(token))
		case xml.EndElement:
			if at == root || at.name != token.Name {
				return nil, fmt.Errorf("line %d: unexpected end of element %q", line, full(token.Name))
			}
			at = at.parent
			depth--
		case xml.CharData:
			if at != root {
				text = append(text, token...)
			} else if strings.Trim(string(token), " \t\r\n\ufeff") != "" {
				return nil, fmt.Errorf("line %d: want an element, have text", line)
			}
		case xml.Comment:
			at.add(&node{kind: xpath.CommentNode, text: string(token)})
		}
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			return nil, err
		case at != root:
			return nil, fmt.Errorf("line %d: there is no end of element %q", line, full(at.name))
		case root.element() == nil:
			return nil, errors.New("there is no element")
		default:
			return root, nil
		}
	}
}

func element(start xml.StartElement) *node {
	n := &node{kind: xpath.ElementNode, name: start.Name}
	for _, a := range start.Attr {
		switch {
		case a.Name.Space == "xmlns":
			n.namespaces = append(n.namespaces, xml.Attr{Name: xml.Name{Local: a.Name.Local}, Value: a.Value})
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			n.namespaces = append(n.namespaces, xml.Attr{Value: a.Value})
		default:
			n.attrs = append(n.attrs, a)
		}
	}
	return n
}

func (n *node) add(child *node) *node {
	child.parent, child.prev = n, n.last
	if n.last == nil {
		n.first = child
	} else {
		n.last.next = child
	}
	n.last = child
	return child
}

// element returns the first element in n, or nil.
func (n *node) element() *node {
	for c := n.first; c != nil; c = c.next {
		if c.kind == xpath.ElementNode {
			return c
		}
	}
	return nil
}

// value returns the text of the node.
func (n *node) value() string {
	if n.first == nil {
		return n.text
	}
	if c := n.first; c.next == nil && c.kind == xpath.TextNode {
		return c.text
	}
	var b strings.Builder
	n.write(&b)
	return b.String()
}

func (n *node) write(b *strings.Builder) {
	for c := n.first; c != nil; c = c.next {
		if c.kind == xpath.TextNode {
			b.WriteString(c.text)
		}
		c.write(b)
	}
}

// namespace returns what prefix means in n.
func (n *node) namespace(prefix string) string {
	if prefix == "xml" {
		return "http://www.w3.org/XML/1998/namespace"
	}
	for ; n != nil; n = n.parent {
		for _, declared := range n.namespaces {
			if declared.Name.Local == prefix {
				return declared.Value
			}
		}
	}
	return ""
}

func full(name xml.Name) string {
	if name.Space == "" {
		return name.Local
	}
	return name.Space + ":" + name.Local
}
