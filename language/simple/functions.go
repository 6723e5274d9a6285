package simple

import (
	"cmp"
	"slices"

	"github.com/mehari-go/mehari/language"
)

// A constructor reads what follows the name of a function and returns the function.
type constructor func(p *parser, name string) (node, error)

// An entry is one in the table of functions.
type entry struct {
	name      string
	construct constructor
}

// functions returns the table of all functions of the language, in the order of their
// names.
func functions() []entry {
	all := slices.Concat(messageFunctions(), conditionFunctions(), textFunctions(), numberFunctions(), listFunctions(), otherFunctions())
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return all
}

// lookup returns the constructor of the function of a name, or nil and a hint.
func lookup(name string) (constructor, string) {
	all := functions()
	names := make([]string, 0, len(all))
	for _, f := range all {
		if f.name == name {
			return f.construct, ""
		}
		names = append(names, f.name)
	}
	return nil, hint(name, names)
}

var (
	noArguments  = signature{usage: "() without arguments"}
	bodyOrOne    = signature{usage: "() or with one argument", most: 1, body: first}
	anyArguments = signature{usage: "(value, …)", most: many}
)

func messageFunctions() []entry {
	return []entry{
		{"body", whole(language.Body)},
		{"bodyAs", function(signature{usage: "(type)", least: 1, most: 1, check: typeArg(func(int) int { return 0 })}, bodyAs)},
		{"bodyOneLine", function(noArguments, bodyOneLine)},
		{"bodyType", function(noArguments, bodyType)},
		{"convertTo", function(signature{usage: "(type) or (value, type)", least: 1, most: 2, body: first,
			check: typeArg(func(int) int { return 1 })}, convertTo)},
		{"exception", exception},
		{"exchangeId", text(language.ExchangeID)},
		{"exchangeProperty", named(language.Property, language.Property)},
		{"fromRouteId", text(language.FromRouteID)},
		{"function", function(signature{usage: "(name) or (name, value)", least: 1, most: 2, body: final}, callRegistered)},
		{"header", named(language.Header, language.Header)},
		{"headerAs", function(signature{usage: "(name, type)", least: 2, most: 2, check: typeArg(func(int) int { return 1 })}, partAs(language.Header))},
		{"headers", named(language.Header, language.Headers)},
		{"in", inMessage},
		{"kindOfType", function(bodyOrOne, kindOfType)},
		{"length", function(bodyOrOne, length)},
		{"mandatoryBodyAs", function(signature{usage: "(type)", least: 1, most: 1, check: typeArg(func(int) int { return 0 })}, mandatoryBodyAs)},
		{"messageTimestamp", function(noArguments, messageTimestamp)},
		{"properties", placeholder},
		{"propertiesExist", placeholderExists},
		{"ref", registered},
		{"routeId", text(language.RouteID)},
		{"setHeader", function(signature{usage: "(name, value) or (name, type, value)", least: 2, most: 3, check: typeArg(middleOfThree)}, set(language.Header))},
		{"setVariable", function(signature{usage: "(name, value) or (name, type, value)", least: 2, most: 3, check: typeArg(middleOfThree)}, set(language.Variable))},
		{"throwException", function(signature{usage: "(message)", least: 1, most: 1}, throwException)},
		{"val", function(signature{usage: "(value)", least: 1, most: 1}, func(ctx ctx, s scope, args []node) (any, error) { return args[0].eval(ctx, s) })},
		{"variable", named(language.Variable, language.Variable)},
		{"variableAs", function(signature{usage: "(name, type)", least: 2, most: 2, check: typeArg(func(int) int { return 1 })}, partAs(language.Variable))},
		{"variables", named(language.Variable, language.Variables)},
	}
}

func middleOfThree(args int) int {
	if args == 3 {
		return 1
	}
	return -1
}
