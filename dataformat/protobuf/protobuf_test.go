package protobuf_test

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/mehari-go/mehari/dataformat/formattest"
	"github.com/mehari-go/mehari/dataformat/protobuf"
)

var (
	order    = dynamic("shop.Order")
	duration = new(durationpb.Duration).ProtoReflect().Type()
	hour     = durationpb.New(3600e9)
)

// schema describes shop.Order { string item = 1; int64 count = 2; Order part = 3; }.
func schema() []byte {
	field := func(name string, n int32, t descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
		f := &descriptorpb.FieldDescriptorProto{Name: &name, Number: &n, Type: &t, Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), JsonName: &name}
		if t == descriptorpb.FieldDescriptorProto_TYPE_MESSAGE {
			f.TypeName = new(".shop.Order")
		}
		return f
	}
	b, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{{
		Name: new("shop.proto"), Package: new("shop"), Syntax: new("proto3"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: new("Order"), Field: []*descriptorpb.FieldDescriptorProto{
			field("item", 1, descriptorpb.FieldDescriptorProto_TYPE_STRING),
			field("count", 2, descriptorpb.FieldDescriptorProto_TYPE_INT64),
			field("part", 3, descriptorpb.FieldDescriptorProto_TYPE_MESSAGE),
		}}},
		EnumType: []*descriptorpb.EnumDescriptorProto{{Name: new("Color"), Value: []*descriptorpb.EnumValueDescriptorProto{{Name: new("RED"), Number: new(int32)}}}},
	}}})
	if err != nil {
		panic(err)
	}
	return b
}

func dynamic(name string) protoreflect.MessageType {
	t, err := protobuf.Dynamic(schema(), name)
	if err != nil {
		panic(err)
	}
	return t
}

func equal(a, b any) bool {
	x, ok := a.(proto.Message)
	y, ok2 := b.(proto.Message)
	if ok && ok2 {
		return proto.Equal(x, y)
	}
	return reflect.DeepEqual(a, b)
}

func TestFormat(t *testing.T) {
	t.Run("binary", func(t *testing.T) {
		formattest.Test(t, formattest.Harness{
			Format:  protobuf.Format{Message: duration},
			Name:    "protobuf",
			Values:  []any{hour},
			Equal:   equal,
			Natural: hour,
			Bad:     []string{"\x08", "\x0a\xff", "\xff"},
			Unfit:   []any{nil, 1, "text", wrapperspb.String("x"), (*durationpb.Duration)(nil), []any{}},
		})
	})
	t.Run("json", func(t *testing.T) {
		formattest.Test(t, formattest.Harness{
			Format:    protobuf.Format{JSON: true, Message: duration},
			Name:      "protobuf",
			Values:    []any{hour},
			Equal:     equal,
			Natural:   hour,
			Truncated: true,
			Bad:       []string{"", "{}", `"1"`, `"1s" "1s"`, "1"},
		})
	})
	t.Run("dynamic", func(t *testing.T) {
		natural := order.New()
		natural.Set(order.Descriptor().Fields().ByName("item"), protoreflect.ValueOfString("tea"))
		formattest.Test(t, formattest.Harness{
			Format:  protobuf.Format{Message: order},
			Name:    "protobuf",
			Values:  []any{map[string]any{"item": "tea"}, map[string]any{"part": map[string]any{"count": "9007199254740993"}}},
			Equal:   equal,
			Natural: natural.Interface(),
			Bad:     []string{"\x0a\x01\xff", "\x0a\x02x"},
			Unfit:   []any{map[string]any{"color": "red"}, map[string]any{"count": "many"}, map[string]any{"item": 1}, map[string]any{"item": "\xff"}},
		})
	})
}

func FuzzBinary(f *testing.F) {
	value, err := structpb.NewStruct(map[string]any{"a": []any{1.5, "x", nil, true}})
	if err != nil {
		f.Fatal(err)
	}
	formattest.Fuzz(f, formattest.Harness{Format: protobuf.Format{}, Values: []any{value}, Equal: func(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) || equal(a, b) }})
}

