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
		{"${bean:x}", `simple: column 3: unknown function "bean": there are no classes: use a func(*route.Exchange), or ${function(name)}
	${bean:x}
	  ^`},
		{"${trimm()}", `simple: column 3: unknown function "trimm" (did you mean "trim"?)
	${trimm()}
	  ^`},
		{"${trim(a,b)}", `simple: column 7: want trim() or with one argument, there are 2 arguments
	${trim(a,b)}
	      ^`},
		{"${replace(a)}", `simple: column 10: want replace(from, to) or (from, to, value), there are 1 arguments
	${replace(a)}
	         ^`},
		{"${trim(abc}", `simple: column 12: want "," or ")" after an argument of "trim", the text ends
	${trim(abc}
	           ^`},
		{"${trim('abc)}", `simple: column 8: want a second ' to end the text
	${trim('abc)}
	       ^`},
		{"${trim($param)}", `simple: column 8: "$param" is what a chain passes on: want it after "~>"
	${trim($param)}
	       ^`},
		{"${uuid(long)}", `simple: column 7: unknown kind of uuid "long", known are classic, default, random, short, simple
	${uuid(long)}
	      ^`},
		{"${hash(a,SHA-257)}", `simple: column 7: unknown hash "SHA-257" (did you mean "SHA-256"?)
	${hash(a,SHA-257)}
	      ^`},
		{"${bodyAs(java.util.Locale)}", `simple: column 9: unknown type "java.util.Locale", known are string, bool, int, int64, float64, number, []byte, time.Time, map, list, error and the types of packages such as *shop.Order
	${bodyAs(java.util.Locale)}
	        ^`},
		{"${map(a)}", `simple: column 6: want a value for each key, there are 1 arguments
	${map(a)}
	     ^`},
		{"${body.get(1)}", `simple: column 12: want ")": a method that takes something, as "get" may, cannot be called, there is "1)"
	${body.get(1)}
	           ^`},
		{"${body.}", `simple: column 8: want a name, there is "}"
	${body.}
	       ^`},
		{"${body ~> x}", `simple: column 11: unknown function "x", ` + known + `
	${body ~> x}
	          ^`},
		{"${body} ~> x", `simple: column 12: want a function such as ${trim()} to pass the value to, there is "x"
	${body} ~> x
	           ^`},
		{"${body} ?: x", `simple: column 12: want a text in quotes, a number, true, false, null or a function such as ${body}, there is "x"
	${body} ?: x
	           ^`},
		{"${body} ~> ${boddy} ${x}", `simple: column 14: unknown function "boddy" (did you mean "body"?)
	${body} ~> ${boddy} ${x}
	             ^
simple: column 23: unknown function "x", ` + known + `
	${body} ~> ${boddy} ${x}
	                      ^`},
		{"${body ? 1}", `simple: column 11: want ":" with blanks around it after "?", there is "}"
	${body ? 1}
	          ^`},
		{"${in.x}", `simple: column 6: want "body" or "header" after "in.", there is "x"
	${in.x}
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

func TestPredicateSyntaxErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"${body} == foo", `simple: column 12: want a text in quotes, a number, true, false, null or a function such as ${body}, there is "foo"
	${body} == foo
	           ^`},
		{"${body} =='foo'", `simple: column 9: want an operator with blanks around it, or the end, there is "=='foo'"
	${body} =='foo'
	        ^`},
		{"${body} = 'foo'", `simple: column 9: want an operator with blanks around it, or the end (did you mean ==?), there is "="
	${body} = 'foo'
	        ^`},
		{"${body} !> 1", `simple: column 9: want an operator with blanks around it, or the end, there is "!>"
	${body} !> 1
	        ^`},
		{"${body} and ${body}", `simple: column 9: want an operator with blanks around it, or the end (did you mean &&?), there is "and"
	${body} and ${body}
	        ^`},
		{"${body} starts with 'a'", `simple: column 9: want an operator with blanks around it, or the end (did you mean startsWith?), there is "starts"
	${body} starts with 'a'
	        ^`},
		{"${header.a or header.b}", `simple: column 12: want "}" after "header.a" (did you mean ||?), there is "or"
	${header.a or header.b}
	           ^`},
		{"${body} ==", `simple: column 11: want a text in quotes, a number, true, false, null or a function such as ${body}, the text ends
	${body} ==
	          ^`},
		{"== 'x'", `simple: column 1: want a text in quotes, a number, true, false, null or a function such as ${body}, there is "=="
	== 'x'
	^`},
		{"body == 'x'", `simple: column 1: want a text in quotes, a number, true, false, null or a function such as ${body}, there is "body"
	body == 'x'
	^`},
		{"${body} == 'x", `simple: column 12: want a second ' to end the text
	${body} == 'x
	           ^`},
		{"${body} regex 'a('", "simple: column 15: error parsing regexp: missing closing ): `a(`\n\t${body} regex 'a('\n\t              ^"},
		{"${body} range 100.200", `simple: column 15: want a range of numbers such as '100..199', there is "100.2"
	${body} range 100.200
	              ^`},
		{"${body} range 'abc..200'", `simple: column 15: want a range of numbers such as '100..199', there is "abc..200"
	${body} range 'abc..200'
	              ^`},
		{"${body} is 'com.my.Thing x'", `simple: column 12: unknown type "com.my.Thing x", known are string, bool, int, int64, float64, number, []byte, time.Time, map, list, error and the types of packages such as *shop.Order
	${body} is 'com.my.Thing x'
	           ^`},
		{"${body} is null", `simple: column 12: want the name of a type in quotes, such as 'string' or '[]byte', after "is"
	${body} is null
	           ^`},
		{"!${body} == 'x'", `simple: column 9: want "&&", "||" or the end after a function with "!": it says the opposite of a function, not of a comparison
	!${body} == 'x'
	        ^`},
		{"${body} == !${body}", `simple: column 12: "!" cannot stand after an operator
	${body} == !${body}
	           ^`},
		{"! ${body}", `simple: column 2: want a function such as ${isEmpty()} right after "!", there is " "
	! ${body}
	 ^`},
		{"${body} > 1 ? 2", `simple: column 16: want ":" with blanks around it after "?", the text ends
	${body} > 1 ? 2
	               ^`},
		{strings.Repeat("${not(", 60), `simple: column 301: want at most 50 functions and texts inside of each other
	…(` + strings.Repeat("${not(", 12) + `${not…
	  ` + strings.Repeat(" ", 48) + `^`},
	}
	for _, test := range tests {
		p, err := simple.ParsePredicate(test.text)
		if err == nil {
			t.Errorf("ParsePredicate(%q) = %q", test.text, p)
		} else if err.Error() != test.want {
			t.Errorf("%q: got\n%v\nwant\n%s", test.text, err, test.want)
		}
	}
	if _, err := simple.ParsePredicate(strings.Repeat("1 == 1 && ", 5000) + "true"); err == nil || !strings.Contains(err.Error(), "want at most 1000 operators") {
		t.Errorf("many operators: %v", err)
	}
	for _, text := range []string{strings.Repeat("${", 1e5), strings.Repeat("${trim('", 1e5), strings.Repeat("1 ? ", 1e5), strings.Repeat("!", 1e5), "${" + strings.Repeat("!", 1e5)} {
		if _, err := simple.ParsePredicate(text); err == nil {
			t.Errorf("ParsePredicate(%.20q…) takes it", text)
		}
		if _, err := simple.Parse(text); err == nil && strings.Contains(text, "$") {
			t.Errorf("Parse(%.20q…) takes it", text)
		}
	}
}
