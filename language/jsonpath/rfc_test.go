package jsonpath_test

import (
	"encoding/json"
	"testing"

	"github.com/mehari-go/mehari/language/languagetest"
)

const store = `{"store": {
  "book": [
    {"category": "reference", "author": "Nigel Rees", "title": "Sayings of the Century", "price": 8.95},
    {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword of Honour", "price": 12.99},
    {"category": "fiction", "author": "Herman Melville", "title": "Moby Dick", "isbn": "0-553-21311-3", "price": 8.99},
    {"category": "fiction", "author": "J. R. R. Tolkien", "title": "The Lord of the Rings", "isbn": "0-395-19395-8", "price": 22.99}
  ],
  "bicycle": {"color": "red", "price": 399}
}}`

const filtered = `{"a": [3, 5, 1, 2, 4, 6, {"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}], "o": {"p": 1, "q": 2, "r": 3, "s": 5, "t": {"u": 6}}, "e": "f"}`

const compared = `{"obj": {"x": "y"}, "arr": [2, 3]}`

// The examples of RFC 9535, by section. Objects are ordered by the names of members.
func TestRFC(t *testing.T) {
	tests := []struct{ text, body, want string }{
		// 1.5
		{`$.store.book[*].author`, store, `["Nigel Rees", "Evelyn Waugh", "Herman Melville", "J. R. R. Tolkien"]`},
		{`$..author`, store, `["Nigel Rees", "Evelyn Waugh", "Herman Melville", "J. R. R. Tolkien"]`},
		{`$.store..price`, store, `[399, 8.95, 12.99, 8.99, 22.99]`},
		{`$..book[2].title`, store, `["Moby Dick"]`},
		{`$..book[2].publisher`, store, `[]`},
		{`$..book[-1].title`, store, `["The Lord of the Rings"]`},
		{`$..book[0,1].title`, store, `["Sayings of the Century", "Sword of Honour"]`},
		{`$..book[:2].title`, store, `["Sayings of the Century", "Sword of Honour"]`},
		{`$..book[?@.isbn].title`, store, `["Moby Dick", "The Lord of the Rings"]`},
		{`$..book[?@.price<10].title`, store, `["Sayings of the Century", "Moby Dick"]`},
		// 2.2, 2.3.1
		{`$`, `{"k": "v"}`, `{"k": "v"}`},
		{`$.o['j j']['k.k']`, `{"o": {"j j": {"k.k": 3}}}`, `3`},
		{`$["'"]["@"]`, `{"'": {"@": 2}}`, `2`},
		{`$['\'']["\""]`, `{"'": {"\"": 2}}`, `2`},
		{`$["\u263a\uD834\uDD1E\n"]`, `{"☺𝄞\n": 1}`, `1`},
		{`$.ünï_1`, `{"ünï_1": 1}`, `1`},
		// 2.3.2
		{`$[*]`, `{"o": {"j": 1, "k": 2}, "a": [5, 3]}`, `[[5, 3], {"j": 1, "k": 2}]`},
		{`$.o[*, *]`, `{"o": {"j": 1, "k": 2}}`, `[1, 2, 1, 2]`},
		{`$.a[*]`, `{"a": [5, 3]}`, `[5, 3]`},
		{`$.*`, `"text"`, `[]`},
		// 2.3.3
		{`$[1]`, `["a", "b"]`, `"b"`},
		{`$[-2]`, `["a", "b"]`, `"a"`},
		{`$[-3]`, `["a", "b"]`, `null`},
		{`$[9007199254740991]`, `["a"]`, `null`},
		{`$[0]`, `{"0": 1}`, `null`},
		// 2.3.4
		{`$[1:3]`, `["a", "b", "c", "d", "e", "f", "g"]`, `["b", "c"]`},
		{`$[5:]`, `["a", "b", "c", "d", "e", "f", "g"]`, `["f", "g"]`},
		{`$[1:5:2]`, `["a", "b", "c", "d", "e", "f", "g"]`, `["b", "d"]`},
		{`$[5:1:-2]`, `["a", "b", "c", "d", "e", "f", "g"]`, `["f", "d"]`},
		{`$[::-1]`, `["a", "b", "c"]`, `["c", "b", "a"]`},
		{`$[::0]`, `["a", "b"]`, `[]`},
		{`$[-2:]`, `["a", "b", "c"]`, `["b", "c"]`},
		{`$[:-1]`, `["a", "b", "c"]`, `["a", "b"]`},
		{`$[9:0:-9007199254740991]`, `["a", "b", "c"]`, `["c"]`},
		{`$[-9007199254740991:9007199254740991:9007199254740991]`, `["a", "b"]`, `["a"]`},
		{`$[ 1 : 2 : 1 ]`, `["a", "b", "c"]`, `["b"]`},
		{`$[1:]`, `{"1": 2}`, `[]`},
		// 2.3.5
		{`$[?$.absent1 == $.absent2]`, `[1]`, `[1]`},
		{`$[?$.absent1 <= $.absent2]`, `[1]`, `[1]`},
		{`$[?$.absent == 'g']`, `[1]`, `[]`},
		{`$[?$.absent1 != $.absent2]`, `[1]`, `[]`},
		{`$[?$.absent != 'g']`, `[1]`, `[1]`},
		{`$[?1 <= 2]`, `[1]`, `[1]`},
		{`$[?1 > 2]`, `[1]`, `[]`},
		{`$[?13 == '13']`, `[1]`, `[]`},
		{`$[?'a' <= 'b']`, `[1]`, `[1]`},
		{`$[?'a' > 'b']`, `[1]`, `[]`},
		{`$[?$.obj == $.arr]`, compared, `[]`},
		{`$[?$.obj != $.arr]`, compared, `[[2, 3], {"x": "y"}]`},
		{`$[?$.obj == $.obj]`, compared, `[[2, 3], {"x": "y"}]`},
		{`$[?$.arr == $.arr]`, compared, `[[2, 3], {"x": "y"}]`},
		{`$[?$.obj == 17]`, compared, `[]`},
		{`$[?$.obj <= $.arr]`, compared, `[]`},
		{`$[?$.obj < $.arr]`, compared, `[]`},
		{`$[?$.obj <= $.obj]`, compared, `[[2, 3], {"x": "y"}]`},
		{`$[?1 <= $.arr]`, compared, `[]`},
		{`$[?true <= true]`, `[1]`, `[1]`},
		{`$[?true > true]`, `[1]`, `[]`},
		{`$.a[?@.b == 'kilo']`, filtered, `[{"b": "kilo"}]`},
		{`$.a[?(@.b == 'kilo')]`, filtered, `[{"b": "kilo"}]`},
		{`$.a[?@>3.5]`, filtered, `[5, 4, 6]`},
		{`$.a[?@.b]`, filtered, `[{"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}]`},
		{`$[?@.*]`, filtered, `[[3, 5, 1, 2, 4, 6, {"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}], {"p": 1, "q": 2, "r": 3, "s": 5, "t": {"u": 6}}]`},
		{`$[?@[?@.b]]`, filtered, `[[3, 5, 1, 2, 4, 6, {"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}]]`},
		{`$.o[?@<3, ?@<3]`, filtered, `[1, 2, 1, 2]`},
		{`$.a[?@<2 || @.b == "k"]`, filtered, `[1, {"b": "k"}]`},
		{`$.a[?match(@.b, "[jk]")]`, filtered, `[{"b": "j"}, {"b": "k"}]`},
		{`$.a[?search(@.b, "[jk]")]`, filtered, `[{"b": "j"}, {"b": "k"}, {"b": "kilo"}]`},
		{`$.o[?@>1 && @<4]`, filtered, `[2, 3]`},
		{`$.o[?@.u || @.x]`, filtered, `[{"u": 6}]`},
		{`$.a[?@.b == $.x]`, filtered, `[3, 5, 1, 2, 4, 6]`},
		{`$.a[?@ == @]`, filtered, `[3, 5, 1, 2, 4, 6, {"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}]`},
		{`$[?!@.a]`, `[{"a": 1}, {"b": 2}]`, `[{"b": 2}]`},
		{`$[?!(@.a == 1)]`, `[{"a": 1}, {"a": 2}]`, `[{"a": 2}]`},
		{`$[?@.a == 1 || @.b == 1 && @.c == 1]`, `[{"a": 1}, {"b": 1}, {"b": 1, "c": 1}]`, `[{"a": 1}, {"b": 1, "c": 1}]`},
		{`$[?(@.a == 1 || @.b == 1) && @.c == 1]`, `[{"a": 1}, {"b": 1, "c": 1}]`, `[{"b": 1, "c": 1}]`},
		{`$[?@ == 1e2]`, `[100, 100.0, "100"]`, `[100, 100]`},
		{`$[?@ == -0]`, `[0, -0.0, 1]`, `[0, -0]`},
		{`$[?@ > 123456789012345678901]`, `[123456789012345678902, 123456789012345678901, 1]`, `[123456789012345678902]`},
		{`$[?@ > 9007199254740992.0]`, `[9007199254740993, 9007199254740992]`, `[9007199254740993]`},
		{`$[?@ == null]`, `[null, 0, {}]`, `[null]`},
		{`$[?@.a == null]`, `[{"a": null}, {}]`, `[{"a": null}]`},
		{"$ .a\n[ ?\t@ .b  ==\r1 ]", `{"a": [{"b": 1}]}`, `[{"b": 1}]`},
		// 2.4
		{`$[?length(@) < 3]`, `["ab", "abc", "äö", [1], {"a": 1}, 7]`, `["ab", "äö", [1], {"a": 1}]`},
		{`$[?count(@.*) == 1]`, `[[1], [1, 2], {"a": 1}, 7]`, `[[1], {"a": 1}]`},
		{`$[?count(@..*) >= 2]`, `[[1], [[2]]]`, `[[[2]]]`},
		{`$[?match(@, '1974-05-..')]`, `["1974-05-11", "x1974-05-11", "1974-05-111"]`, `["1974-05-11"]`},
		{`$[?match(@, 'a.b')]`, `["a\nb", "a\rb", "axb", "a.b"]`, `["axb", "a.b"]`},
		{`$[?match(@, 'a[.b]c|x')]`, `["a.c", "abc", "axc", "x", "xx"]`, `["a.c", "abc", "x"]`},
		{`$[?search(@.t, @.p)]`, `[{"t": "abc", "p": "b."}, {"t": "abc", "p": "["}, {"t": "abc", "p": 7}, {"t": 7, "p": "."}]`, `[{"p": "b.", "t": "abc"}]`},
		{`$[?search(@, 7)]`, `["7"]`, `[]`},
		{`$[?value(@..color) == "red"]`, `[{"a": {"color": "red"}}, {"a": {"color": "red"}, "b": {"color": "red"}}]`, `[{"a": {"color": "red"}}]`},
		{`$[?length(value(@.a)) == 2]`, `[{"a": "xy"}]`, `[{"a": "xy"}]`},
		// 2.5
		{`$..j`, `{"o": {"j": 1, "k": 2}, "a": [5, 3, [{"j": 4}, {"k": 6}]]}`, `[4, 1]`},
		{`$..[0]`, `{"o": {"j": 1, "k": 2}, "a": [5, 3, [{"j": 4}, {"k": 6}]]}`, `[5, {"j": 4}]`},
		{`$.o..[*, *]`, `{"o": {"j": 1, "k": 2}}`, `[1, 2, 1, 2]`},
		{`$.a..[0, 1]`, `{"a": [5, 3, [{"j": 4}, {"k": 6}]]}`, `[5, 3, {"j": 4}, {"k": 6}]`},
		{`$..*`, `[[1], 2]`, `[[1], 2, 1]`},
		// 2.6
		{`$.a`, `{"a": null}`, `null`},
		{`$.a[0]`, `{"a": null}`, `null`},
		{`$.a.d`, `{"a": null}`, `null`},
		{`$.b[?@]`, `{"b": [null]}`, `[null]`},
		{`$.b[?@==null]`, `{"b": [null]}`, `[null]`},
		{`$.c[?@.d==null]`, `{"c": [{}]}`, `[]`},
		{`$.null`, `{"null": 1}`, `1`},
	}
	for _, test := range tests {
		got, err := compile(t, test.text).Eval(t.Context(), &languagetest.Message{Body: test.body})
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if string(b) != compact(t, test.want) {
			t.Errorf("%s = %s, want %s", test.text, b, test.want)
		}
	}
}
