package simple_test

import (
	"reflect"
	"sync"
	"testing"

	"github.com/mehari-go/mehari/language/simple"
)

type address struct {
	City   string `json:"town,omitempty"`
	Zip    int
	Lines  []string
	secret string
}

type customer struct {
	FirstName string `json:"first_name"`
	Address   *address
	Billing   *address
	ID        int
	Tags      map[string]int
	Any       any
	contact
}

type contact struct{ Mail string }

// Member shows what methods return.
func (c customer) Member(name string) (any, bool) {
	switch name {
	case "greeting":
		return "Hi " + c.FirstName, true
	case "age":
		return 36, true
	}
	return nil, false
}

func ada() *customer {
	return &customer{
		FirstName: "Ada", ID: 7, Tags: map[string]int{"x": 1}, Any: map[any]any{"k": "v", 2: "two"}, contact: contact{"ada@example.com"},
		Address: &address{City: "London", Zip: 1815, Lines: []string{"St James's Square", "12", "SW1"}, secret: "s"},
	}
}

func TestPaths(t *testing.T) {
	tree := map[string]any{
		"address": map[string]any{"city": "London", "lines": []any{"a", "b", map[string]any{"c": 1}}},
		"nil":     nil, "a b": "spaced", "size": "own", "list": []int{1, 2, 3}, "texts": map[string]string{"x": "y"},
		"ids": map[int]string{5: "five"}, "5": "text",
	}
	tests := []struct {
		text string
		body any
		want any
	}{
		{"${body.address.city}", tree, "London"},
		{"${body[address][city]}", tree, "London"},
		{"${body['address'].city}", tree, "London"},
		{`${body["a b"]}`, tree, "spaced"},
		{"${body.address.lines[0]}", tree, "a"},
		{"${body.address.lines[last]}", tree, map[string]any{"c": 1}},
		{"${body.address.lines[last-1]}", tree, "b"},
		{"${body.address.lines[ last - 2 ]}", tree, "a"},
		{"${body.address.lines[2].c}", tree, 1},
		{"${body.address.lines.size}", tree, 3},
		{"${body.address.lines.size()}", tree, 3},
		{"${body.address.lines.length}", tree, 3},
		{"${body.size}", tree, "own"},
		{"${body.address.size}", tree, 2},
		{"${body.list[1]}", tree, 2},
		{"${body.texts.x}", tree, "y"},
		{"${body.texts.none}", tree, nil},
		{"${body.ids[5]}", tree, "five"},
		{"${body[5]}", tree, "text"},
		{"${body.none}", tree, nil},
		{"${body.none?.city}", tree, nil},
		{"${body?.none.city.street}", tree, nil},
		{"${body.nil?.a[0]}", tree, nil},
		{"${body.address.lines?[9]}", tree, nil},
		{"${body.address?.city}", tree, "London"},
		{"${body.address.city.length}", tree, 6},
		{"${body.address.city.isEmpty}", tree, false},
		{"${body.list.isEmpty()}", tree, false},
		{"Hello ${body.address.city}!", tree, "Hello London!"},

		{"${body.firstName}", ada(), "Ada"},
		{"${body.first_name}", ada(), "Ada"},
		{"${body.FirstName}", ada(), "Ada"},
		{"${body.getFirstName}", ada(), "Ada"},
		{"${body.getFirstName()}", ada(), "Ada"},
		{"${body[first_name]}", ada(), "Ada"},
		{"${body.id}", ada(), 7},
		{"${body.getId}", ada(), 7},
		{"${body.mail}", ada(), "ada@example.com"},
		{"${body.address.town}", ada(), "London"},
		{"${body.getAddress.getCity}", ada(), "London"},
		{"${body.address.zip}", ada(), 1815},
		{"${body.address.lines[last]}", ada(), "SW1"},
		{"${body.billing}", ada(), (*address)(nil)},
		{"${body.billing?.city}", ada(), nil},
		{"${body.tags[x]}", ada(), 1},
		{"${body.tags.none}", ada(), nil},
		{"${body.any.k}", ada(), "v"},
		{"${body.any[2]}", ada(), "two"},
		{"${body.greeting}", ada(), "Hi Ada"},
		{"${body.age}", ada(), 36},
		{"${body.greeting}", *ada(), "Hi Ada"},
		{"${body?.wrong}", ada(), nil},
		{"${body.address}", nil, nil},
		{"${body.address.city}", nil, nil},
		{"${body.address}", (*customer)(nil), nil},
		{"${body.length}", "text", 4},
		{"${body[1]}", [2]string{"a", "b"}, "b"},

		{"${header.map.x}", nil, 1},
		{"${header.map[x]}", nil, 1},
		{"${header.map?.none}", nil, nil},
		{"${header[map].x}", nil, 1},
		{"${header['map']['x']}", nil, 1},
		{"${header.map.y.z}", nil, "deep"},
		{"${header.map.list[1]}", nil, 2},
		{"${header.map.size()}", nil, 4},
		{"${header.a.b}", nil, "dotted"},
		{"${header.a.b.length}", nil, 6},
		{"${header.none.at.all}", nil, nil},
		{"${header.none[0]}", nil, nil},
		{"${header.list.size}", nil, 2},
		{"${exchangeProperty.map.x}", nil, 2},
		{"${exception.code}", nil, 409},
		{"${exception.message}", nil, "conflict"},
		{"${exception.code} ${exception}", nil, "409 conflict"},
	}
	for _, test := range tests {
		m := &message{
			body: test.body,
			headers: map[string]any{
				"map": map[string]any{"x": 1, "y": map[string]any{"z": "deep"}, "list": []int{1, 2}, "n": nil},
				"a.b": "dotted", "a": map[string]any{"b": "never"}, "list": []any{1, 2},
			},
			properties: map[string]any{"map": map[string]any{"x": 2}},
			exception:  &failure{409},
		}
		if got, err := parse(t, test.text).Eval(t.Context(), m); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s = %#v, %v; want %#v", test.text, got, err, test.want)
		}
	}
}

