// Package tagged tells the names that the fields of a struct have in a data format.
package tagged

import (
	"reflect"
	"strings"
)

// A Field is a field of a struct.
type Field struct {
	Name  string
	Index []int
}

// Fields returns the exported fields of a struct type, those of embedded structs too, in
// their order. A field is called as its tag says, or else as in Go; one whose tag is "-"
// is left out.
func Fields(t reflect.Type, tag string) (fields []Field) {
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get(tag), ",")
		if !f.IsExported() || f.Anonymous || name == "-" || behindPointer(t, f.Index) {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields = append(fields, Field{name, f.Index})
	}
	return fields
}

// behindPointer tells whether a field is in an embedded pointer, which may be nil.
func behindPointer(t reflect.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		if t = t.Field(i).Type; t.Kind() == reflect.Pointer {
			return true
		}
	}
	return false
}
