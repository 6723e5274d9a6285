// Package dataformat holds what the engine and the data formats agree on. A data format
// turns values into bytes and back; the formats are in the packages beneath, so that only
// the users of one pay for its library.
package dataformat

import "io"

// A Format turns values into bytes and bytes into values. Many goroutines may use it at
// once.
type Format interface {
	// String returns the name of the format, such as "json".
	String() string

	// Marshal writes v to w. An error names the type of v if that is what is wrong.
	Marshal(w io.Writer, v any) error

	// Unmarshal reads r to its end and stores what it holds in what into points to. A
	// *any is given the type that is natural to the format, such as map[string]any for a
	// JSON object; formats whose values are bytes also take a *[]byte, a *string and an
	// *io.Reader, which streams.
	Unmarshal(r io.Reader, into any) error
}

// A Checker is a [Format] that can tell that its fields are wrong before it is used, such as
// when a route is built.
type Checker interface {
	Check() error
}
