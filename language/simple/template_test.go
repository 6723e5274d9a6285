package simple_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/language/simple"
)

// message is a scope for tests.
type message struct {
	body       any
	headers    map[string]any
	properties map[string]any
	id         any
	exception  error
}

func (m *message) Value(kind language.Kind, name string) any {
	switch kind {
	case language.Body:
		return m.body
	case language.Header:
		return m.headers[strings.ToLower(name)]
	case language.Property:
		return m.properties[name]
	case language.ExchangeID:
		return m.id
	case language.RouteID:
		return "orders"
	case language.FromRouteID:
		return "intake"
	case language.Exception:
		if m.exception != nil {
			return m.exception
		}
	}
	return nil
}

// order is the message of the tests.
func order() *message {
	return &message{
		body: []byte(`{"n":1}`),
		headers: map[string]any{
			"id": 42, "a b": "spaced", "kafka.topic": "t1", "it's": "quoted", "a}b": "braced",
			"last-modified": "yesterday", "ünï": "letters", "10": "ten", "a\nb": "lines",
		},
		properties: map[string]any{"CamelTimerCounter": int64(7), "a b": 1.5},
		id:         "A-1",
		exception:  errors.New("no stock"),
	}
}

func parse(t testing.TB, text string) *simple.Template {
	t.Helper()
	template, err := simple.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return template
}

func TestFunctions(t *testing.T) {
	tests := []struct {
		text   string
		append string
		eval   any
	}{
		{"", "", ""},
		{"plain", "plain", "plain"},
		{"${body}", `{"n":1}`, []byte(`{"n":1}`)},
		{"$simple{body}", `{"n":1}`, []byte(`{"n":1}`)},
		{"${ body }", `{"n":1}`, []byte(`{"n":1}`)},
		{"got ${body}!", `got {"n":1}!`, `got {"n":1}!`},
		{"${bodyType}", "[]uint8", "[]uint8"},
		{"${header.id}", "42", 42},
		{"${header.ID}", "42", 42},
		{"${headers.id}", "42", 42},
		{"${header:id}", "42", 42},
		{"${header[id]}", "42", 42},
		{"${header[ id ]}", "42", 42},
		{"${headers['id']}", "42", 42},
		{`${header["id"]}`, "42", 42},
		{"${header.10}", "ten", "ten"},
		{"${header[a b]}", "spaced", "spaced"},
		{"${header['a b']}", "spaced", "spaced"},
		{`${header["it's"]}`, "quoted", "quoted"},
		{"${header['a}b']}", "braced", "braced"},
		{`${header.a\}b}`, "braced", "braced"},
		{`${header['a\nb']}`, "lines", "lines"},
		{"${header.kafka.TOPIC}", "t1", "t1"},
		{"${header.Last-Modified}", "yesterday", "yesterday"},
		{"${header.ünï}", "letters", "letters"},
		{"${header.none}", "", nil},
		{"[${header.none}]", "[]", "[]"},
		{"${exchangeProperty.CamelTimerCounter}", "7", int64(7)},
		{"${exchangeProperty[CamelTimerCounter]}", "7", int64(7)},
		{"${exchangeProperty['a b']}", "1.5", 1.5},
		{"${exchangeId}", "A-1", "A-1"},
		{"${routeId}", "orders", "orders"},
		{"${fromRouteId}", "intake", "intake"},
		{"${exception.message}", "no stock", "no stock"},
		{"${exception}", "no stock", errors.New("no stock")},
		{"${header.id}${header.id}", "4242", "4242"},
		{"${routeId}: ${header.id} $simple{exchangeId}.", "orders: 42 A-1.", "orders: 42 A-1."},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			template := parse(t, test.text)
			if got, err := template.Append(t.Context(), []byte("> "), order()); err != nil || string(got) != "> "+test.append {
				t.Errorf("Append = %q, %v; want %q", got, err, "> "+test.append)
			}
			if got, err := template.Eval(t.Context(), order()); err != nil || !reflect.DeepEqual(got, test.eval) {
				t.Errorf("Eval = %#v, %v; want %#v", got, err, test.eval)
			}
			if template.String() != test.text {
				t.Errorf("String = %q", template.String())
			}
		})
	}
}

func TestNothingThere(t *testing.T) {
	for _, text := range []string{"${body}", "${bodyType}", "${exchangeId}", "${exception}", "${exception.message}"} {
		template := parse(t, text)
		if got, err := template.Append(t.Context(), nil, new(message)); err != nil || len(got) != 0 {
			t.Errorf("%s: Append = %q, %v; want nothing", text, got, err)
		}
		if got, err := template.Eval(t.Context(), new(message)); err != nil || got != nil {
			t.Errorf("%s: Eval = %#v, %v; want nil", text, got, err)
		}
	}
}

