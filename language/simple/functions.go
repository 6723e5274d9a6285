package simple

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/mehari-go/mehari/internal/nearest"
	"github.com/mehari-go/mehari/language"
)

// A constructor reads what follows the name of a function and returns the function.
type constructor func(p *parser, name string) (node, error)

// An entry is one in the table of functions.
type entry struct {
	name      string
	construct constructor
}

// functions returns all functions of the language.
func functions() []entry {
	return slices.Concat(messageFunctions(), conditionFunctions(), textFunctions(), numberFunctions(), listFunctions(), otherFunctions())
}

// The table is made when it is first asked for, and does not change. A variable with its
// value would be a circle: functions have arguments, in which there are functions.
var (
	making sync.Once
	table  map[string]constructor
)

// lookup returns the constructor of the function of a name, or nil and a hint.
func lookup(name string) (constructor, string) {
	making.Do(func() {
		table = map[string]constructor{}
		for _, f := range functions() {
			table[f.name] = f.construct
		}
	})
	if construct := table[name]; construct != nil {
		return construct, ""
	}
	if why := absent(name); why != "" {
		return nil, ": " + why
	}
	if near := nearest.Name(name, slices.Sorted(maps.Keys(table))); near != "" {
		return nil, fmt.Sprintf(" (did you mean %q?)", near)
	}
	return nil, ", the documentation of package language/simple lists what is known"
}

// absent says why there is no function of a name that Camel has, or what stands for it.
func absent(name string) string {
	switch name {
	case "bean", "type":
		return "there are no classes: use a func(*route.Exchange), or ${function(name)}"
	case "camelContext", "camelId", "exchange", "messageAs", "sys", "threadId", "threadName":
		return "it is a part of the Java virtual machine or of Camel itself"
	case "jq", "jsonpath", "simpleJsonpath", "xpath":
		return "it is a language of its own, in the packages under language"
	case "load":
		return "there is no class path: embed the file in the program"
	case "id", "messageHistory", "originalBody", "routeGroup", "stepId", "logExchange":
		return "the message does not have it here"
	case "htmlClean", "htmlDecode", "htmlParse", "a2a":
		return "it needs a library"
	}
	if strings.HasPrefix(name, "attachment") || name == "setAttachment" || name == "clearAttachments" {
		return "messages have no attachments"
	}
	return ""
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
		{"convertTo", function(signature{
			usage: "(type) or (value, type)", least: 1, most: 2, body: first,
			check: typeArg(func(int) int { return 1 }),
		}, convertTo)},
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
		{"ref", named(language.Registered, language.Registered)},
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
