package xpath

import (
	"encoding/xml"
	"maps"
	"slices"
	"strings"

	"github.com/antchfx/xpath"
)

// markup returns the node as XML, or its text where it is no element.
func (c *cursor) markup() string {
	n := c.at
	if c.attr >= 0 || n.kind == xpath.TextNode || n.kind == xpath.CommentNode {
		return c.Value()
	}
	var b strings.Builder
	if n.kind == xpath.RootNode {
		n.children(&b)
		return b.String()
	}
	n.markup(&b, n.inherited())
	return b.String()
}

// inherited returns the namespaces that n has from its ancestors.
func (n *node) inherited() []xml.Attr {
	seen := map[string]string{}
	for _, declared := range n.namespaces {
		seen[declared.Name.Local] = ""
	}
	for p := n.parent; p != nil; p = p.parent {
		for _, declared := range p.namespaces {
			if _, ok := seen[declared.Name.Local]; !ok {
				seen[declared.Name.Local] = declared.Value
			}
		}
	}
	var all []xml.Attr
	for _, prefix := range slices.Sorted(maps.Keys(seen)) {
		if uri := seen[prefix]; uri != "" {
			all = append(all, xml.Attr{Name: xml.Name{Local: prefix}, Value: uri})
		}
	}
	return all
}

func (n *node) markup(b *strings.Builder, inherited []xml.Attr) {
	b.WriteString("<" + full(n.name))
	for _, declared := range slices.Concat(n.namespaces, inherited) {
		name := "xmlns"
		if declared.Name.Local != "" {
			name += ":" + declared.Name.Local
		}
		attribute(b, name, declared.Value)
	}
	for _, a := range n.attrs {
		attribute(b, full(a.Name), a.Value)
	}
	if n.first == nil {
		b.WriteString("/>")
		return
	}
	b.WriteByte('>')
	n.children(b)
	b.WriteString("</" + full(n.name) + ">")
}

func (n *node) children(b *strings.Builder) {
	for c := n.first; c != nil; c = c.next {
		switch c.kind {
		case xpath.ElementNode:
			c.markup(b, nil)
		case xpath.CommentNode:
			b.WriteString("<!--" + c.text + "-->")
		default:
			b.WriteString(inText.Replace(c.text))
		}
	}
}

func attribute(b *strings.Builder, name, value string) {
	b.WriteString(" " + name + `="`)
	b.WriteString(inQuotes.Replace(value))
	b.WriteByte('"')
}

var (
	inText   = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")
	inQuotes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "\t", "&#9;", "\n", "&#10;", "\r", "&#13;")
)