func TestTextAndEscapes(t *testing.T) {
	tests := map[string]string{
		`a\nb\tc\rd`:          "a\nb\tc\rd",
		`{"n": 1}`:            `{"n": 1}`,
		`{"n": {"m": 1\}\}`:   `{"n": {"m": 1}}`,
		`c:\dir\`:             `c:\dir\`,
		`\`:                   `\`,
		`a\{b`:                `a\{b`,
		"$ {x} $simple":       "$ {x} $simple",
		`$\{body}`:            "${body}",
		`$simple\{body}`:      "$simple{body}",
		`costs $$\{body\} $`:  "costs $${body} $",
		"Grüße, 世界 \x00 \xff": "Grüße, 世界 \x00 \xff",
	}
	for text, want := range tests {
		template := parse(t, text)
		if got, ok := template.Constant(); !ok || got != want {
			t.Errorf("Constant of %q = %q, %t; want %q", text, got, ok, want)
		}
		if got, err := template.Append(t.Context(), nil, order()); err != nil || string(got) != want {
			t.Errorf("Append of %q = %q, %v; want %q", text, got, err, want)
		}
	}
	if got, _ := parse(t, `c:\${routeId}\}`).Eval(t.Context(), order()); got != `c:\orders}` {
		t.Errorf("an escape beside a function: %q", got)
	}
	for _, text := range []string{"${body}", "a ${body}", "${body} b"} {
		if got, ok := parse(t, text).Constant(); ok {
			t.Errorf("Constant of %q = %q, true", text, got)
		}
	}
	if got, ok := new(simple.Template).Constant(); !ok || got != "" {
		t.Errorf("Constant of the zero value = %q, %t", got, ok)
	}
}

type (
	stringer struct{ string }
	named    string
	rawText  []byte
	pair     struct{ A, B int }
	broken   struct{}
)

func (s stringer) String() string                { return "<" + s.string + ">" }
func (*broken) Error() string                    { return "broken" }
func (broken) AppendText([]byte) ([]byte, error) { return nil, errors.New("no text") }

func TestValuesAsText(t *testing.T) {
	text, count, noon := "pointed", 3, time.Date(2026, 11, 22, 12, 0, 0, 5e6, time.FixedZone("", 3600))
	tests := []struct {
		value any
		want  string
	}{
		{nil, ""},
		{"s", "s"},
		{[]byte("b"), "b"},
		{[]byte(nil), ""},
		{rawText("raw"), "raw"},
		{json.RawMessage(`{"a":1}`), `{"a":1}`},
		{true, "true"},
		{-1, "-1"},
		{int8(-8), "-8"},
		{int16(-16), "-16"},
		{int32(-32), "-32"},
		{int64(math.MinInt64), "-9223372036854775808"},
		{uint(1), "1"},
		{uint8(8), "8"},
		{uint16(16), "16"},
		{uint32(32), "32"},
		{uint64(math.MaxUint64), "18446744073709551615"},
		{1.0, "1"},
		{float32(0.1), "0.1"},
		{1234567.0, "1234567"},
		{0.000001, "0.000001"},
		{1e-7, "1e-07"},
		{1e21, "1e+21"},
		{-1.5, "-1.5"},
		{math.NaN(), "NaN"},
		{math.Inf(1), "+Inf"},
		{noon, "2026-11-22T12:00:00.005+01:00"},
		{&noon, "2026-11-22T12:00:00.005+01:00"},
		{90 * time.Second, "1m30s"},
		{fmt.Errorf("wrapped: %w", errors.New("cause")), "wrapped: cause"},
		{stringer{"x"}, "<x>"},
		{&stringer{"x"}, "<x>"},
		{(*stringer)(nil), ""},
		{&broken{}, "broken"},
		{netip.MustParseAddr("10.0.0.1"), "10.0.0.1"},
		{big.NewInt(5), "5"},
		{named("n"), "n"},
		{json.Number("12.50"), "12.50"},
		{&text, "pointed"},
		{&count, "3"},
		{(*string)(nil), ""},
		{pair{1, 2}, "{1 2}"},
		{&pair{1, 2}, "&{1 2}"},
		{[]int{1, 2}, "[1 2]"},
		{map[string]any{"b": 1, "a": "x"}, "map[a:x b:1]"},
	}
	template := parse(t, "${body}")
	for _, test := range tests {
		got, err := template.Append(t.Context(), nil, &message{body: test.value})
		if err != nil || string(got) != test.want {
			t.Errorf("the text of %T %v = %q, %v; want %q", test.value, test.value, got, err, test.want)
		}
	}
}

// id is an id that is written without a string for it.
type id struct{ n int }

func (i *id) AppendText(b []byte) ([]byte, error) { return fmt.Appendf(b, "ID-%d", i.n), nil }

func TestIDThatIsNoString(t *testing.T) {
	template, ready := parse(t, "${exchangeId}"), "ID-7"
	for _, id := range []any{&id{7}, &ready} {
		m := &message{id: id}
		if got, err := template.Append(t.Context(), nil, m); err != nil || string(got) != "ID-7" {
			t.Errorf("Append with a %T = %q, %v", id, got, err)
		}
		if got, err := template.Eval(t.Context(), m); err != nil || got != "ID-7" {
			t.Errorf("Eval with a %T = %#v, %v; want the string", id, got, err)
		}
	}
}

func TestTextOfACycle(t *testing.T) {
	m := map[string]any{}
	m["m"] = m
	text, err := parse(t, "x${body}").Eval(t.Context(), &message{body: m})
	if want := "x[map[string]interface {}: values stand more than 1000 deep inside of each other]"; err != nil || text != want {
		t.Errorf("have %.80v, %v; want %s", text, err, want)
	}
}
