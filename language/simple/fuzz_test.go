package simple_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/mehari-go/mehari/language/simple"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "text", "${body}", "a ${header.x}\\n$simple{header['x y']} \\}", "${date:now-1h30m:yyyy-MM-dd'T'HH:mm:ss.SSSXXX}",
		"${date-with-timezone:header.t+1d:GMT+02:00:EEEE D zzz}", "${exception.message}${exchangeProperty[a]}", "${header.${body}}",
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
			if string(appended) != string(same) || fmt.Sprint(err) != fmt.Sprint(errSame) {
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
