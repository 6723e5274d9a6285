package simple_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/language/simple"
)

// byChance are the functions whose values differ each time.
func byChance(text string) bool {
	for _, name := range []string{"random", "shuffle", "uuid", "distinct", "headers", "variables", "contains", "~~"} {
		if strings.Contains(text, name) {
			return true
		}
	}
	return false
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "text", "${body}", "a ${header.x}\\n$simple{header['x y']} \\}", "${date:now-1h30m:yyyy-MM-dd'T'HH:mm:ss.SSSXXX}",
		"${date-with-timezone:header.t+1d:GMT+02:00:EEEE D zzz}", "${exception.message}${exchangeProperty[a]}", "${header.${body}}",
		"${header.none} ?: 'Guest' ~> ${trim()}", "${body ~> ${split(' ')} ~> ${size($param)}}", "${header.n > 3 ? 'a' : ${body}}", "${header.n}++",
		"${replace(&quot; , 'x',${body})}", "${iif(${body} == 'x' || true,1,2.5)}", "${body.address?.lines[last-1].size()}", "${forEach(${body},'a ${body}')}",
		"${properties:a:${body}}", "${list(1,a,true,${null})} ~> ${sort(true)}", "${map(a,1,b,2)}", "${pad(${body},-9,'ab')}", "${int:header.id}",
		"$\\{body}", "${date:millis}", "${bodyType", "${date-with-timezone:now:Europe/Rome:''a''}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		template, err := simple.Parse(text)
		if err != nil {
			if syntax, ok := errors.AsType[*simple.SyntaxError](err); !ok || syntax.Offset < 0 || syntax.Offset > len(text) {
				t.Fatalf("the error of %q is %#v", text, err)
			}
			return
		}
		if template.String() != text {
			t.Fatalf("String of %q = %q", text, template)
		}
		again := parse(t, template.String())
		synctest.Test(t, func(t *testing.T) {
			m := order()
			appended, err := template.Append(t.Context(), nil, m)
			same, errSame := again.Append(t.Context(), nil, m)
			if !byChance(text) && string(appended) != string(same) || fmt.Sprint(err) != fmt.Sprint(errSame) {
				t.Fatalf("%q is %q, %v and then %q, %v", text, appended, err, same, errSame)
			}
			if constant, ok := template.Constant(); ok && constant != string(appended) {
				t.Fatalf("Constant of %q = %q, but the text is %q", text, constant, appended)
			}
			if value, errEval := template.Eval(t.Context(), m); fmt.Sprint(err) != fmt.Sprint(errEval) {
				t.Fatalf("Eval of %q = %v, %v; Append says %v", text, value, errEval, err)
			}
		})
	})
}

func FuzzParsePredicate(f *testing.F) {
	for _, test := range predicates {
		f.Add(test.text)
	}
	for _, text := range []string{"${body} == foo", "!${body} == 1", "${not(", "a ? b : c", "${body} is 'x.Y'", "1 range 2..", "'${'"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := simple.ParsePredicate(text)
		if err != nil {
			if syntax, ok := errors.AsType[*simple.SyntaxError](err); !ok || syntax.Offset < 0 || syntax.Offset > len(text) || syntax.Error() == "" {
				t.Fatalf("the error of %q is %#v", text, err)
			}
			return
		}
		synctest.Test(t, func(t *testing.T) {
			ok, err := p.Holds(t.Context(), shop())
			if ok && err != nil {
				t.Fatalf("%q holds and fails: %v", text, err)
			}
			if value, errEval := p.Eval(t.Context(), shop()); !byChance(text) && (fmt.Sprint(err) != fmt.Sprint(errEval) || err == nil && value != ok) {
				t.Fatalf("Eval of %q = %v, %v; Holds says %t, %v", text, value, errEval, ok, err)
			}
		})
	})
}

// FuzzEval evaluates with messages of all kinds of values.
func FuzzEval(f *testing.F) {
	for _, test := range predicates {
		f.Add(test.text, "123", int64(7), 0.5)
	}
	for _, text := range []string{"${body.a.b}", "${split(-)}", "${sum()} ~> ${range(1,$param)}", "${toJson()}", "${sort()}", "${collate(2)}", "${escape(json)}", "${body.id ?: header.x}"} {
		f.Add(text, "a-b", int64(-1), 1e300)
	}
	f.Fuzz(func(t *testing.T, text, s string, i int64, x float64) {
		template, errTemplate := simple.Parse(text)
		p, errPredicate := simple.ParsePredicate(text)
		for _, body := range []any{nil, s, []byte(s), i, x, s != "", []any{s, i, x, nil}, map[string]any{"a": s, "b": []any{i}}, ada(), (*customer)(nil), uint64(i), []string{s}} {
			m := newStore(body)
			m.headers["x"], m.headers["foo"], m.headers["bar"] = s, i, x
			synctest.Test(t, func(t *testing.T) {
				if errTemplate == nil {
					v, err := template.Eval(t.Context(), m)
					if err != nil && v != nil {
						t.Fatalf("%q of %#v = %#v, %v", text, body, v, err)
					}
				}
				if errPredicate == nil {
					_, _ = p.Holds(t.Context(), m)
				}
			})
			if fmt.Sprint(body) != fmt.Sprint(m.body) || reflect.TypeOf(body) != reflect.TypeOf(m.body) {
				t.Fatalf("%q changes the body", text)
			}
		}
	})
}
