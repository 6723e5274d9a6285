package simple_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/language/simple"
)

// store is a scope with everything that a scope can have.
type store struct {
	message
	variables, registered map[string]any
	placeholders          map[string]string
}

func (s *store) Value(kind language.Kind, name string) any {
	switch kind {
	case language.Headers:
		return s.headers
	case language.Variable:
		return s.variables[name]
	case language.Variables:
		return s.variables
	case language.Registered:
		return s.registered[name]
	case language.Placeholder:
		if v, ok := s.placeholders[name]; ok {
			return v
		}
		return nil
	}
	return s.message.Value(kind, name)
}

func (s *store) Set(kind language.Kind, name string, value any) error {
	switch {
	case kind == language.Header && value == nil:
		delete(s.headers, name)
	case kind == language.Header:
		s.headers[name] = value
	case kind == language.Variable:
		s.variables[name] = value
	default:
		return fmt.Errorf("a %s cannot be set", kind)
	}
	return nil
}

func newStore(body any) *store {
	return &store{
		message: message{body: body, headers: map[string]any{
			"name": "Ada", "n": 5, "csv": "a-b-c", "ids": []int{1, 2}, "num": "42", "key": "greeting",
			"camelmessagetimestamp": int64(1700000000000),
		}},
		variables: map[string]any{"global:total": 7, "route:a-b:last": 8, "level": "gold", "num": "99", "due": time.Unix(0, 0).UTC()},
		registered: map[string]any{
			"shout":  func(_ context.Context, v any) (any, error) { return fmt.Sprint(v) + "!", nil },
			"double": func(v any) (any, error) { return v.(int) * 2, nil },
			"plain":  func(v any) any { return v },
			"fails":  func(any) (any, error) { return nil, errors.New("no luck") },
			"limits": map[string]any{"max": 9},
		},
		placeholders: map[string]string{"greeting": "Hello", "empty": ""},
	}
}

