package simple_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/language/simple"
)

func TestSyntaxErrors(t *testing.T) {
	const known = "the documentation of package language/simple lists what is known"
	tests := []struct{ text, want string }{
		{"Hello ${boddy}!", `simple: column 9: unknown function "boddy" (did you mean "body"?)
	Hello ${boddy}!
	        ^`},
		{"${Body}", `simple: column 3: unknown function "Body" (did you mean "body"?)
	${Body}
	  ^`},
		{"${exchangeID}", `simple: column 3: unknown function "exchangeID" (did you mean "exchangeId"?)
	${exchangeID}
	  ^`},
		{"${property.x}", `simple: column 3: unknown function "property", ` + known + `
	${property.x}
	  ^`},
		{"${threadName}", `simple: column 3: unknown function "threadName": it is a part of the Java virtual machine or of Camel itself
	${threadName}
	  ^`},
		{"${}", `simple: column 3: want the name of a function, there is "}"
	${}
	  ^`},
		{"a $simple{", `simple: column 11: want the name of a function, the text ends
	a $simple{
	          ^`},
		{"${.x}", `simple: column 3: want the name of a function, there is ".x"
	${.x}
	  ^`},
		{"${body", `simple: column 7: want "}" to close "${", the text ends
	${body
	      ^`},
		{"$simple{header.x", `simple: column 17: want "}" to close "$simple{", the text ends
	$simple{header.x
	                ^`},
		{"${routeId x}", `simple: column 11: want "}" after "routeId", there is "x"
	${routeId x}
	          ^`},
		{"${header}", `simple: column 9: want ".name" or "['name']" after "header", there is "}"
	${header}
	        ^`},
		{"${exchangeProperty?.x}", `simple: column 19: want ".name" or "['name']" after "exchangeProperty", there is "?.x"
	${exchangeProperty?.x}
	                  ^`},
		{"${header.}", `simple: column 10: want a name, there is "}"
	${header.}
	         ^`},
		{"${header.a.}", `simple: column 12: want a name, there is "}"
	${header.a.}
	           ^`},
		{"${header.a..b}", `simple: column 12: want a name, there is ".b"
	${header.a..b}
	           ^`},
		{"${header..b}", `simple: column 10: want a name, there is ".b"
	${header..b}
	         ^`},
		{"${header.a b}", `simple: column 12: want "}" after "header.a", there is "b"
	${header.a b}
	           ^`},
		{"${header[]}", `simple: column 10: want a name, there is "]"
	${header[]}
	         ^`},
		{"${header['']}", `simple: column 12: want a name, there is "]"
	${header['']}
	           ^`},
		{"${header['a]}", `simple: column 14: want ' to end the name, the text ends
	${header['a]}
	             ^`},
		{"${header[a}", `simple: column 11: want "]" after the name "a", there is "}"
	${header[a}
	          ^`},
		{"${header['a'b]}", `simple: column 13: want "]" after the name "a", there is "b]"
	${header['a'b]}
	            ^`},
		{"${header.${body}}", `simple: column 10: want a name, there is "${body"
	${header.${body}}
	         ^`},
		{"Grüße\n\tan ${bod} in\nRom", `simple: line 2, column 7: unknown function "bod" (did you mean "body"?)
	 an ${bod} in
	      ^`},
		{
			strings.Repeat("long ", 30) + "${bodi}" + strings.Repeat(" long", 30),
			`simple: column 153: unknown function "bodi" (did you mean "body"?)
	…g long long long long long long long long long ${bodi} long long long long lon…
	                                                  ^`,
		},
		{"${a} ${header.${b}} ${body} ${c}", `simple: column 3: unknown function "a", ` + known + `
	${a} ${header.${b}} ${body} ${c}
	  ^
simple: column 15: want a name, there is "${b"
	${a} ${header.${b}} ${body} ${c}
	              ^
simple: column 31: unknown function "c", ` + known + `
	${a} ${header.${b}} ${body} ${c}
	                              ^`},
	}
	for _, test := range tests {
		t.Run(test.text, func(t *testing.T) {
			template, err := simple.Parse(test.text)
			if err == nil {
				t.Fatalf("Parse(%q) = %q", test.text, template)
			}
			if err.Error() != test.want {
				t.Errorf("got\n%v\nwant\n%s", err, test.want)
			}
			if syntax, ok := errors.AsType[*simple.SyntaxError](err); !ok || syntax.Source != test.text {
				t.Errorf("got %#v, want a SyntaxError with the source", err)
			}
		})
	}
}
