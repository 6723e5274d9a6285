package route_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mehari-go/mehari/dataformat/json"
	"github.com/mehari-go/mehari/route"
)

type tea struct {
	Name string `json:"name"`
	Cups int    `json:"cups"`
}

func TestUnmarshal(t *testing.T) {
	const text = `{"name":"mint","cups":2}`
	typed := route.Unmarshal[tea](json.Format{})
	for _, body := range []any{text, []byte(text), strings.NewReader(text), map[string]any{"name": "mint", "cups": 2}} {
		if got := outcome(t, route.Config{}, body, func(r *route.Route) { r.Step(typed) }); got != (tea{"mint", 2}) {
			t.Errorf("%T: %#v", body, got)
		}
	}
	got := outcome(t, route.Config{}, text, func(r *route.Route) { r.Unmarshal(json.Format{}) })
	if want := map[string]any{"name": "mint", "cups": 2.0}; !reflect.DeepEqual(got, want) {
		t.Errorf("%#v, want %#v", got, want)
	}
	cup := route.ConverterOf(func(context.Context, celsius) ([]byte, error) { return []byte(text), nil })
	if got := outcome(t, route.Config{Converters: []route.Converter{cup}}, celsius(1), func(r *route.Route) { r.Step(typed) }); got != (tea{"mint", 2}) {
		t.Errorf("by a converter: %#v", got)
	}
	for _, c := range []struct {
		body any
		want string
	}{
		{nil, "unmarshal json into route_test.tea: body is nil"},
		{`{"cups":"two"}`, "unmarshal json into route_test.tea: json: cannot unmarshal string into Go struct field tea.cups of type int"},
		{`{"cups":`, "unmarshal json into route_test.tea: unexpected end of JSON"},
		{make(chan int), "unmarshal json into route_test.tea: want a []byte, a string or an io.Reader: cannot convert chan int to []uint8: json: unsupported type: chan int"},
		{iotest.ErrReader(errors.New("the line is dead")), "unmarshal json into route_test.tea: the line is dead"},
	} {
		got := outcome(t, route.Config{}, c.body, func(r *route.Route) { r.Step(typed) })
		if err, ok := got.(error); !ok || err.Error() != c.want {
			t.Errorf("%v: %v, want %s", c.body, got, c.want)
		}
	}
	allowed := func(r *route.Route) { r.Unmarshal(json.Format{}, route.UnmarshalOptions{AllowNullBody: true}) }
	if got := outcome(t, route.Config{}, nil, allowed); got != nil {
		t.Errorf("nil became %v", got)
	}
}

func TestMarshal(t *testing.T) {
	marshal := func(r *route.Route) { r.SetHeader("Content-Type", "text/tea").Marshal(json.Format{}) }
	got := outcome(t, route.Config{}, tea{"mint", 2}, func(r *route.Route) {
		marshal(r)
		r.SetBody(func(ex *route.Exchange) any {
			return fmt.Sprintf("%s %T %v", ex.Body, ex.Body, ex.Header("Content-Type"))
		})
	})
	if want := `{"name":"mint","cups":2} []uint8 text/tea`; got != want {
		t.Errorf("%v, want %s", got, want)
	}
	err, _ := outcome(t, route.Config{}, make(chan int), marshal).(error)
	wantError(t, err, "marshal json: json: unsupported type: chan int")
}

func TestMarshalVariables(t *testing.T) {
	got := outcome(t, route.Config{}, "body", func(r *route.Route) {
		r.SetVariable("in", `{"name":"mint"}`).
			Step(route.Unmarshal[tea](json.Format{}, route.UnmarshalOptions{VariableSend: "in", VariableReceive: "tea"})).
			Marshal(json.Format{}, route.MarshalOptions{VariableSend: "tea", VariableReceive: "out"}).
			SetBody(func(ex *route.Exchange) any {
				return fmt.Sprintf("%v %v %s", ex.Body, ex.Variable("tea"), ex.Variable("out"))
			})
	})
	if want := `body {mint 0} {"name":"mint","cups":0}`; got != want {
		t.Errorf("%v, want %s", got, want)
	}
	err, _ := outcome(t, route.Config{}, "body", func(r *route.Route) {
		r.Unmarshal(json.Format{}, route.UnmarshalOptions{VariableSend: "none"})
	}).(error)
	wantError(t, err, `unmarshal json: variable "none" is nil`)
}

// A stream that a step failed with is not taken for an empty one by the next.
func TestStreamsOfFailedSteps(t *testing.T) {
	for name, step := range map[string]func(*route.Block) *route.Block{
		"convert": func(b *route.Block) *route.Block { return b.ConvertBodyTo(reflect.TypeFor[int]()) },
		"marshal": func(b *route.Block) *route.Block { return b.Marshal(spilled{}) },
	} {
		body := io.MultiReader(strings.NewReader("text"))
		got := outcome(t, route.Config{}, body, func(r *route.Route) {
			r.Try(step(route.Do()), route.Catch[error]().ConvertBodyTo(reflect.TypeFor[string]()))
		})
		if err, ok := got.(error); !ok || !strings.Contains(err.Error(), "the stream was read before") {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A format that panics fails the exchange, not the route.
func TestFormatPanics(t *testing.T) {
	got := outcome(t, route.Config{}, "body", func(r *route.Route) { r.Unmarshal(bomb{}) })
	if err, ok := got.(error); !ok || !strings.Contains(err.Error(), "unmarshal bomb: panic: boom") {
		t.Errorf("%v", got)
	}
}

type bomb struct{}

func (bomb) String() string                     { return "bomb" }
func (bomb) Marshal(io.Writer, any) error       { panic("boom") }
func (bomb) Unmarshal(_ io.Reader, _ any) error { panic("boom") }

type unchecked struct{ bomb }

type spilled struct{ bomb }

func (spilled) Marshal(io.Writer, any) error { return errors.New("spilled") }

func (unchecked) Check() error { return errors.New("want a fuse") }

func TestFormatMistakes(t *testing.T) {
	r := route.From("in:x").
		Marshal(nil).
		Unmarshal(nil).
		Step(route.Unmarshal[tea](nil)).
		Marshal(json.Format{}, route.MarshalOptions{}, route.MarshalOptions{}).
		Marshal(unchecked{}).
		Unmarshal(unchecked{})
	var lines []string
	for _, line := range mistakes(t, route.Config{}, r) {
		_, line, _ = strings.Cut(line, `"route1": `)
		lines = append(lines, line)
	}
	wantLines(t, "mistakes", lines,
		"marshal: want a data format, such as json.Format{}",
		"unmarshal: want a data format, such as json.Format{}",
		"unmarshal into route_test.tea: want a data format, such as json.Format{}",
		"marshal json: want one route.MarshalOptions, have 2",
		"marshal bomb: want a fuse",
		"unmarshal bomb: want a fuse",
	)
}
