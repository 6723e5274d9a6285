package route_test

import (
	"strings"
	"testing"

	"github.com/mehari-go/mehari/route"
)

// seen returns the URI that a component sees.
func seen(t *testing.T, p route.Properties, u route.URI) (raw string, err error) {
	t.Helper()
	see := route.ComponentFunc(func(_ route.Env, a route.Address) (route.Endpoint, error) {
		raw = a.Raw
		return out{}, nil
	})
	err = new(kit).build(route.Config{Components: route.Components{"see": see}, Properties: p}, route.From("in:x").To(u))
	return raw, err
}

func TestPlaceholders(t *testing.T) {
	t.Setenv("MEHARI_TEST", "from env")
	p := route.PropertyMap{
		"a": "1", "b": "2{{a}}", "which": "a", "empty": "", "escaped": `\{{a}}`, "host": "h:80", "env:X": "no", "json": `{"a":{"b":1}}`, "secret": "a&b+c",
	}
	for u, want := range map[route.URI]string{
		"see:x":                             "x",
		"see:{{a}}":                         "1",
		"see:{{a}}{{b}}-{{a}}":              "121-1",
		"see:{{{{which}}}}":                 "1",
		"see:{{none:{{which}}}}":            "a",
		"see:{{none:default}}":              "default",
		"see:{{none:a:b}}":                  "a:b",
		"see:{{none:}}":                     "",
		"see:{{a:default}}":                 "1",
		"see:{{empty:default}}":             "",
		"see:{{host}}/x":                    "h:80/x",
		"see:{{env:MEHARI_TEST}}":           "from env",
		"see:{{env:MEHARI_NONE:none}}":      "none",
		`see:\{{a}}`:                        "{{a}}",
		`see:{{escaped}}`:                   "{{a}}",
		`see:{{none:\{{a}}}}`:               "{{a}}",
		"see:{{json}}":                      `{"a":{"b":1}}`,
		"see:{{a}}}}":                       "1}}",
		"see:x?k={{a}}&l={{?none}}&m={{b}}": "x?k=1&m=21",
		"see:x?l={{?none}}":                 "x",
		"see:x?k={{?a}}":                    "x?k=1",
		"see:x?k={{?env:MEHARI_NONE}}":      "x",
		"see:x?k={{?env:MEHARI_TEST}}":      "x?k=from env",
		"see:x?k=RAW({{secret}})":           "x?k=RAW(a&b+c)",
		"{{none:see}}:x":                    "x",
	} {
		if got, err := seen(t, p, u); err != nil || got != want {
			t.Errorf("%s is seen as %q, %v; want %q", string(u), got, err, want)
		}
	}
}

func TestPlaceholderMistakes(t *testing.T) {
	p := route.PropertyMap{"loop": "{{pool}}", "pool": "x{{loop}}", "open": "{{a"}
	for u, want := range map[route.URI]string{
		"see:{{none}}":              `{{none}}: there is no property "none", and no default`,
		"see:{{env:MEHARI_NONE}}":   `{{env:MEHARI_NONE}}: there is no environment variable "MEHARI_NONE", and no default`,
		"see:{{}}":                  `{{}} names no property`,
		"see:{{:x}}":                `{{:x}} names no property`,
		"see:{{?}}":                 `{{?}} names no property`,
		"see:{{env:}}":              `{{env:}} names no environment variable`,
		"see:a{{b":                  `"{{b" has no closing }}`,
		"see:{{open}}":              `"{{a" has no closing }}`,
		"see:{{loop}}":              `placeholders stand more than 16 deep inside of each other: does one stand in its own value?`,
		"see:{{?none}}":             `{{?key}} can only be the value of a URI's option`,
		"see:x?k=a{{?none}}":        `{{?key}} must be the whole value of an option`,
		"see:x?{{?none}}=a":         `{{?key}} must be the whole value of an option`,
		"see:x?k=RAW({{?none}})":    `{{?key}} must be the whole value of an option`,
		"see:x?a={{none}}&b={{no}}": `{{none}}: there is no property "none", and no default`,
	} {
		_, err := seen(t, p, u)
		if err == nil || !strings.HasSuffix(err.Error(), `": `+want) {
			t.Errorf("%s: %v, want %s", string(u), err, want)
		}
	}
	if got, err := seen(t, nil, "see:{{none:default}}"); err != nil || got != "default" {
		t.Errorf("without properties: %q, %v", got, err)
	}
	deep := strings.Repeat("{{", 1000) + strings.Repeat("}}", 1000)
	if _, err := seen(t, p, route.URI("see:"+deep)); err == nil {
		t.Error("placeholders 1000 deep are taken")
	}
}

func FuzzPlaceholders(f *testing.F) {
	for _, seed := range []string{"{{a}}", "{{a:{{b}}}}", `\{{a}}`, "{{?a}}", "{{", "}}", "x?k={{?none}}&{{a}}={{b:}}", "{{loop}}"} {
		f.Add(seed)
	}
	p := route.PropertyMap{"a": "1", "b": "{{a}}", "loop": "{{loop}}{{loop}}"}
	see := route.ComponentFunc(func(_ route.Env, a route.Address) (route.Endpoint, error) { return out{}, nil })
	f.Fuzz(func(t *testing.T, text string) {
		err := new(kit).build(route.Config{Components: route.Components{"see": see}, Properties: p},
			route.From("in:x").To(route.URI("see:"+text)).SetBody(route.Simple(text)))
		if !strings.Contains(text, "{{") && !strings.ContainsAny(text, "%?$") && err != nil {
			t.Errorf("%q: %v", text, err)
		}
	})
}
