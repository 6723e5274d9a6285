// Package protobuf is the data format of Protocol Buffers, by
// [google.golang.org/protobuf], in its binary form or as JSON.
//
//	route.From("direct:orders").
//		Step(route.Unmarshal[*orderpb.Order](protobuf.Format{}))
//
// It takes messages, and gives the message that a pointer is for. Where [Format.Message]
// says which message is meant, a *any is given one, a *map[string]any its fields as JSON
// has them, and a map or a struct can be written. That may be a message which is known
// by its descriptor alone: [Dynamic].
//
// Messages may stand 10000 deep inside of each other.
package protobuf

import (
	"errors"
	"fmt"
	"io"
	"reflect"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/mehari-go/mehari/internal/jsonvalue"
	"github.com/mehari-go/mehari/internal/octets"
)

// Format is the data format. The zero value is for messages of generated types.
type Format struct {
	// Message is the type of message that is meant where nothing else says it, such as
	// new(orderpb.Order).ProtoReflect().Type(), or one of [Dynamic].
	Message protoreflect.MessageType

	// JSON reads and writes the JSON form.
	JSON bool

	// DiscardUnknown passes over fields of the JSON form that the message does not have.
	// By default they are an error. In the binary form they are kept.
	DiscardUnknown bool

	// MaxSize is how many bytes are read; 0 means 256 MB, -1 no limit.
	MaxSize int64
}

// Dynamic returns the type of a message from a descriptor set, such as protoc
// --include_imports --descriptor_set_out writes it.
func Dynamic(set []byte, name string) (protoreflect.MessageType, error) {
	var files descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(set, &files); err != nil {
		return nil, err
	}
	registry, err := protodesc.NewFiles(&files)
	if err != nil {
		return nil, err
	}
	d, err := registry.FindDescriptorByName(protoreflect.FullName(name))
	if err != nil {
		return nil, fmt.Errorf("protobuf: no message %q in the descriptor set", name)
	}
	m, ok := d.(protoreflect.MessageDescriptor)
	if !ok {
		return nil, fmt.Errorf("protobuf: %q is no message", name)
	}
	return dynamicpb.NewMessageType(m), nil
}

// String returns "protobuf".
func (Format) String() string { return "protobuf" }

// Marshal writes a message.
func (f Format) Marshal(w io.Writer, v any) error {
	m, err := f.message(v)
	if err != nil {
		return err
	}
	var b []byte
	if f.JSON {
		b, err = protojson.Marshal(m)
	} else {
		b, err = proto.Marshal(m)
	}
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

// message returns v as a message.
func (f Format) message(v any) (proto.Message, error) {
	if m, ok := v.(proto.Message); ok {
		if !m.ProtoReflect().IsValid() {
			return nil, fmt.Errorf("want a message, have a nil %T", v)
		}
		if f.Message != nil && m.ProtoReflect().Descriptor().FullName() != f.Message.Descriptor().FullName() {
			return nil, fmt.Errorf("want a %s, have a %s", f.Message.Descriptor().FullName(), m.ProtoReflect().Descriptor().FullName())
		}
		return m, nil
	}
	switch kind := indirect(v).Kind(); {
	case f.Message == nil || kind != reflect.Map && kind != reflect.Struct:
		return nil, fmt.Errorf("want a proto.Message, have %T", v)
	}
	b, err := jsonvalue.Marshal(v, "", false)
	if err != nil {
		return nil, err
	}
	m := f.Message.New().Interface()
	return m, protojson.UnmarshalOptions{DiscardUnknown: f.DiscardUnknown}.Unmarshal(b, m)
}

func indirect(v any) reflect.Value {
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	return rv
}

var errNoMessage = errors.New("Format.Message does not say which message it is")

// Unmarshal reads a message.
func (f Format) Unmarshal(r io.Reader, into any) error {
	b, err := octets.ReadFor(into, r, f.MaxSize)
	if err != nil {
		return err
	}
	if m, ok := into.(proto.Message); ok {
		return f.read(b, m)
	}
	to := reflect.ValueOf(into).Elem()
	if to.Kind() == reflect.Pointer {
		fresh := reflect.New(to.Type().Elem())
		if m, ok := reflect.TypeAssert[proto.Message](fresh); ok {
			if err := f.read(b, m); err != nil {
				return err
			}
			to.Set(fresh)
			return nil
		}
	}
	if f.Message == nil {
		return fmt.Errorf("want a pointer to a message, have %T, and %w", into, errNoMessage)
	}
	m := f.Message.New().Interface()
	if err := f.read(b, m); err != nil {
		return err
	}
	if reflect.TypeOf(m).AssignableTo(to.Type()) {
		to.Set(reflect.ValueOf(m))
		return nil
	}
	if p, ok := into.(*map[string]any); ok {
		text, err := protojson.Marshal(m)
		if err != nil {
			return err
		}
		return jsonvalue.Unmarshal(text, p, jsonvalue.Options{MaxDepth: 10_000})
	}
	return fmt.Errorf("want a pointer to a message, a *map[string]any or a *any, have %T", into)
}

func (f Format) read(b []byte, m proto.Message) error {
	if f.JSON {
		return protojson.UnmarshalOptions{DiscardUnknown: f.DiscardUnknown}.Unmarshal(b, m)
	}
	return proto.Unmarshal(b, m)
}