// Results are those of Camel's documentation, where it has the example.
func TestFunctionsOfValues(t *testing.T) {
	abc := []any{"A", "B", "C"}
	tests := []struct {
		text string
		body any
		want any
	}{
		// text
		{"${trim('  hello world  ')}", nil, "hello world"},
		{"${trim()}", "  hello  ", "hello"},
		{"${trim}", "  hello  ", "hello"},
		{"${trim()}", nil, nil},
		{"${trim(${substringBetween('great','how')})}", "Hello great big World how are you", "big World"},
		{"${uppercase('Hello World')}", nil, "HELLO WORLD"},
		{"${lowercase()}", "HELLO", "hello"},
		{"${capitalize('hello world')}", nil, "Hello World"},
		{"${normalizeWhitespace()}", "   Hello  big   World      ", "Hello big World"},
		{"${substring(3)}", "ABCDEFGHIJK", "DEFGHIJK"},
		{"${substring(-3)}", "ABCDEFGHIJK", "ABCDEFGH"},
		{"${substring(1,-1)}", "ABCDEFGHIJK", "BCDEFGHIJ"},
		{"${substring(3,-2)}", "ABCDEFGHIJK", "DEFGHI"},
		{"${substring(3,2)}", "ABCDEFGHIJK", "DEFGHI"},
		{"${substring(1,0)}", "ABCDEFGHIJK", "BCDEFGHIJK"},
		{"${substring(99)}", "ABC", ""},
		{"${substring(1,-1,${header.name})}", "x", "d"},
		{"${substring(1)}", "üñí", "ñí"},
		{"${substringBefore('World')}", "Hello great big World how are you", "Hello great big "},
		{"${substringAfter('World')}", "Hello great big World how are you", " how are you"},
		{"${substringBetween('great','how')}", "Hello great big World how are you", " big World "},
		{"${substringAfter('x')}", "abc", nil},
		{"${substringAfter(${header.csv},'-')}", "abc", "b-c"},
		{"${substringBetween(${header.csv},'a-','-c')}", "abc", "b"},
		{"${replace(a,b)}", "Hello a how are you", "Hello b how bre you"},
		{"${replace(&quot; , &apos;)}", `say "hi"`, "say 'hi'"},
		{"${replace(&quot;, &empty;)}", `say "hi"`, "say hi"},
		{"${replace('Hello','Hi',${header.name})}", "x", "Ada"},
		{"${pad(${body},5)}", "foo", "foo  "},
		{"${pad(${body},-5)}", "foo", "  foo"},
		{"${pad(${body},-5,'@')}", "foo", "@@foo"},
		{"${pad(2)}", "foo", "foo"},
		{"${pad(${body},6,'ab')}", "foo", "fooaba"},
		{"${concat('Hello ',${body})}", "World", "Hello World"},
		{"${concat('Hello',${body},' ')}", "World", "Hello World"},
		{"${concat('!')}", "Hi", "Hi!"},
		{"${concat('a',${null})}", nil, "a"},
		{"${join()}", abc, "A,B,C"},
		{"${join(;)}", abc, "A;B;C"},
		{"${join(&,id=)}", abc, "id=A&id=B&id=C"},
		{"${join('&','id=','${header.ids}')}", abc, "id=1&id=2"},
		{"${split(:)}", "a:b:c", []string{"a", "b", "c"}},
		{`${split(\n)}`, "a\nb\n", []string{"a", "b"}},
		{"${split(${header.csv},-)}", nil, []string{"a", "b", "c"}},
		{"${split()[last-1]}", "a,b,c", "b"},
		{"${quote()}", "Hello World", `"Hello World"`},
		{"${quote(' Hi ')}", nil, `" Hi "`},
		{"${quote()}", "'Hi'", `"Hi"`},
		{"${unquote()}", "'hello'", "hello"},
		{"${unquote()}", "it's", "it's"},
		{"${safeQuote()}", "a\"b", `"a\"b"`},
		{"${safeQuote()}", 5, 5},
		{"${safeQuote()}", nil, nil},
		{"${escape(html, 'Tom & Jerry')}", nil, "Tom &amp; Jerry"},
		{"${escape(html)}", "Monday & Tuesday", "Monday &amp; Tuesday"},
		{"${escape(xml)}", `<a b="c'">`, "&lt;a b=&quot;c&apos;&quot;&gt;"},
		{"${escape(JSON)}", "a\"\n<", `a\"\n<`},
		{"${escape(javascript)}", "it's </x>", `it\'s <\/x>`},
		{"${escape(sql)}", "it's", "it''s"},
		{"${escape(url, 'Camel in Action')}", nil, "Camel%20in%20Action"},
		{"${base64Encode(Camel)}", nil, "Q2FtZWw="},
		{"${base64Decode(Q2FtZWw=)}", nil, []byte("Camel")},
		{"${bodyOneLine}", "a\r\nb\nc", "abc"},
		{"${length()}", "Hello", 5},
		{"${length('Hello World')}", nil, 11},
		{"${length()}", nil, 0},
		{"${size()}", abc, 3},
		{"${size('Hello World')}", nil, 1},
		{"${size()}", nil, 0},

		// numbers
		{"${abs(-5)}", nil, int64(5)},
		{"${abs()}", "-1.5", 1.5},
		{"${ceil(5.1)}", nil, int64(6)},
		{"${floor(5.7)}", nil, int64(5)},
		{"${floor()}", "-5.5", int64(-6)},
		{"${ceil()}", 7, int64(7)},
		{"${average()}", []int{10, 20, 30}, int64(20)},
		{"${average(1,2)}", nil, int64(1)},
		{"${average(1,2.5)}", nil, 1.75},
		{"${max()}", []any{10, 5, "30", 15}, int64(30)},
		{"${min()}", []any{10, 5, 30, 15}, int64(5)},
		{"${sum()}", []any{10, 20, 30}, int64(60)},
		{"${sum(${body},2)}", "5", int64(7)},
		{"${sum(${body},-2)}", "1,2,3", int64(4)},
		{"${sum()}", nil, int64(0)},
		{"${max()}", nil, nil},
		{"${range(3)}", nil, []any{0, 1, 2}},
		{"${range(1,3)}", nil, []any{1, 2}},
		{"${range(5,1)}", nil, []any{}},
		{"${random(7,8)}", nil, 7},
		{"${header.n}++", nil, int64(6)},
		{"${header.n++}", nil, int64(6)},
		{"${body.n--}", map[string]any{"n": 1}, int64(0)},
		{"${header.n}-- left", nil, "4 left"},
		{"${header.n}--x", nil, "5--x"},

		// lists and maps
		{"${list(1,2,3,${body})}", "4", []any{int64(1), int64(2), int64(3), "4"}},
		{"${list()}", "4", []any{}},
		{"${map(1,a,2,b,3,c)}", nil, map[string]any{"1": "a", "2": "b", "3": "c"}},
		{"${distinct('Z','X','Z','A','B','A','C','D','B','E')}", nil, []any{"Z", "X", "A", "B", "C", "D", "E"}},
		{"${distinct()}", []any{[]int{1}, []int{1}, 2, 2}, []any{[]int{1}, 2}},
		{"${reverse(1,2,3)}", nil, []any{int64(3), int64(2), int64(1)}},
		{"${sort()}", []string{"b", "a", "c"}, []any{"a", "b", "c"}},
		{"${sort(true)}", []string{"b", "a", "c"}, []any{"c", "b", "a"}},
		{"${sort(${header.ids},true)}", nil, []any{2, 1}},
		{"${sort()}", []any{"10", 9, nil, 9.5}, []any{nil, 9, 9.5, "10"}},
		{"${forEach(${body},'Hello ${body}')}", "Camel,World,Cheese", []any{"Hello Camel", "Hello World", "Hello Cheese"}},
		{"${forEach(${body},${substringAfter('a')})}", []any{"bar", "foo"}, []any{"r"}},
		{"${filter(${body},${length() > 4})}", "Camel,Dog,Cheese", []any{"Camel", "Cheese"}},
		{"${filter(${body},${contains(dog)})}", "Camel,Dog,Cheese", []any{"Dog"}},
		{"${filter(${body},${body} == 'Dog')}", "Camel,Dog,Cheese", []any{"Dog"}},
		{"${collate(2)}", []any{1, 2, 3}, []any{[]any{1, 2}, []any{3}}},
		{"${skip(1)}", abc, []any{"B", "C"}},
		{"${skip(9)}", abc, []any{}},
		{"${listAdd('D')}", abc, []any{"A", "B", "C", "D"}},
		{"${listAdd(${header.ids},3)}", nil, []any{1, 2, int64(3)}},
		{"${listRemove('B')}", abc, []any{"A", "C"}},
		{"${listRemove(0)}", abc, []any{"B", "C"}},
		{"${listRemove(last)}", abc, []any{"A", "B"}},
		{"${listRemove(7)}", abc, []any{"A", "B", "C"}},
		{"${mapAdd('country','DK')}", map[string]any{"a": 1}, map[string]any{"a": 1, "country": "DK"}},
		{"${mapAdd('b',2)}", map[string]int{"a": 1}, map[string]any{"a": 1, "b": int64(2)}},
		{"${mapRemove('a')}", map[string]any{"a": 1, "b": 2}, map[string]any{"b": 2}},
		{"${createEmpty(map)}", nil, map[string]any{}},
		{"${newEmpty(list)}", nil, []any{}},
		{"${empty(string)}", nil, ""},

		// conditions
		{"${contains(world)}", "Hello big World", true},
		{"${contains(camel)}", "Hello big World", false},
		{"${contains(${header.name},'d')}", nil, true},
		{"${isEmpty}", nil, true},
		{"${isEmpty()}", "", true},
		{"${isEmpty()}", []int{}, true},
		{"${isEmpty()}", "x", false},
		{"${isEmpty()}", 0, false},
		{"${isAlpha('Hello World')}", nil, false},
		{"${isAlpha('HelloWorld')}", nil, true},
		{"${isAlphaNumeric('abc1')}", nil, true},
		{"${isNumeric()}", 12, true},
		{"${isNumeric('1.2')}", nil, false},
		{"${isNumeric('')}", nil, false},
		{"${not()}", nil, true},
		{"${not()}", "Hello", false},
		{"${not(${body} == 'Hello')}", "Hello", false},
		{"${iif(${header.n} > 0,'positive','negative')}", nil, "positive"},
		{"${iif(${header.n} > 9,${body},${null})}", "x", nil},
		{"${iif(${header.n} > 9 || ${body} == 'x',1,2)}", "x", int64(1)},
		{"${assert(${body} == 'Hello', 'Must be Hello')}", "Hello", nil},

		// the message
		{"${bodyAs(String)}", 42, "42"},
		{"${bodyAs(int)}", "42", 42},
		{"${bodyAs(int)}", 42.0, 42},
		{"${bodyAs(long)}", []byte("42"), int64(42)},
		{"${bodyAs(double)}", "1.5", 1.5},
		{"${bodyAs(boolean)}", "TRUE", true},
		{"${bodyAs([]byte)}", "x", []byte("x")},
		{"${bodyAs(byte[])}", 5, []byte("5")},
		{"${bodyAs(time.Time)}", "2026-11-22T10:00:00Z", time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)},
		{"${bodyAs(int)}", nil, nil},
		{"${mandatoryBodyAs(Integer)}", "7", 7},
		{"${convertTo(${body},String)}", 5, "5"},
		{"${convertTo(list).size}", "a,b", 2},
		{"${headerAs(num,Integer)}", nil, 42},
		{"${variableAs(num,Integer)}", nil, 99},
		{"${int:header.num}", nil, 42},
		{"${long:variable.num}", nil, int64(99)},
		{"${string:header.n}", nil, "5"},
		{"${boolean:body}", "true", true},
		{"${kindOfType('Hello')}", nil, "string"},
		{"${kindOfType(123)}", nil, "number"},
		{"${kindOfType()}", abc, "array"},
		{"${kindOfType()}", map[string]any{}, "object"},
		{"${kindOfType()}", nil, "null"},
		{"${kindOfType()}", true, "boolean"},
		{"${variable.level}", nil, "gold"},
		{"${variable:level}", nil, "gold"},
		{"${variable.global:total}", nil, 7},
		{"${variable:route:a-b:last}", nil, 8},
		{"${variables.size}", nil, 5},
		{"${headers.size() > 3}", nil, true},
		{"${headers[name]}", nil, "Ada"},
		{"${in.body}", "b", "b"},
		{"${in.header.name}", "b", "Ada"},
		{"${properties:greeting}", nil, "Hello"},
		{"${properties:none:Hi ${header.name}}", nil, "Hi Ada"},
		{"${properties:none:}", nil, ""},
		{"${properties:${header.key}}", nil, "Hello"},
		{"${propertiesExist:greeting}", nil, true},
		{"${propertiesExist:!greeting}", nil, false},
		{"${propertiesExist:none}", nil, false},
		{"${ref:limits.max}", nil, 9},
		{"${ref:none}", nil, nil},
		{"${function(shout)}", "hey", "hey!"},
		{"${function(double,${header.n})}", nil, 10},
		{"${function(plain,5)}", nil, int64(5)},
		{"${messageTimestamp}", nil, int64(1700000000000)},
		{"${val(abc)}", nil, "abc"},
		{"${val(${body})}", 5, 5},
		{"${null}", 1, nil},
		{"${date:variable.due:yyyy}", nil, "1970"},

		// others
		{"${hash(hello)}", nil, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
		{"${hash()}", "hello", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
		{"${hash(hello,md5)}", nil, "5d41402abc4b2a76b9719d911017c592"},
		{"${hash(${body},SHA3-256)}", "hello", "3338be694f50c5f338814986cdf0686453a888b84f424d792af4b9202398f392"},
		{"${toJson()}", map[string]any{"name": "<Jack>", "id": 123}, `{"id":123,"name":"<Jack>"}`},
		{"${toJsonBody}", "text", "text"},
		{"${toPrettyJson()}", map[string]any{"id": 123}, "{\n  \"id\": 123\n}"},
		{"${toPrettyJsonBody}", nil, nil},
		{"${pretty()}", `{"id": 1}`, "{\n  \"id\": 1\n}"},
		{"${prettyBody}", "no json", "no json"},

		// operators in templates
		{"${header.none} ?: 'Guest'", nil, "Guest"},
		{"Hi ${header.none} ?: 'Guest'!", nil, "Hi Guest!"},
		{"${header.none ?: 10}", nil, int64(10)},
		{"${header.n ?: 10}", nil, 5},
		{"${body} ?: ${header.n}", 0, 5},
		{"${body} ?: ${header.n}", "  ", 5},
		{"${substringAfter('Hello')} ~> ${trim()} ~> ${uppercase()}", "Hello World", "WORLD"},
		{"${trim()} ~> ${replace('Hello','Hi')} ~> ${split(' ')} ~> ${size()}", "   Hello World from the Camel ", 5},
		{"${trim()} ~> ${replace('Hello','Hi',$param)} ~> ${split($param,' ')} ~> ${size($param)}", "   Hello World from the Camel ", 5},
		{"${header.none} ?~> ${function(fails)}", nil, nil},
		{"${body} ~> ${forEach(${body},${concat(${body},$param)})}", "a,b", []any{"aa,b", "ba,b"}},
		{"${header.n > 0 ? 'positive' : 'negative'}", nil, "positive"},
		{"${header.n > 9 ? 1 : ${header.n >= 5 ? 'B' : 'C'}}", nil, "B"},
		{"Over three: ${header.n > 3}", nil, "Over three: true"},
		{"${body.size()} == 0 ? ${null} : ${body[0]}", []any{"x"}, "1 == 0 ?  : x"},
		{"a ?: b && c == d", nil, "a ?: b && c == d"},
	}
	for _, test := range tests {
		template := parse(t, test.text)
		got, err := template.Eval(t.Context(), newStore(test.body))
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s of %#v = %#v, %v; want %#v", test.text, test.body, got, err, test.want)
		}
		text, err := template.Append(t.Context(), nil, newStore(test.body))
		value := parse(t, "${body}")
		want, _ := value.Append(t.Context(), nil, &message{body: test.want})
		if err != nil || string(text) != string(want) {
			t.Errorf("the text of %s of %#v = %q, %v; want %q", test.text, test.body, text, err, want)
		}
	}
}

