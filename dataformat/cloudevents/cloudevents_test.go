package cloudevents_test

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/dataformat/cloudevents"
	"github.com/mehari-go/mehari/dataformat/formattest"
)

var (
	order = cloudevents.Event{
		ID: "1", Source: "/shop", Type: "shop.order", Subject: "tea", Time: time.Date(2026, 11, 22, 12, 0, 0, 5e6, time.UTC), DataSchema: "https://shop/order",
		Extensions: map[string]any{"tenant": "a", "retry": int32(2), "test": true}, Data: []byte(`{"item":"tea"}`),
	}
	small   = cloudevents.Event{ID: "2", Source: "urn:x", Type: "t"}
	text    = cloudevents.Event{ID: "3", Source: "x", Type: "t", DataContentType: "text/plain; charset=utf-8", Data: []byte("tea & \"cup\"")}
	binary  = cloudevents.Event{ID: "4", Source: "x", Type: "t", DataContentType: "image/png", Data: []byte{0xff, 0}}
	null    = cloudevents.Event{ID: "5", Source: "x", Type: "t", Data: []byte("null")}
	harness = formattest.Harness{
		Format:    cloudevents.Format{},
		Name:      "cloudevents",
		Values:    []any{order, &order, small, text, binary, null, []cloudevents.Event{order, text}, []*cloudevents.Event{&binary}, []cloudevents.Event{}},
		Natural:   order,
		Truncated: true,
		Bad: []string{
			"", "{}", "[]", "1", event(`"specversion":"0.3"`), event(`"specversion":1`), event(`"id":""`), event(`"id":null`), event(`"id":5`), event(`"time":"now"`),
			event(`"source":":"`), event(`"dataschema":"x"`), event(`"datacontenttype":"json"`), event(`"Big":1`), event(`"ext":1.5`), event(`"ext":3000000000`), event(`"ext":{}`),
			event(`"ext":"\u0001"`), event(`"data":1,"data_base64":"/w=="`), event(`"data_base64":"*"`), event(`"datacontenttype":"application/json","data_base64":"/w=="`),
		},
		Unfit: []any{
			nil, 1, "x",
			cloudevents.Event{},
			(*cloudevents.Event)(nil),
			[]*cloudevents.Event{nil},
			cloudevents.Event{ID: "1", Source: "x", Type: "t", Data: []byte("{")},
			cloudevents.Event{ID: "\xff", Source: "x", Type: "t"},
			cloudevents.Event{ID: "1", Source: "x", Type: "t", Extensions: map[string]any{"a": 1}},
			cloudevents.Event{ID: "1", Source: "x", Type: "t", Extensions: map[string]any{"id": "x"}},
		},
	}
)

// event is one with a member more, or another one.
func event(member string) string {
	return `{"specversion":"1.0","id":"1","source":"x","type":"t",` + member + `}`
}

func TestFormat(t *testing.T) { formattest.Test(t, harness) }

func FuzzFormat(f *testing.F) {
	h := harness
	h.Equal = func(a, b any) bool { // times may be written in other ways
		x, y := a.(cloudevents.Event), b.(cloudevents.Event)
		same := x.Time.Equal(y.Time)
		x.Time, y.Time = time.Time{}, time.Time{}
		return same && strings.EqualFold(fmt.Sprintf("%q", compact(x)), fmt.Sprintf("%q", compact(y)))
	}
	h.Values = []any{order}
	formattest.Fuzz(f, h)
}

// compact is an event with its data as JSON is written again.
func compact(e cloudevents.Event) cloudevents.Event {
	var b strings.Builder
	if err := (cloudevents.Format{}).Marshal(&b, e); err != nil {
		panic(err)
	}
	var again any
	if err := (cloudevents.Format{}).Unmarshal(strings.NewReader(b.String()), &again); err != nil {
		panic(err)
	}
	return again.(cloudevents.Event)
}

func TestWrite(t *testing.T) {
	for _, c := range []struct {
		in   any
		want string
	}{
		{order, `{"data":{"item":"tea"},"dataschema":"https://shop/order","id":"1","retry":2,"source":"/shop","specversion":"1.0","subject":"tea","tenant":"a","test":true,"time":"2026-11-22T12:00:00.005Z","type":"shop.order"}`},
		{text, `{"data":"tea & \"cup\"","datacontenttype":"text/plain; charset=utf-8","id":"3","source":"x","specversion":"1.0","type":"t"}`},
		{binary, `{"data_base64":"/wA=","datacontenttype":"image/png","id":"4","source":"x","specversion":"1.0","type":"t"}`},
		{[]cloudevents.Event(nil), `[]`},
	} {
		var b strings.Builder
		if err := (cloudevents.Format{}).Marshal(&b, c.in); err != nil || b.String() != c.want {
			t.Errorf("%s, %v, want\n%s", b.String(), err, c.want)
		}
	}
}

func TestRead(t *testing.T) {
	var batch any
	in := "\n[" + event(`"subject":null,"data":5`) + "," + event(`"datacontenttype":"text/xml","data":"<a/>"`) + "," + event(`"datacontenttype":"text/xml","data":{"a":1}`) + "]"
	err := cloudevents.Format{}.Unmarshal(strings.NewReader(in), &batch)
	want := []cloudevents.Event{
		{ID: "1", Source: "x", Type: "t", Data: []byte("5")},
		{ID: "1", Source: "x", Type: "t", DataContentType: "text/xml", Data: []byte("<a/>")},
		{ID: "1", Source: "x", Type: "t", DataContentType: "text/xml", Data: []byte(`{"a":1}`)},
	}
	if err != nil || !reflect.DeepEqual(batch, want) {
		t.Errorf("%+v, %v, want %+v", batch, err, want)
	}
	for in, want := range map[string]string{
		`{"specversion":"1.0"}`:                "attribute \"id\" is missing\nattribute \"source\" is missing\nattribute \"type\" is missing",
		event(`"specversion":"0.3"`):           `want specversion "1.0", have "0.3"`,
		event(`"ext":1.5`):                     `attribute "ext": want a string, a bool or an int32, have float64`,
		event(`"data":1,"data_base64":"/w=="`): `there are both "data" and "data_base64"`,
		event(`"traceParent":"x"`):             `"traceParent" cannot be the name of an extension`,
	} {
		err := cloudevents.Format{}.Unmarshal(strings.NewReader(in), new(cloudevents.Event))
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n%v, want\n%s", in, err, want)
		}
	}
	err = cloudevents.Format{}.Unmarshal(strings.NewReader("{}"), new(string))
	if want := "want a pointer to a cloudevents.Event, to a slice of them or to an any, have *string"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	err = cloudevents.Format{MaxSize: 1}.Unmarshal(strings.NewReader("{}"), new(any))
	if want := "there are more than the 1 bytes that MaxSize allows"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func Example() {
	event := cloudevents.Event{ID: "1", Source: "/shop", Type: "shop.order", Data: []byte(`{"item":"tea"}`)}
	if err := (cloudevents.Format{}).Marshal(os.Stdout, event); err != nil {
		fmt.Println(err)
	}
	// Output: {"data":{"item":"tea"},"id":"1","source":"/shop","specversion":"1.0","type":"shop.order"}
}
