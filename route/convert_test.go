package route_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/route"
)

type celsius float64

// outcome gives a route of one step a body and returns what became of it.
func outcome(t *testing.T, cfg route.Config, body any, add func(*route.Route)) (got any) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := route.From("in:x")
		add(r)
		k := start(t, cfg, r)
		ex := route.NewExchange(body)
		if err := k.give("x", ex); err != nil {
			got = err
			if step, ok := errors.AsType[*route.StepError](err); ok {
				got = errors.New(step.Step + ": " + step.Err.Error())
			}
			return
		}
		got = ex.Body
	})
	return got
}

func TestConvertBodyTo(t *testing.T) {
	for _, c := range []struct {
		body any
		t    reflect.Type
		opts []route.ConvertOptions
		want any
	}{
		{"42", reflect.TypeFor[int](), nil, 42},
		{42, reflect.TypeFor[int](), nil, 42},
		{strings.NewReader("42"), reflect.TypeFor[[]byte](), nil, []byte("42")},
		{map[string]any{"a": 1}, reflect.TypeFor[string](), nil, `{"a":1}`},
		{nil, reflect.TypeFor[int](), nil, nil},
		{"x", reflect.TypeFor[int](), nil, `convert body to int: cannot convert string "x" to int: want a whole number in decimal digits`},
		{300, reflect.TypeFor[int8](), nil, `convert body to int8: cannot convert int 300 to int8: it is out of range`},
		{"x", reflect.TypeFor[int](), []route.ConvertOptions{{Optional: true}}, nil},
		{"1", reflect.TypeFor[int](), []route.ConvertOptions{{Optional: true}}, 1},
	} {
		got := outcome(t, route.Config{}, c.body, func(r *route.Route) { r.ConvertBodyTo(c.t, c.opts...) })
		if err, ok := got.(error); ok {
			got = err.Error()
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v to %s: %#v, want %#v", c.body, c.t, got, c.want)
		}
	}
}

func TestConvertHeadersAndVariables(t *testing.T) {
	values := func(_ context.Context, ex *route.Exchange) error {
		ex.Body = fmt.Sprintf("%#v %#v %#v %#v %#v %#v", ex.Header("n"), ex.Header("copy"), ex.Header("none"), ex.Variable("v"), ex.Variable("global:v"), ex.Header("when"))
		return nil
	}
	got := outcome(t, route.Config{}, nil, func(r *route.Route) {
		r.SetHeader("n", "1").SetVariable("v", "2").SetVariable("global:v", "3").SetHeader("when", "never").
			ConvertHeaderTo("n", reflect.TypeFor[string]()).
			ConvertHeaderTo("n", reflect.TypeFor[int](), route.ConvertOptions{ToName: "copy"}).
			ConvertHeaderTo("none", reflect.TypeFor[int]()).
			ConvertHeaderTo("when", reflect.TypeFor[time.Time](), route.ConvertOptions{Optional: true}).
			ConvertVariableTo("v", reflect.TypeFor[int8]()).
			ConvertVariableTo("global:v", reflect.TypeFor[float64]()).
			Process(values)
	})
	if want := `"1" 1 <nil> 2 3 <nil>`; got != want {
		t.Errorf("%v, want %s", got, want)
	}
	got = outcome(t, route.Config{}, nil, func(r *route.Route) {
		r.SetHeader("n", "one").ConvertHeaderTo("n", reflect.TypeFor[int]())
	})
	wantError(t, got.(error), `convert header "n" to int: cannot convert string "one" to int: want a whole number in decimal digits`)
}

