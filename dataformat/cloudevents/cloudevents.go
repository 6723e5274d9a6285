// Package cloudevents is the data format of CloudEvents 1.0.2 in structured mode: events
// in their JSON format, one or, as a slice, a batch. See
// https://github.com/cloudevents/spec/tree/v1.0.2/cloudevents.
//
// A *any is given an [Event], or a []Event for a batch. The content type of a message is
// application/cloudevents+json then, or application/cloudevents-batch+json; the format
// sets no headers.
//
// What else can be in a message, the attributes in headers and the data in the body, is
// up to who maps headers.
package cloudevents

import (
	"bytes"
	"fmt"
	"io"

	"github.com/mehari-go/mehari/internal/jsonvalue"
	"github.com/mehari-go/mehari/internal/octets"
)

// The content types of the JSON format.
const (
	ContentType      = "application/cloudevents+json"
	BatchContentType = "application/cloudevents-batch+json"
)

// Format is the data format.
type Format struct {
	// MaxSize is how many bytes are read; 0 means 256 MB, -1 no limit.
	MaxSize int64
}

// String returns "cloudevents".
func (Format) String() string { return "cloudevents" }

// Marshal writes an event or a batch of them. One that is not as the specification wants it
// is an error.
func (f Format) Marshal(w io.Writer, v any) error {
	switch e := v.(type) {
	case Event:
		v = &e
	case *Event:
		if e == nil {
			return fmt.Errorf("want an event, have nil")
		}
	case []Event:
		batch := make([]*Event, len(e))
		for i := range e {
			batch[i] = &e[i]
		}
		v = batch
	case []*Event:
		for i := range e {
			if e[i] == nil {
				return fmt.Errorf("want events, have nil in place %d", i)
			}
		}
		if e == nil {
			v = []*Event{}
		}
	default:
		return fmt.Errorf("want a cloudevents.Event or a []cloudevents.Event, have %T", v)
	}
	b, err := encode(v)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// Unmarshal reads an event or a batch of them.
func (f Format) Unmarshal(r io.Reader, into any) error {
	b, err := octets.ReadFor(into, r, f.MaxSize)
	if err != nil {
		return err
	}
	switch p := into.(type) {
	case *Event, **Event, *[]Event, *[]*Event:
		return jsonvalue.Unmarshal(b, into, jsonvalue.Options{})
	case *any:
		if bytes.HasPrefix(bytes.TrimLeft(b, " \t\r\n"), []byte("[")) {
			var batch []Event
			if err := jsonvalue.Unmarshal(b, &batch, jsonvalue.Options{}); err != nil {
				return err
			}
			*p = batch
			return nil
		}
		var e Event
		if err := jsonvalue.Unmarshal(b, &e, jsonvalue.Options{}); err != nil {
			return err
		}
		*p = e
		return nil
	}
	return fmt.Errorf("want a pointer to a cloudevents.Event, to a slice of them or to an any, have %T", into)
}
