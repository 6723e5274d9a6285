package simple_test

import (
	"errors"
	"testing"
	"time"

	"github.com/mehari-go/mehari/language/simple"
)

// shop is the message of the tests of operators: the headers are those of Camel's own
// tests.
func shop() *message {
	return &message{
		body: map[string]any{"amount": 150, "tags": []any{"a", "b", 3}, "name": "Ada", "none": nil},
		headers: map[string]any{
			"foo": "abc", "bar": 123, "num": -123, "strnum": "70", "float": "0.02", "yes": true, "no": false,
			"empty": "", "blank": "  ", "bytes": []byte("abc"), "padded": "0001", "long": "12345678901234567890123",
			"list": []string{"gold", "silver"}, "time": time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), "word": level(2),
			"err": errors.New("no stock"), "nothing": []any{}, "big": uint64(1<<64 - 1), "zero": 0, "half": 0.5,
			"pattern": `\d+`, "range": "1..5", "kind": named("gold"), "falsetext": "False",
		},
	}
}

// level is a number with a name.
type level int

func (l level) String() string { return [...]string{"low", "middle", "high"}[l] }

var predicates = []struct {
	text string
	want bool
}{
	// ==, from Camel's SimpleOperatorTest
	{"${header.foo} == 'abc'", true},
	{"${header.foo} == 'def'", false},
	{"${header.foo} == '1'", false},
	{`${header.foo} == "abc"`, true},
	{"${header.foo} == '-'", false},
	{"${header.bar} == '-'", false},
	{"${header.yes} == true", true},
	{"${header.yes} == 'true'", true},
	{"${header.no} == false", true},
	{"${header.no} == 'FALSE'", true},
	{"${header.yes} == 'yes'", false},
	{"'true' == ${header.yes}", true},
	{"${header.bar} == '123'", true},
	{"${header.bar} == 123", true},
	{"${header.bar} == '444'", false},
	{"${header.bar} == 1", false},
	{"${header.bar} == -123", false},
	{"${header.num} == -123", true},
	{"${header.bar} == 123.0", true},
	{"${header.float} == 0.02", true},
	{"${header.strnum} == 70", true},
	{"70 == ${header.strnum}", true},
	{"${header.padded} == '001'", true},
	{"${header.padded} == 1", true},
	{"${header.long} == '12345678901234567890124'", false},
	{"${header.long} == '012345678901234567890123'", true},
	{"${header.bytes} == 'abc'", true},
	{"${header.kind} == 'gold'", true},
	{"${header.word} == 'high'", true},
	{"${header.word} == 2", true},
	{"${header.word} == 'low'", false},
	{"${header.err} == 'no stock'", true},
	{"${header.big} == 18446744073709551615", true},
	{"${header.big} == -1", false},
	{"${header.time} == '2026-11-22T13:00:00+01:00'", true},
	{"${header.time} == '2026-11-22'", false},
	{"${header.list} == ${header.list}", true},
	{"${header.foo} == ${header.bar}", false},
	{"${header.foo} == ${header.bytes}", true},
	{"${header.none} == null", true},
	{"${header.foo} == null", false},
	{"${header.none} != null", false},
	{"${header.foo} != null", true},
	{"${header.empty} == null", false},
	{"${header.empty} == ''", true},
	{`${header.empty} == ""`, true},
	{"${header.blank} == ''", false},
	{"${header.none} == 'x'", false},
	{"${header.none} == ${header.none2}", true},
	{"'Hello ${header.foo}' == 'Hello abc'", true},
	{"${header.foo} == '${header.foo}'", true},
	{`${header.foo} == 'a\tb'`, false},

	{"${header.foo} =~ 'ABC'", true},
	{"${header.foo} =~ 'Def'", false},
	{"${header.bar} =~ 123", true},
	{"${header.bar} =~ -123", false},
	{"${header.foo} != 'abc'", false},
	{"${header.foo} != 'def'", true},
	{"${header.bar} != 123", false},
	{"${header.bar} != '-'", true},
	{"${header.foo} !=~ 'ABC'", false},
	{"${header.foo} !=~ 'Def'", true},
	{"${header.padded} equals '001'", false},
	{"${header.padded} equals '0001'", true},
	{"${header.padded} !equals '001'", true},
	{"${header.none} equals null", true},
	{"${header.foo} equals null", false},

	// sizes
	{"${header.bar} > 100", true},
	{"${header.bar} > '100'", true},
	{"${header.bar} > 123", false},
	{"${header.bar} >= 123", true},
	{"${header.bar} < 200", true},
	{"${header.bar} <= '123'", true},
	{"${header.bar} < 100", false},
	{"${header.foo} > 'aaa'", true},
	{"${header.foo} > 'def'", false},
	{"${header.foo} >= 'abc'", true},
	{"${header.strnum} > 8", true},
	{"${header.strnum} < 777", true},
	{"100 < ${header.bar}", true},
	{"${header.float} > 0.01", true},
	{"${header.float} < 0.02", false},
	{"${header.float} >= 0.02", true},
	{"${header.half} > 0", true},
	{"${header.num} < 0.5", true},
	{"${header.big} > 1", true},
	{"1.5 < ${header.big}", true},
	{"'0099' <= '555'", true},
	{"'-5' < '4'", true},
	{"'-0' == '0'", true},
	{"'-6' < '-5'", true},
	{"${header.none} > 1", false},
	{"${header.none} < 1", false},
	{"${header.none} >= null", true},
	{"${header.none} < null", false},
	{"${header.yes} > ${header.no}", true},
	{"${header.time} > '2026-11-21T00:00:00Z'", true},
	{"${header.time} < '2026-11-21'", false},
	{"9007199254740993 > 9007199254740992.0", true},
	{"1.5 > 1", true},
	{"-1.5 < -1", true},

	// contains
	{"${header.foo} contains 'b'", true},
	{"${header.foo} contains 'B'", false},
	{"${header.foo} !contains 'def'", true},
	{"${header.foo} not contains 'b'", false},
	{"${header.bar} contains '2'", true},
	{"'the answer is 42' contains 42", true},
	{"${header.foo} ~~ 'Ab'", true},
	{"${header.foo} ~~ 'defG'", false},
	{"${header.foo} !~~ 'AB'", false},
	{"${header.list} contains 'gold'", true},
	{"${header.list} contains 'gol'", false},
	{"${header.list} ~~ 'GOL'", true},
	{"${body} contains 'amount'", true},
	{"${body.tags} contains 3", true},
	{"${header.none} contains 'x'", false},

	// text
	{"${header.foo} startsWith 'ab'", true},
	{"${header.foo} !startsWith 'b'", true},
	{"${header.foo} endsWith 'bc'", true},
	{"${header.foo} !endsWith 'bc'", false},
	{"${header.none} startsWith 'a'", false},
	{"${header.bar} startsWith 12", true},
	{"${header.foo} regex '^a..$'", true},
	{"${header.foo} regex 'a.'", false},
	{"${header.bar} regex '\\d{3}'", true},
	{"${header.bar} regex '^\\d{2}'", false},
	{"${header.foo} !regex '^d.*$'", true},
	{"${header.foo} not regex 'x|abc'", false},
	{"${header.bar} regex ${header.pattern}", true},
	{"${header.none} regex '.*'", false},

	// in, is, range
	{"${header.foo} in 'foo,abc,def'", true},
	{"${header.foo} in 'foo,def'", false},
	{"${header.bar} in '100,123,200'", true},
	{"${header.bar} !in '100,123,200'", false},
	{"${header.foo} not in 'foo,def'", true},
	{"${header.kind} in ${header.list}", true},
	{"${header.empty} in ',,gold'", true},
	{"${header.bar} in 123", true},
	{"${header.foo} is 'string'", true},
	{"${header.foo} is 'String'", true},
	{"${header.foo} is 'java.lang.String'", true},
	{"${header.foo} is 'int'", false},
	{"${header.bar} is 'Integer'", true},
	{"${header.foo} !is 'int'", true},
	{"${header.foo} not is 'string'", false},
	{"${header.bytes} is '[]byte'", true},
	{"${header.time} is 'time.Time'", true},
	{"${body} is 'map'", true},
	{"${body.tags} is 'list'", true},
	{"${header.half} is 'number'", true},
	{"${header.half} is 'float64'", true},
	{"${header.kind} is 'simple_test.named'", true},
	{"${header.err} is 'error'", true},
	{"${header.err} is '*errors.errorString'", true},
	{"${header.none} is 'string'", false},
	{"${header.yes} is 'bool'", true},
	{"${header.bar} range '100..200'", true},
	{"${header.bar} range 100..200", true},
	{"${header.bar} range '200..300'", false},
	{"${header.bar} range 123..123", true},
	{"${header.foo} range '200..300'", false},
	{"${header.bar} !range '200..300'", true},
	{"${header.foo} not range 1..2", true},
	{"${header.num} range -200..0", true},
	{"${header.half} range 0.25..0.75", true},
	{"3 range ${header.range}", true},

	// logic, from left to right
	{"${header.foo} == 'abc' && ${header.bar} == 123", true},
	{"${header.foo} == 'abc' && ${header.bar} == 444", false},
	{"${header.foo} == 'x' || ${header.bar} == 123", true},
	{"${header.foo} == 'x' || ${header.bar} == 4 || ${header.foo} == 'abc'", true},
	{"true || true && false", false},
	{"true || ${true && false}", true},
	{"false && true || true", true},
	{"${header.foo == 'abc' && header.bar == 123}", true},
	{"!${header.none}", true},
	{"!${header.foo}", false},
	{"${!header.none}", true},
	{"${!!header.none}", false},
	{"!${header.none} && ${header.foo} == 'abc'", true},
	{"${body.tags.size() > 2 && body.amount == 150}", true},

	// what holds alone
	{"", false},
	{"  ", false},
	{"true", true},
	{"false", false},
	{"null", false},
	{"'text'", true},
	{"''", false},
	{"0", true},
	{"${header.yes}", true},
	{"${header.no}", false},
	{"${header.foo}", true},
	{"${header.none}", false},
	{"${header.empty}", false},
	{"${header.blank}", false},
	{"${header.falsetext}", false},
	{"${header.nothing}", false},
	{"${header.list}", true},
	{"${header.zero}", true},

	// other operators
	{"${header.bar}++ == 124", true},
	{"${header.bar++ == 124}", true},
	{"${124 == header.bar++}", true},
	{"${header.bar-- > 121 && header.bar-- < 123}", true},
	{"${header['bar++']} == null", true},
	{"${header.bar}-- < 123", true},
	{"${header.bar}++", true},
	{"${header.half}++ == 1.5", true},
	{"${header.strnum}++ == 71", true},
	{"${header.none} ?: 'x' == 'x'", true},
	{"${header.bar} > 100 ? true : false", true},
	{"${header.bar} > 200 ? true : false", false},
	{"${header.bar} > 200 ? 1 : ${header.bar} > 100 ? false : true", false},
	{"${header.foo} ~> ${uppercase()} == 'ABC'", true},
	{"${header.none} ?~> ${uppercase()} == null", true},
	{" \n${header.foo}\t==\n'abc' ", true},
}

func TestPredicates(t *testing.T) {
	for _, test := range predicates {
		p, err := simple.ParsePredicate(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if got, err := p.Holds(t.Context(), shop()); err != nil || got != test.want {
			t.Errorf("%s = %t, %v; want %t", test.text, got, err, test.want)
		}
		if got, err := p.Eval(t.Context(), shop()); err != nil || got != test.want {
			t.Errorf("%s = %v, %v; want %t", test.text, got, err, test.want)
		}
		if p.String() != test.text {
			t.Errorf("%s: String = %q", test.text, p)
		}
		if holds, ok := p.Constant(); ok && holds != test.want {
			t.Errorf("%s: Constant = %t, want %t", test.text, holds, test.want)
		}
	}
}
