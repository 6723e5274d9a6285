package attribute_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/internal/attribute"
)

func TestPack(t *testing.T) {
	long := strings.Repeat("n", 257)
	m := attribute.Pack("id-1", map[string]string{
		"plain": "x", "a.b-c_D": "y", "empty": "", "a name": "1", ".dot": "2", "dot.": "3", "do..t": "4", "AWS.x": "5", "amazon.y": "6", long: "7",
		"control": "\x01", "noncharacter": "\uffff", "bytes": "\xff", "tab": "\t\r\n", "Mehari-Packed": "mine", "_watermill_message_uuid": "n",
	}, []byte("text"))
	if m.Text != "text" {
		t.Errorf("text is %q", m.Text)
	}
	packed := m.Attributes["Mehari-Packed"]
	delete(m.Attributes, "Mehari-Packed")
	want := map[string]string{"plain": "x", "a.b-c_D": "y", "tab": "\t\r\n", "_watermill_message_uuid": "id-1"}
	if !maps.Equal(m.Attributes, want) {
		t.Errorf("have %q, want %q", m.Attributes, want)
	}
	for _, name := range []string{"empty=", "a+name=1", ".dot=2", "dot.=3", "do..t=4", "AWS.x=5", "amazon.y=6", long + "=7", "control=%01", "noncharacter=%EF%BF%BF", "bytes=%FF", "Mehari-Packed=mine"} {
		if !strings.Contains("&"+packed+"&", "&"+name+"&") {
			t.Errorf("%q is not packed in %q", name, packed)
		}
	}
}

func TestSize(t *testing.T) {
	m := attribute.Message{Text: "grüße", Attributes: map[string]string{"a": "bc"}}
	if n := m.Size(); n != 7+1+6+2 {
		t.Errorf("have %d", n)
	}
}

// What strangers send with our names stays.
func TestUnpackStrangers(t *testing.T) {
	id, headers, body := attribute.Message{Text: "no base64!", Attributes: map[string]string{"Mehari-Body": "base64", "Mehari-Packed": "%zz"}}.Unpack()
	if id != "" || string(body) != "no base64!" || len(headers) != 2 {
		t.Errorf("have %q, %q, %q", id, headers, body)
	}
	if id, headers, body := (attribute.Message{Text: "x"}).Unpack(); id != "" || headers == nil || string(body) != "x" {
		t.Errorf("have %q, %v, %q", id, headers, body)
	}
}

func FuzzPack(f *testing.F) {
	f.Add("id", "a=b", "", []byte("text"), 3)
	f.Add("", "", "\x00", []byte{0xff}, 20)
	f.Fuzz(func(t *testing.T, id, name, value string, body []byte, more int) {
		headers := map[string]string{name: value}
		for i := range min(max(more, 0), 30) {
			headers[fmt.Sprintf("h%d", i)] = "v" + value
		}
		delete(headers, "_watermill_message_uuid") // means the UUID
		m := attribute.Pack(id, headers, body)
		if len(m.Attributes) > 10 || m.Text == "" {
			t.Fatalf("have %q", m)
		}
		gotID, gotHeaders, gotBody := m.Unpack()
		if gotID != id || !maps.Equal(gotHeaders, headers) || string(gotBody) != string(body) {
			t.Fatalf("have %q, %q, %q, want %q, %q, %q", gotID, gotHeaders, gotBody, id, headers, body)
		}
	})
}