func TestConverters(t *testing.T) {
	cfg := route.Config{Converters: []route.Converter{
		route.ConverterOf(func(_ context.Context, s string) (celsius, error) {
			var c celsius
			_, err := fmt.Sscanf(s, "%f°", &c)
			return c, err
		}),
		route.ConverterOf(func(_ context.Context, s fmt.Stringer) (string, error) { return "<" + s.String() + ">", nil }),
		route.ConverterOf(func(_ context.Context, d time.Duration) (string, error) { return "for " + d.String(), nil }),
		route.ConverterOf(func(context.Context, int) (io.Reader, error) { return nil, nil }),
	}}
	for _, c := range []struct {
		body any
		as   func(context.Context, *route.Exchange, any) (any, error)
		to   reflect.Type
		want any
	}{
		{"21.5°", as[celsius], reflect.TypeFor[celsius](), celsius(21.5)},
		{"21.5", as[float64], reflect.TypeFor[float64](), 21.5},
		{time.Second, as[string], reflect.TypeFor[string](), "for 1s"},
		{time.UTC, as[string], reflect.TypeFor[string](), "<UTC>"},
		{5, as[io.Reader], reflect.TypeFor[io.Reader](), nil},
		{"x°", as[celsius], reflect.TypeFor[celsius](), `cannot convert string to route_test.celsius: strconv.ParseFloat: parsing "": invalid syntax`},
	} {
		got := outcome(t, cfg, c.body, func(r *route.Route) {
			r.Process(func(ctx context.Context, ex *route.Exchange) error {
				v, err := c.as(ctx, ex, ex.Body)
				if want, ok := c.want.(string); ok && err != nil && err.Error() == want {
					return nil
				}
				if err != nil || v != c.want {
					t.Errorf("As %s: %#v, %v, want %v", c.to, v, err, c.want)
				}
				return nil
			}).ConvertBodyTo(c.to)
		})
		if err, ok := got.(error); ok {
			got = strings.TrimPrefix(err.Error(), "convert body to "+c.to.String()+": ")
		}
		if got != c.want {
			t.Errorf("%v to %s: %#v, want %#v", c.body, c.to, got, c.want)
		}
	}
}

func as[T any](ctx context.Context, ex *route.Exchange, v any) (any, error) {
	return route.As[T](ctx, ex, v)
}

// Outside of a route there are the rules alone.
func TestAsOutsideOfRoutes(t *testing.T) {
	ex := route.NewExchange("12")
	defer ex.Release()
	if n, err := route.As[int](t.Context(), ex, ex.Body); n != 12 || err != nil {
		t.Error(n, err)
	}
	_, err := route.As[bool](t.Context(), ex, ex.Body)
	wantError(t, err, `cannot convert string "12" to bool: want true or false`)
}

func TestConvertMistakes(t *testing.T) {
	f := func(context.Context, string) (celsius, error) { return 0, nil }
	got := mistakes(t, route.Config{Converters: []route.Converter{
		{},
		route.ConverterOf(f),
		route.ConverterOf[int, string](nil),
		route.ConverterOf(f),
		route.ConverterOf(func(context.Context, error) (any, error) { return nil, nil }),
	}})
	wantLines(t, "mistakes", got,
		"route: Config.Converters[0]: want one made by route.ConverterOf",
		"route: Config.Converters[2]: nil function from int to string",
		"route: Config.Converters[3]: there is another from string to route_test.celsius",
		"route: Config.Converters[4]: a value of type error is a interface {} already",
	)
	r := route.From("in:x").
		ConvertBodyTo(nil).
		ConvertBodyTo(reflect.TypeFor[int](), route.ConvertOptions{ToName: "x"}).
		ConvertHeaderTo("", nil).
		ConvertVariableTo("x", reflect.TypeFor[int](), route.ConvertOptions{}, route.ConvertOptions{})
	var lines []string
	for _, line := range mistakes(t, route.Config{}, r) {
		_, line, _ = strings.Cut(line, `"route1": `)
		lines = append(lines, line)
	}
	wantLines(t, "mistakes", lines,
		"convert body: want a type: reflect.TypeFor[int]()",
		`convert body to int: ToName "x": the body has no name`,
		`convert header "": want a name`,
		`convert header "": want a type: reflect.TypeFor[int]()`,
		`convert variable "x" to int: want one route.ConvertOptions, have 2`,
	)
}
