package simple_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mehari-go/mehari/language"
	"github.com/mehari-go/mehari/language/simple"
)

// letter is a message with one header.
type letter struct {
	body any
	due  time.Time
}

func (l letter) Value(kind language.Kind, name string) any {
	switch {
	case kind == language.Body:
		return l.body
	case kind == language.Header && name == "due":
		return l.due
	}
	return nil
}

func Example() {
	template, err := simple.Parse("${body} is due on ${date:header.due:EEEE, d MMMM}.")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := template.Append(context.Background(), nil, letter{"The rent", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)})
	fmt.Println(string(text), err)
	// Output: The rent is due on Tuesday, 1 December. <nil>
}

func ExampleParse_error() {
	_, err := simple.Parse("Hello ${boddy}!")
	fmt.Println(err)
	// Output:
	// simple: column 9: unknown function "boddy" (did you mean "body"?)
	// 	Hello ${boddy}!
	// 	        ^
}

func ExampleTemplate_Eval() {
	for _, text := range []string{"${body}", "${body}!", "body"} {
		template, err := simple.Parse(text)
		if err != nil {
			fmt.Println(err)
			return
		}
		value, err := template.Eval(context.Background(), letter{body: 42})
		fmt.Printf("%T %v %v\n", value, value, err)
	}
	// Output:
	// int 42 <nil>
	// string 42! <nil>
	// string body <nil>
}

func ExampleParsePredicate() {
	big, err := simple.ParsePredicate("${body.country} in 'IT,FR' && ${body.lines.size} > 1")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, country := range []string{"IT", "GR"} {
		order := map[string]any{"country": country, "lines": []string{"tea", "bread"}}
		fmt.Println(big.Holds(context.Background(), letter{body: order}))
	}
	// Output:
	// true <nil>
	// false <nil>
}

func ExampleParse_operators() {
	for _, text := range []string{
		"Dear ${body.name} ?: 'customer'!",
		"${body.items} ~> ${sort()} ~> ${join(' and ')}",
		"${body.items.size > 1 ? 'several' : 'one'}",
		"${forEach(${body.items},${uppercase()})}",
	} {
		template, err := simple.Parse(text)
		if err != nil {
			fmt.Println(err)
			return
		}
		value, err := template.Eval(context.Background(), letter{body: map[string]any{"items": []string{"tea", "bread"}}})
		fmt.Println(value, err)
	}
	// Output:
	// Dear customer! <nil>
	// bread and tea <nil>
	// several <nil>
	// [TEA BREAD] <nil>
}
