package route

import (
	"iter"
	"slices"
	"unsafe"
)

// fields are named values: the headers or the properties of an exchange. The first few
// live inside the exchange, so that an exchange with as many costs no allocation. They
// are found by the hashes of their names, which keys and steps compute once.
type fields struct {
	n      int       // of inline
	index  [32]uint8 // by the bucket of a name, one more than its place in inline; 0 for none
	inline [8]field
	more   []field
	dirty  bool // holds more than short texts
}

// A field is one named value. Text is kept apart from other values because a string
// in an interface costs an allocation.
type field struct {
	name   string
	text   string
	hash   uint32
	isText bool
	value  any
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

// named returns the name that text is. The hash is FNV-1a of the text in lower case,
// its bits mixed as in MurmurHash3.
func named(text string) name {
	h := uint32(2166136261)
	for i := range len(text) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		h = (h ^ uint32(c)) * 16777619
	}
	h = (h ^ h>>16) * 0x85ebca6b
	return name{text, h ^ h>>13}
}

// find returns the field called n, or nil.
func (fs *fields) find(n *name) *field {
	i := fs.index[n.hash%32]
	if i == 0 && fs.more == nil {
		return nil
	}
	f := &fs.inline[(i-1)%8]
	if f.hash == n.hash && len(f.name) == len(n.text) && unsafe.StringData(f.name) == unsafe.StringData(n.text) && i > 0 {
		return f // the same text, as nearly always: it need not be compared
	}
	return fs.search(n)
}

// search looks at all fields.
func (fs *fields) search(n *name) *field {
	for _, list := range [...][]field{fs.inline[:fs.n], fs.more} {
		for i := range list {
			if f := &list[i]; f.hash == n.hash && equalFold(f.name, n.text) {
				return f
			}
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
	if i := &fs.index[n.hash%32]; *i == 0 && fs.n < len(fs.inline) { // it is not there
		f := &fs.inline[fs.n]
		fs.n++
		*i = uint8(fs.n)
		f.name, f.hash = n.text, n.hash
		return f
	}
	if f := fs.find(n); f != nil {
		return f
	}
	f := fs.room()
	f.name, f.hash = n.text, n.hash
	return f
}

// room makes a field whose name has no place of its own in the index.
func (fs *fields) room() *field {
	if fs.n < len(fs.inline) {
		fs.n++
		return &fs.inline[fs.n-1]
	}
	fs.more, fs.dirty = append(fs.more, field{}), true
	return &fs.more[len(fs.more)-1]
}

func (fs *fields) set(n *name, value any) {
	f := fs.slot(n)
	f.text, f.value, f.isText = "", value, false
	fs.dirty = true
}

func (fs *fields) setText(n *name, text string) {
	if i := &fs.index[n.hash%32]; *i == 0 && fs.n < len(fs.inline) { // as in slot, nearly always
		f := &fs.inline[fs.n]
		fs.n++
		*i = uint8(fs.n)
		f.name, f.hash, f.text, f.isText = n.text, n.hash, text, true
	} else {
		f := fs.slot(n)
		f.text, f.isText = text, true
	}
	if len(text) > longText {
		fs.dirty = true
	}
}

// longText is the length of a text that is not kept in memory any longer than needed.
const longText = 64

// remove takes away the fields whose name matches and returns how many there were.
func (fs *fields) remove(match func(name string) bool) int {
	inline, more := fs.inline[:fs.n], fs.more
	fs.n, fs.more, fs.index = 0, more[:0], [32]uint8{}
	for _, list := range [...][]field{inline, more} {
		for _, f := range list {
			switch {
			case match(f.name):
			case fs.n < len(fs.inline):
				fs.inline[fs.n] = f
				fs.n++
				if i := &fs.index[f.hash%32]; *i == 0 {
					*i = uint8(fs.n)
				}
			default:
				fs.more = append(fs.more, f)
			}
		}
	}
	if fs.n < len(inline) {
		clear(inline[fs.n:])
	}
	clear(more[len(fs.more):])
	return len(inline) + len(more) - fs.n - len(fs.more)
}

// each yields the fields in the order in which they were first set.
func (fs *fields) each() iter.Seq[*field] {
	return func(yield func(*field) bool) {
		for _, list := range [...][]field{fs.inline[:fs.n], fs.more} {
			for i := range list {
				if !yield(&list[i]) {
					return
				}
			}
		}
	}
}

// all yields names and values.
func (fs *fields) all() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for f := range fs.each() {
			if !yield(f.name, f.any()) {
				return
			}
		}
	}
}

// copyFrom makes fs, which is empty, hold what other holds.
func (fs *fields) copyFrom(other *fields) {
	fs.n = copy(fs.inline[:], other.inline[:other.n])
	fs.index, fs.dirty = other.index, other.dirty
	fs.more = slices.Clone(other.more)
}

// reset forgets all values. Short texts stay in memory until others take their place:
// clearing them would cost as much as setting them.
func (fs *fields) reset() {
	if fs.n == 0 {
		return
	}
	if fs.dirty {
		clear(fs.inline[:fs.n])
		fs.dirty, fs.more = false, nil
	}
	fs.n, fs.index = 0, [32]uint8{}
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
