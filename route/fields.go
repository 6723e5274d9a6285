package route

import (
	"iter"
	"slices"
)

// fields are named values: the headers or the properties of an exchange. The first
// few live inside the exchange, so that an exchange with as many costs no allocation.
type fields struct {
	list   []field // begins as inline[:0]
	inline [8]field
}

// A field is one named value. Text is kept apart from other values because a string
// in an interface costs an allocation.
type field struct {
	name  string
	text  string
	value any // isText where the value is text
}

type isText struct{}

func (f *field) any() any {
	if f.value == (isText{}) {
		return f.text
	}
	return f.value
}

// find returns the field called name, or nil.
func (fs *fields) find(name string) *field {
	for i := range fs.list {
		if f := &fs.list[i]; len(f.name) == len(name) && (f.name == name || equalFold(f.name, name)) {
			return f
		}
	}
	return nil
}

func (fs *fields) get(name string) any {
	if f := fs.find(name); f != nil {
		return f.any()
	}
	return nil
}

// slot returns the field called name, made if it is not there.
func (fs *fields) slot(name string) *field {
	if f := fs.find(name); f != nil {
		return f
	}
	if fs.list == nil {
		fs.list = fs.inline[:0]
	}
	fs.list = append(fs.list, field{name: name})
	return &fs.list[len(fs.list)-1]
}

func (fs *fields) set(name string, value any) {
	f := fs.slot(name)
	f.text, f.value = "", value
}

func (fs *fields) setText(name, text string) {
	f := fs.slot(name)
	f.text, f.value = text, isText{}
}

// remove takes away the fields whose name matches and returns how many there were.
func (fs *fields) remove(match func(name string) bool) int {
	n := len(fs.list)
	fs.list = slices.DeleteFunc(fs.list, func(f field) bool { return match(f.name) })
	return n - len(fs.list)
}

// copyFrom makes fs hold what other holds.
func (fs *fields) copyFrom(other *fields) {
	if len(other.list) > 0 {
		fs.list = append(fs.inline[:0], other.list...)
	}
}

// reset forgets all values and any list that has grown out of the exchange.
func (fs *fields) reset() {
	if cap(fs.list) > len(fs.inline) {
		clear(fs.inline[:]) // what was there before the list grew out
	}
	clear(fs.list)
	fs.list = nil
}

// equalFold compares two names of equal length without the case of ASCII letters,
// as HTTP does with field names (RFC 9110, section 5.1).
func equalFold(a, b string) bool {
	for i := range len(a) {
		if x, y := a[i], b[i]; x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}

// all yields names and values in the order in which they were first set.
func (fs *fields) all() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for i := range fs.list {
			if f := &fs.list[i]; !yield(f.name, f.any()) {
				return
			}
		}
	}
}
