package xpath

import (
	"context"

	"github.com/antchfx/xpath"
)

// A watch is shared by the cursors of one evaluation.
type watch struct {
	ctx   context.Context
	moves int
}

const movesPerLook = 1024

// move ends an evaluation whose context is over: the library has no other way.
func (w *watch) move() {
	if w.moves++; w.moves%movesPerLook == 0 && w.ctx.Err() != nil {
		panic(context.Cause(w.ctx))
	}
}

// A cursor is at a node, or at one of its attributes if attr is not -1.
type cursor struct {
	*watch
	at   *node
	attr int
}

var _ xpath.NodeNavigator = (*cursor)(nil)

func (c *cursor) NodeType() xpath.NodeType {
	if c.attr >= 0 {
		return xpath.AttributeNode
	}
	return c.at.kind
}

func (c *cursor) LocalName() string {
	if c.attr >= 0 {
		return c.at.attrs[c.attr].Name.Local
	}
	return c.at.name.Local
}

func (c *cursor) Prefix() string {
	if c.attr >= 0 {
		return c.at.attrs[c.attr].Name.Space
	}
	return c.at.name.Space
}

// NamespaceURL is what the library asks for where a prefix has a meaning. A default
// namespace is not for attributes.
func (c *cursor) NamespaceURL() string {
	prefix := c.Prefix()
	if c.attr >= 0 && prefix == "" {
		return ""
	}
	return c.at.namespace(prefix)
}

func (c *cursor) Value() string {
	if c.attr >= 0 {
		return c.at.attrs[c.attr].Value
	}
	return c.at.value()
}

func (c *cursor) Copy() xpath.NodeNavigator {
	c.move()
	copied := *c
	return &copied
}

func (c *cursor) MoveToRoot() {
	c.attr = -1
	for c.at.parent != nil {
		c.at = c.at.parent
	}
}

func (c *cursor) MoveToParent() bool {
	if c.attr >= 0 {
		c.attr = -1
		return true
	}
	return c.to(c.at.parent)
}

func (c *cursor) MoveToNextAttribute() bool {
	if c.attr+1 >= len(c.at.attrs) {
		return false
	}
	c.attr++
	return true
}

func (c *cursor) MoveToChild() bool { return c.attr < 0 && c.to(c.at.first) }

func (c *cursor) MoveToFirst() bool {
	if c.attr >= 0 || c.at.prev == nil {
		return false
	}
	return c.to(c.at.parent.first)
}

func (c *cursor) MoveToNext() bool { return c.attr < 0 && c.to(c.at.next) }

func (c *cursor) MoveToPrevious() bool { return c.attr < 0 && c.to(c.at.prev) }

func (c *cursor) MoveTo(other xpath.NodeNavigator) bool {
	o, ok := other.(*cursor)
	if !ok || o.watch != c.watch {
		return false
	}
	c.at, c.attr = o.at, o.attr
	return true
}

func (c *cursor) to(n *node) bool {
	c.move()
	if n == nil {
		return false
	}
	c.at = n
	return true
}
