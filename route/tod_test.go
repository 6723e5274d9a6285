package route_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/route"
)

// made counts the endpoints of a component by their paths.
type made struct {
	mu    sync.Mutex
	paths []string
}

func (m *made) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	if inner, ok := strings.CutPrefix(a.Path, "via:"); ok {
		return env.Resolve(route.URI(inner))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.paths = append(m.paths, a.Path)
	if a.Path == "none" {
		return nil, errors.New("there is none")
	}
	return out{a.Path, func(_ context.Context, ex *route.Exchange) error {
		ex.SetHeader("got", a.Path+" "+fmt.Sprint(ex.Body))
		return nil
	}}, nil
}

// take returns the paths since it was called last.
func (m *made) take() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	defer func() { m.paths = nil }()
	return strings.Join(m.paths, " ")
}

// sendTo gives in:x a message with a header "to", and returns what made has set and the
// properties CamelToEndpoint and CamelSlipEndpoint.
func sendTo(t *testing.T, k *kit, to any) (got string, err error) {
	t.Helper()
	ex := route.NewExchange("b")
	defer ex.Release()
	ex.SetHeader("to", to)
	err = k.give("x", ex)
	last, _ := route.ToEndpoint.Get(ex)
	return fmt.Sprintf("%v|%v", ex.Header("got"), last), err
}

func TestToD(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := new(made)
		k := start(t, route.Config{Components: route.Components{"made": m}, Properties: route.PropertyMap{"scheme": "made"}, Poison: true},
			route.From("in:x").ToD(" {{scheme}}:${header.to}?password=x\n"))
		for range 3 {
			if got, err := sendTo(t, k, "a"); got != "a b|made:a?password=xxxxx" || err != nil {
				t.Errorf("%v, %v", got, err)
			}
		}
		if got, err := sendTo(t, k, "b"); got != "b b|made:b?password=xxxxx" || err != nil {
			t.Errorf("%v, %v", got, err)
		}
		if got := m.take(); got != "a b" {
			t.Errorf("made %q", got)
		}
	})
}

func TestToDKeepsTheEndpointsUsedLast(t *testing.T) {
	for size, want := range map[int]string{0: "a b c", 2: "a b c b a", -1: "a b a c a b a"} {
		synctest.Test(t, func(t *testing.T) {
			m := new(made)
			k := start(t, route.Config{Components: route.Components{"made": m}},
				route.From("in:x").ToD("made:${header.to}", route.DynamicOptions{CacheSize: size}))
			for to := range strings.FieldsSeq("a b a c a b a") {
				if _, err := sendTo(t, k, to); err != nil {
					t.Error(err)
				}
			}
			if size == 2 {
				want = "a b c b"
			}
			if got := m.take(); got != want {
				t.Errorf("size %d: made %q, want %q", size, got, want)
			}
		})
	}
}

func TestToDDoesNotKeepLongURIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := new(made)
		k := start(t, route.Config{Components: route.Components{"made": m}}, route.From("in:x").ToD("made:${header.to}"))
		long := strings.Repeat("x", 5000)
		for range 2 {
			if _, err := sendTo(t, k, long); err != nil {
				t.Error(err)
			}
		}
		if got := m.take(); got != long+" "+long {
			t.Errorf("made %d bytes of paths", len(got))
		}
	})
}

func TestToDFromManyGoroutines(t *testing.T) {
	m := new(made)
	ctx, next := consumerOf(t, route.Config{Components: route.Components{"made": m}, Logger: slog.New(slog.DiscardHandler)},
		route.From("in:x").ToD("made:${header.to}", route.DynamicOptions{CacheSize: 3}))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 200 {
				ex := route.NewExchange(n)
				ex.SetHeader("to", (i+n)%5)
				if err := next.Process(ctx, ex); err != nil || ex.Header("got") != fmt.Sprintf("%d %d", (i+n)%5, n) {
					t.Errorf("%v, %v", ex.Header("got"), err)
				}
				ex.Release()
			}
		})
	}
	wg.Wait()
}

func TestToDRefuses(t *testing.T) {
	t.Setenv("SECRET", "hunter2")
	synctest.Test(t, func(t *testing.T) {
		m := new(made)
		k := start(t, route.Config{Components: route.Components{"made": m}},
			route.From("in:x").ToD("${header.to}", route.DynamicOptions{AllowedSchemes: []string{"made", "in"}}))
		place := here(-1) + `: route "route1": exchange ID: toD "${header.to}": `
		for to, want := range map[any]string{
			"to:x":                     `"to:x": the scheme "to" is not allowed here (have made, in)`,
			"to:x?token=hunter2":       `"to:x?token=xxxxx": the scheme "to" is not allowed here (have made, in)`,
			"TO:x":                     `"TO:x": the scheme "TO" is not allowed here (have made, in)`,
			"made:via:to:x":            `"made:via:to:x": the scheme "to" is not allowed here (have made, in)`,
			"made:via:made:via:to%3Ax": `"made:via:made:via:to%3Ax": the scheme "to" is not allowed here (have made, in)`,
			"made:{{env:SECRET}}":      `"made:{{env:SECRET}}": placeholders are not replaced in a URI that is made at run time: a literal {{ is written %7B%7B`,
			"made:via:made:%7B%7Benv:SECRET}}": `"made:via:made:%7B%7Benv:SECRET}}": placeholders are not replaced in a URI that is made at run time: ` +
				`a literal {{ is written %7B%7B`,
			"made:a\r\nb": `"made:a\r\nb": want a URI without line breaks and other control characters`,
			"made:none":   `"made:none": there is none`,
			"in:x":        `"in:x": in:x cannot be sent to`,
			"":            `"": want a URI like scheme:path?option=value, have ""`,
			nil:           `"": want a URI like scheme:path?option=value, have ""`,
			"a b":         `"a b": want a URI like scheme:path?option=value, have "a b"`,
			"made:%zz":    `"made:%zz": path: not %-encoded as it should be; a literal % is written %25`,
			"made:a?b":    `"made:a?b": option "b": want name=value`,
		} {
			_, err := sendTo(t, k, to)
			wantError(t, err, place+want)
		}
		if got, err := sendTo(t, k, "made:%7B%7Benv:SECRET}}"); got != "{{env:SECRET}} b|made:%7B%7Benv:SECRET}}" || err != nil {
			t.Errorf("a literal {{: %v, %v", got, err)
		}
	})
}

func TestToDIgnoresInvalidEndpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := start(t, route.Config{Components: route.Components{"made": new(made)}},
			route.From("in:x").
				ToD("${header.to}", route.DynamicOptions{IgnoreInvalidEndpoint: true, AllowedSchemes: []string{"made"}}).
				ToD("made:none", route.DynamicOptions{IgnoreInvalidEndpoint: true}).
				SetHeader("got", "went on"))
		place := here(-3)
		for _, to := range []any{"made:none", "x", "made:a\nb"} {
			if got, err := sendTo(t, k, to); !strings.HasPrefix(got, "went on|") || err != nil {
				t.Errorf("%v: %v, %v", to, got, err)
			}
		}
		_, err := sendTo(t, k, "to:a")
		wantError(t, err, place+`: route "route1": exchange ID: toD "${header.to}": "to:a": the scheme "to" is not allowed here (have made)`)
	})
}

func TestToDMistakes(t *testing.T) {
	err := new(kit).build(route.Config{Components: route.Components{"made": new(made)}}, route.From("in:x").
		ToD("${header.to\n").
		ToD("mad:${header.to}").
		ToD("to:${header.to}", route.DynamicOptions{AllowedSchemes: []string{"made"}}).
		ToD("made:none").
		ToD("made:{{x}}").
		ToD("made:${body}", route.DynamicOptions{AllowedSchemes: []string{}}).
		ToD("made:${body}", route.DynamicOptions{AllowedSchemes: []string{"made", "mode"}}).
		ToD("made:${body}", route.DynamicOptions{}, route.DynamicOptions{}))
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if _, what, ok := strings.Cut(line, ": toD "); ok {
			what, _, _ = strings.Cut(what, ": simple: ") // whose errors are not ours
			lines = append(lines, what)
		}
	}
	wantLines(t, "mistakes", lines,
		`"${header.to\n"`,
		`"mad:${header.to}": no component "mad" (did you mean made?) (have call, in, made, queue, to)`,
		`"to:${header.to}": the scheme "to" is not allowed here (have made)`,
		`"made:none": "made:none": there is none`,
		`"made:{{x}}": {{x}}: there is no property "x", and no default`,
		`"made:${body}": allowed schemes: want at least one, or nil for any`,
		`"made:${body}": allowed schemes: no component "mode" (did you mean made?) (have call, in, made, queue, to)`,
		`"made:${body}": want one route.DynamicOptions, have 2`,
	)
}

func TestToWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		k := &kit{to: map[string]route.ProcessorFunc{"echo": func(_ context.Context, ex *route.Exchange) error {
			ex.SetHeader("h", "theirs")
			ex.SetProperty("p", "theirs")
			if ex.Body == nil {
				return boom
			}
			ex.Body = fmt.Sprintf("re %v", ex.Body)
			return nil
		}}}
		var o route.ToOptions
		for _, c := range []struct {
			o    route.ToOptions
			want string
		}{
			{route.ToOptions{}, "re body theirs theirs in <nil>"},
			{route.ToOptions{VariableSend: "v"}, "re in theirs theirs in <nil>"},
			{route.ToOptions{VariableReceive: "global:g"}, "body ours theirs in re body"},
			{route.ToOptions{VariableSend: "v", VariableReceive: "v"}, "body ours theirs re in <nil>"},
			{route.ToOptions{VariableSend: "no", VariableReceive: "v"}, "body ours theirs in <nil> boom"},
		} {
			o = c.o
			k.start(t, route.Config{Poison: true}, route.From("in:x").ToWith(o, "to:echo"))
			ex := route.NewExchange("body")
			ex.SetHeader("h", "ours")
			ex.SetVariable("v", "in")
			err := k.give("x", ex)
			got := fmt.Sprint(ex.Body, " ", ex.Header("h"), " ", ex.Property("p"), " ", ex.Variable("v"), " ", k.Variable("global:g"))
			if err != nil && errors.Is(err, boom) {
				got += " boom"
			}
			if got != c.want {
				t.Errorf("%+v: %s, want %s", o, got, c.want)
			}
			ex.Release()
			if err := k.stop(); err != nil {
				t.Error(err)
			}
		}
	})
}