type failure struct{ Code int }

func (f *failure) Error() string { return "conflict" }

func TestErrorsOfPaths(t *testing.T) {
	tests := []struct {
		text string
		body any
		want string
	}{
		{"${body.addres}", ada(), `body: *simple_test.customer has no member "addres" (did you mean "Address"?)`},
		{"${body.address.cty}", ada(), `body.address: *simple_test.address has no member "cty", known are Lines, Zip, town`},
		{"${body.address.secret}", ada(), `body.address: *simple_test.address has no member "secret", known are Lines, Zip, town`},
		{"${body.rename}", ada(), `body: *simple_test.customer has no member "rename", known are Address, Any, Billing, ID, Mail, Tags, first_name`},
		{"${body.billing.city}", ada(), `body.billing is nil and has no member "city" (with "?.city" it gives nil)`},
		{"${body.address.lines[3]}", ada(), `body.address.lines: there is no element [3], there are 3`},
		{"${body.address.lines[last-3]}", ada(), `body.address.lines: there is no element [last-3], there are 3`},
		{"${body.address.lines.x}", ada(), `body.address.lines: []string has no member "x"`},
		{"${body.address.lines['x']}", ada(), `body.address.lines: []string has no key "x": want an element such as [0], [last] or [last-1]`},
		{"${body.address.lines[-1]}", ada(), `body.address.lines: []string has no key "-1": want an element such as [0], [last] or [last-1]`},
		{"${body.a.b}", map[string]any{}, `body.a is nil and has no member "b" (with "?.b" it gives nil)`},
		{"${body.a[0]}", map[string]any{}, `body.a is nil and has no element [0] (with "?[0]" it gives nil)`},
		{"${body[last]}", map[string]any{}, `body: map[string]interface {} has no element [last]`},
		{"${body[x]}", map[int]int{}, `body: map[int]int has no key "x": its keys are of type int`},
		{"${body.x}", "text", `body: string has no member "x"`},
		{"${body.x}", 5, `body: int has no member "x"`},
		{"${header.a.b.c}", nil, `header.a.b: string has no member "c"`},
	}
	for _, test := range tests {
		m := &message{body: test.body, headers: map[string]any{"a": map[string]any{"b": "c"}}}
		got, err := parse(t, test.text).Eval(t.Context(), m)
		switch {
		case err == nil:
			t.Errorf("%s = %#v; want an error", test.text, got)
		case test.want != "" && err.Error() != "simple: "+test.want:
			t.Errorf("%s:\n%v\nwant\nsimple: %s", test.text, err, test.want)
		}
	}
}

// Where the longest name of a header is not there, what is inside of a shorter one is.
func TestNamesWithDots(t *testing.T) {
	template := parse(t, "${header.a.b.c}")
	for _, test := range []struct {
		headers map[string]any
		want    any
	}{
		{map[string]any{"a.b.c": 1, "a.b": map[string]any{"c": 2}}, 1},
		{map[string]any{"a.b": map[string]any{"c": 2}, "a": map[string]any{}}, 2},
		{map[string]any{"a": map[string]any{"b": map[string]any{"c": 3}}}, 3},
		{map[string]any{"b": 1}, nil},
	} {
		if got, err := template.Eval(t.Context(), &message{headers: test.headers}); err != nil || got != test.want {
			t.Errorf("with %v: %v, %v; want %v", test.headers, got, err, test.want)
		}
	}
}

func TestManyGoroutines(t *testing.T) {
	p, err := simple.ParsePredicate("${body.id} == 7 && ${body.address.zip} > 1")
	if err != nil {
		t.Fatal(err)
	}
	type other struct {
		ID      string
		Address *address
	}
	bodies := []any{ada(), *ada(), &other{"7", ada().Address}, map[string]any{"id": 7, "address": ada().Address}}
	var wg sync.WaitGroup
	for _, body := range bodies {
		wg.Go(func() {
			for range 200 {
				if ok, err := p.Holds(t.Context(), &message{body: body}); err != nil || !ok {
					t.Errorf("%T: %t, %v", body, ok, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