func TestFunctionsByChance(t *testing.T) {
	t.Setenv("MEHARI_SIMPLE_TEST", "set")
	for text, want := range map[string]string{
		"${uuid}":                       `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
		"${uuid(random)}":               `^[0-9a-f-]{36}$`,
		"${uuid(simple)}":               `^[0-9a-f]{32}$`,
		"${uuid(short)}":                `^[0-9a-f]{16}$`,
		"${random(10)}":                 `^\d$`,
		"${hostname}${hostName()}":      `^.+$`,
		"${env.MEHARI_SIMPLE_TEST}":     `^set$`,
		"${sysenv:MEHARI_SIMPLE_TEST}":  `^set$`,
		"${env.MEHARI_SIMPLE_NOT_SET}.": `^\.$`,
		"${shuffle(1,1)}":               `^\[1 1\]$`,
	} {
		got, err := parse(t, text).Append(t.Context(), nil, newStore(nil))
		if err != nil || !regexp.MustCompile(want).Match(got) {
			t.Errorf("%s = %q, %v; want %s", text, got, err, want)
		}
	}
	got, err := parse(t, "${shuffle()} ~> ${sort()}").Eval(t.Context(), newStore("3,1,2"))
	if err != nil || !reflect.DeepEqual(got, []any{"1", "2", "3"}) {
		t.Errorf("shuffled and sorted: %v, %v", got, err)
	}
}

func TestSetting(t *testing.T) {
	s := newStore("7")
	for _, text := range []string{"${setHeader(a,${body})}", "${setHeader(b,int,${body})}", "${setHeader(name,${null})}", "${setVariable(c,'x${body}')}"} {
		if v, err := parse(t, text).Eval(t.Context(), s); err != nil || v != nil {
			t.Errorf("%s = %v, %v; want nil", text, v, err)
		}
	}
	if s.headers["a"] != "7" || s.headers["b"] != 7 || s.variables["c"] != "x7" {
		t.Errorf("headers %v, variables %v", s.headers, s.variables)
	}
	if _, ok := s.headers["name"]; ok {
		t.Error("nil does not remove a header")
	}
	if _, err := parse(t, "${body} ~> ${setHeader(d,${body})}").Eval(t.Context(), s); err != nil || s.headers["d"] != "7" {
		t.Errorf("in a chain: %v, %v", s.headers, err)
	}
}

// The body that a function is given does not change: others may share it.
func TestFunctionsDoNotChangeWhatTheyAreGiven(t *testing.T) {
	for _, text := range []string{"${listAdd(4)}", "${listRemove(0)}", "${reverse()}", "${sort(true)}", "${shuffle()}", "${skip(1)} ~> ${listAdd(9)}", "${distinct()}"} {
		body := append(make([]any, 0, 8), 1, 2, 3)
		if _, err := parse(t, text).Eval(t.Context(), newStore(body)); err != nil || fmt.Sprint(body[:4]) != "[1 2 3 <nil>]" {
			t.Errorf("%s leaves %v, %v", text, body[:4], err)
		}
	}
	body := map[string]any{"a": 1}
	for _, text := range []string{"${mapAdd(b,2)}", "${mapRemove(a)}"} {
		if _, err := parse(t, text).Eval(t.Context(), newStore(body)); err != nil || len(body) != 1 {
			t.Errorf("%s leaves %v, %v", text, body, err)
		}
	}
}

func TestErrorsOfFunctions(t *testing.T) {
	tests := []struct {
		text string
		body any
		want string
	}{
		{"${bodyAs(int)}", "12.5", `bodyAs: cannot convert string to int: it is the text of a number`},
		{"${bodyAs(int)}", "secret", `bodyAs: cannot convert string to int: it is a text that is no number`},
		{"${bodyAs(map)}", "x", `bodyAs: cannot convert string to map: it is a text that is no number`},
		{"${mandatoryBodyAs(string)}", nil, `mandatoryBodyAs: want a string, the body is nil`},
		{"${abs()}", "x", `abs: want a number, have a text that is no number`},
		{"${sum(1,x)}", nil, `sum: want numbers, element 1 is a text that is no number`},
		{"${sum(9223372036854775807,1)}", nil, `sum: the number does not fit an int64`},
		{"${substring(x)}", "abc", `substring: want a whole number, have a text that is no number`},
		{"${random(1)} ~> ${random(5,5)}", nil, `random: want a number below 5 to begin with, have 5`},
		{"${range(9000000)}", nil, `range: want at most 1000000 numbers, have 9000000`},
		{"${pad('a',999999999)}", nil, `pad: want a width below 67108864`},
		{"${replace(${header.none},x)}", "abc", `replace: want a text to replace, have an empty one`},
		{"${collate(0)}", "a", `collate: want a size of at least 1, have 0`},
		{"${sort()}", []any{1, []int{2}}, `sort: cannot tell which is greater: a value of type []int or a number`},
		{"${mapAdd(a,b)}", 5, `mapAdd: want a map whose keys are texts, have a number`},
		{"${base64Decode()}", "***", `base64Decode: want text in base64`},
		{"${throwException('no stock for ${body}')}", 5, `throwException: no stock for 5`},
		{"${assert(${body} == 'Hello', 'Must be Hello')}", "Hi", `assert: Must be Hello`},
		{"${properties:none}", nil, `properties: there is no property "none", and no default`},
		{"${function(none)}", nil, `function: nothing is registered as "none"`},
		{"${function(limits)}", nil, `function: want a func(context.Context, any) (any, error) registered as "limits", there is a map[string]interface {}`},
		{"${function(fails)}", nil, `function: no luck`},
		{"${toJson()}", func() {}, `toJson: a func() has no form in JSON: json: unsupported type: func()`},
		{"${body}++", "x", `++: want a number, have a text that is no number`},
		{"${body}++", int64(1<<63 - 1), `++: 9223372036854775807 does not fit an int64`},
		{"${setHeader('',1)}", nil, `setHeader: want a name`},
	}
	for _, test := range tests {
		got, err := parse(t, test.text).Eval(t.Context(), newStore(test.body))
		if err == nil || err.Error() != "simple: "+test.want {
			t.Errorf("%s of %v = %v, %v; want %s", test.text, test.body, got, err, test.want)
		}
	}
	if _, err := parse(t, "${setHeader(a,1)}").Eval(t.Context(), order()); err == nil || !strings.Contains(err.Error(), "cannot be changed here") {
		t.Errorf("a scope that cannot be written: %v", err)
	}
	for text, want := range map[string]string{
		"${body} > 1":           "cannot tell which is greater: a text that is no number or a number",
		"${body} regex ${body}": "regex: error parsing regexp: missing closing ): `(`",
		"1 range ${body}":       "range: want a text such as 100..199, have a text that is no number",
	} {
		p, err := simple.ParsePredicate(text)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := p.Holds(t.Context(), newStore("(")); ok || err == nil || err.Error() != "simple: "+want {
			t.Errorf("%s = %t, %v; want %s", text, ok, err, want)
		}
	}
	double := "${pad('a',9999999)}" + strings.Repeat(" ~> ${concat($param,$param)}", 40)
	for _, text := range []string{double, strings.ReplaceAll(double, "concat($param,$param)", "trim('${body}${body}')")} {
		if _, err := parse(t, text).Eval(t.Context(), newStore(nil)); err == nil || !strings.Contains(err.Error(), "longer than 67108864 bytes") {
			t.Errorf("a text that doubles 40 times: %v", err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	for _, text := range []string{"${forEach(${body},${body})}", "${filter(${body},true)}"} {
		if _, err := parse(t, text).Eval(ctx, newStore("a,b")); err == nil || !strings.Contains(err.Error(), "enough") {
			t.Errorf("%s with a context that is done: %v", text, err)
		}
	}
	p := predicate(t, "'a' regex ${body}")
	if _, err := p.Holds(t.Context(), newStore(strings.Repeat("a", 1001))); err == nil || !strings.Contains(err.Error(), "want an expression of at most 1000 bytes, have 1001") {
		t.Errorf("a long regular expression: %v", err)
	}
}
