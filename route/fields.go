package route

import (
	"iter"
	"slices"
)

// fields are named values: the headers or the properties of an exchange. The first few
// live inside the exchange, so that an exchange with as many costs no allocation. They
// are found by the hashes of their names, which keys and steps compute once.
type fields struct {
	n      int // of inline
	hashes [8]uint32
	inline [8]field
	more   []field
}

// A field is one named value. Text is kept apart from other values because a string
// in an interface costs an allocation.
type field struct {
	name   string
	text   string
	value  any
	isText bool
}

func (f *field) any() any {
	if f.isText {
		return f.text
	}
	return f.value
}

// A name is the name of a field with its hash. Names compare without the case of ASCII
// letters, as in HTTP (RFC 9110, section 5.1).
type name struct {
	text string
	hash uint32
}

// named returns the name that text is. The hash is FNV-1a of the text in lower case.
func named(text string) name {
	h := uint32(2166136261)
	for i := range len(text) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		h = (h ^ uint32(c)) * 16777619
	}
	return name{text, h}
}

// equal tells whether two names with the same hash are the same.
func (n *name) equal(text string) bool { return n.text == text || equalFold(n.text, text) }

// find returns the field called n, or nil.
func (fs *fields) find(n *name) *field {
	for i, h := range fs.hashes[:fs.n] {
		if h == n.hash && n.equal(fs.inline[i].name) {
			return &fs.inline[i]
		}
	}
	for i := range fs.more {
		if n.equal(fs.more[i].name) {
			return &fs.more[i]
		}
	}
	return nil
}

func (fs *fields) get(n name) any {
	if f := fs.find(&n); f != nil {
		return f.any()
	}
	return nil
}

// slot returns the field called n, made if it is not there.
func (fs *fields) slot(n *name) *field {
	f := fs.find(n)
	switch {
	case f != nil:
		return f
	case fs.n < len(fs.inline):
		fs.hashes[fs.n] = n.hash
		f = &fs.inline[fs.n]
		fs.n++
	default:
		fs.more = append(fs.more, field{})
		f = &fs.more[len(fs.more)-1]
	}
	f.name = n.text
	return f
}

func (fs *fields) set(n *name, value any) {
	f := fs.slot(n)
	f.value = value
	if f.isText {
		f.text, f.isText = "", false
	}
}

func (fs *fields) setText(n *name, text string) {
	f := fs.slot(n)
	f.text = text
	if !f.isText {
		f.value, f.isText = nil, true
	}
}

// remove takes away the fields whose name matches and returns how many there were.
func (fs *fields) remove(match func(name string) bool) int {
	before, kept := fs.n+len(fs.more), 0
	for i, f := range fs.inline[:fs.n] {
		if !match(f.name) {
			fs.inline[kept], fs.hashes[kept] = f, fs.hashes[i]
			kept++
		}
	}
	clear(fs.inline[kept:fs.n])
	fs.n = kept
	fs.more = slices.DeleteFunc(fs.more, func(f field) bool { return match(f.name) })
	return before - fs.n - len(fs.more)
}

// all yields names and values in the order in which they were first set.
func (fs *fields) all() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, list := range [...][]field{fs.inline[:fs.n], fs.more} {
			for i := range list {
				if !yield(list[i].name, list[i].any()) {
					return
				}
			}
		}
	}
}

// copyFrom makes fs, which is empty, hold what other holds.
func (fs *fields) copyFrom(other *fields) {
	fs.n = copy(fs.inline[:], other.inline[:other.n])
	fs.hashes = other.hashes
	fs.more = slices.Clone(other.more)
}

// reset forgets all values.
func (fs *fields) reset() {
	clear(fs.inline[:fs.n])
	fs.n, fs.more = 0, nil
}

// equalFold compares two names without the case of ASCII letters.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if x, y := a[i], b[i]; x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}