func FuzzJSON(f *testing.F) {
	formattest.Fuzz(f, formattest.Harness{Format: protobuf.Format{JSON: true}, Values: []any{structpb.NewStringValue("x"), structpb.NewNumberValue(1)}, Equal: equal})
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		format protobuf.Format
		in     string
		into   any
		want   string
	}{
		{protobuf.Format{JSON: true, Message: order}, `{"item":"tea","color":1}`, new(map[string]any), `unknown field "color"`},
		{protobuf.Format{JSON: true, Message: order, DiscardUnknown: true}, `{"item":"tea","color":1}`, new(map[string]any), ""},
		{protobuf.Format{}, "", new(any), "want a pointer to a message, have *interface {}, and Format.Message does not say which message it is"},
		{protobuf.Format{}, "", new(string), "want a pointer to a message, have *string"},
		{protobuf.Format{Message: order}, "", new(string), "want a pointer to a message, a *map[string]any or a *any, have *string"},
		{protobuf.Format{MaxSize: 2}, "abc", new(durationpb.Duration), "there are more than the 2 bytes that MaxSize allows"},
		{protobuf.Format{Message: order}, "\x1a\x80\x80\x80\x01", new(any), "cannot parse invalid wire-format data"},
	} {
		err := c.format.Unmarshal(strings.NewReader(c.in), c.into)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q into %T: %v, want %s", c.in, c.into, err, c.want)
		}
	}
	var m durationpb.Duration
	if err := (protobuf.Format{JSON: true}).Unmarshal(strings.NewReader(`"1.5s"`), &m); err != nil || m.AsDuration() != 1.5e9 {
		t.Error(&m, err)
	}
	type form struct {
		Item string `json:"item"`
	}
	var b bytes.Buffer
	if err := (protobuf.Format{Message: order}).Marshal(&b, &form{"tea"}); err != nil || b.String() != "\x0a\x03tea" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

// Messages inside of each other do not use up the stack.
func TestDepth(t *testing.T) {
	text := strings.Repeat(`{"part":`, 20_000) + "{}" + strings.Repeat("}", 20_000)
	if err := (protobuf.Format{JSON: true, Message: order}).Unmarshal(strings.NewReader(text), new(any)); err == nil {
		t.Error("20000 messages inside of each other were taken as JSON")
	}
	var inner []byte
	for range 20_000 {
		inner = append(append([]byte{0x1a}, lengthOf(len(inner))...), inner...)
	}
	if err := (protobuf.Format{Message: order}).Unmarshal(bytes.NewReader(inner), new(any)); err == nil {
		t.Error("20000 messages inside of each other were taken")
	}
}

func lengthOf(n int) (b []byte) {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func TestDynamicMistakes(t *testing.T) {
	for name, want := range map[string]string{
		"shop.Bill":  `protobuf: no message "shop.Bill" in the descriptor set`,
		"shop.Color": `protobuf: "shop.Color" is no message`,
	} {
		if _, err := protobuf.Dynamic(schema(), name); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := protobuf.Dynamic([]byte("text"), "shop.Order"); err == nil {
		t.Error("a text was taken for a descriptor set")
	}
}

func Example() {
	var b bytes.Buffer
	if err := (protobuf.Format{}).Marshal(&b, durationpb.New(90e9)); err != nil {
		fmt.Println(err)
	}
	var d *durationpb.Duration // a generated type
	if err := (protobuf.Format{}).Unmarshal(&b, &d); err != nil {
		fmt.Println(err)
	}
	fmt.Println(d.AsDuration())

	if err := (protobuf.Format{JSON: true}).Marshal(os.Stdout, d); err != nil {
		fmt.Println(err)
	}

	// Output:
	// 1m30s
	// "90s"
}
