package simple_test

import (
	"context"
	"testing"
	"time"

	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/language/simple"
)

// slots is a scope as fast as a scope can be.
type slots struct{ body, header, id any }

func (s *slots) Value(kind language.Kind, _ string) any {
	switch kind {
	case language.Body:
		return s.body
	case language.ExchangeID:
		return s.id
	}
	return s.header
}

var templates = []struct{ name, text string }{
	{"constant", "Hello World!"},
	{"header", "${header.x}"},
	{"log", "order ${header.x} in ${routeId}: ${body} (${exchangeId})"},
	{"date", "${date:now:yyyy-MM-dd'T'HH:mm:ss.SSSXXX}"},
	{"zone", "${date-with-timezone:now-1h:GMT+02:00:EEEE, d MMMM yyyy h:mm a z}"},
}

func scopes() map[string]*slots {
	route := "orders"
	return map[string]*slots{
		"string": {"some text", "h1", "id"},
		"bytes":  {[]byte("some text"), []byte("h1"), "id"},
		"number": {123456.5, int64(-123456), &counter{7}},
		"time":   {time.Unix(1e9, 0), true, &route},
	}
}

// counter is an id that is not a string.
type counter struct{ n byte }

func (c *counter) AppendText(b []byte) ([]byte, error) { return append(b, '0'+c.n), nil }

func TestAppendAllocatesNothing(t *testing.T) {
	dst := make([]byte, 0, 256)
	for _, test := range templates {
		template := parse(t, test.text)
		for name, scope := range scopes() {
			n := testing.AllocsPerRun(100, func() {
				if _, err := template.Append(context.Background(), dst, scope); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%s with values of %s: %v allocations", test.name, name, n)
			}
		}
	}
}

func TestEvalOfOneFunctionAllocatesNothing(t *testing.T) {
	for _, text := range []string{"${body}", "${header.x}", "${exchangeProperty.x}", "${exchangeId}", "${routeId}"} {
		template, scope := parse(t, text), scopes()["string"]
		if n := testing.AllocsPerRun(100, func() { _, _ = template.Eval(context.Background(), scope) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, test := range templates {
		b.Run(test.name, func(b *testing.B) {
			template, scope, dst := parse(b, test.text), scopes()["string"], make([]byte, 0, 256)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := template.Append(context.Background(), dst, scope); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEvalHeader(b *testing.B) {
	template, scope := parse(b, "${header.x}"), scopes()["number"]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := template.Eval(context.Background(), scope); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := simple.Parse("order ${header.x}: ${body} at ${date:now:HH:mm:ss}"); err != nil {
			b.Fatal(err)
		}
	}
}

const gold = "${header.type} == 'gold' && ${body.amount} > 100"

func TestPredicatesAllocateNothing(t *testing.T) {
	for _, text := range []string{
		gold, "${header.x} != null", "${header.type} in 'silver,gold'", "${header.type} startsWith 'go'", "${body.amount} range 100..200",
		"${body[amount]} >= 150 || ${header.type} contains 'x'", "${header.type} regex 'g.*'",
	} {
		p, scope := predicate(t, text), &slots{map[string]any{"amount": 150}, "gold", nil}
		n := testing.AllocsPerRun(100, func() {
			if ok, err := p.Holds(context.Background(), scope); err != nil || !ok {
				t.Fatal(text, ok, err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

func BenchmarkPredicate(b *testing.B) {
	p, scope := predicate(b, gold), &slots{map[string]any{"amount": 150, "currency": "EUR"}, "gold", nil}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := p.Holds(context.Background(), scope); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkPredicateOfStruct(b *testing.B) {
	body := &struct {
		Amount float64 `json:"amount"`
	}{150}
	p, scope := predicate(b, gold), &slots{body, "gold", nil}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := p.Holds(context.Background(), scope); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}

func predicate(tb testing.TB, text string) *simple.Predicate {
	tb.Helper()
	p, err := simple.ParsePredicate(text)
	if err != nil {
		tb.Fatalf("ParsePredicate(%q): %v", text, err)
	}
	return p
}
