package jsonpath

import (
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// A function is one of section 2.4 with what it takes.
type function struct {
	name    string
	nodes   *query    // of count and value
	args    []operand // of the others
	pattern *regexp.Regexp
}

// The functions, and what they take: the number of values, or 0 for nodes.
var functions = map[string]int{"length": 1, "count": 0, "match": 2, "search": 2, "value": 0}

// tests tells whether a function is a condition and not a value.
func tests(name string) bool { return name == "match" || name == "search" }

func (f *function) value(e *evaluation, current any) any {
	switch f.name {
	case "count":
		return len(f.nodes.nodes(e, current))
	case "value":
		return f.nodes.value(e, current)
	}
	switch v := f.args[0].value(e, current).(type) {
	case string:
		return utf8.RuneCountInString(v)
	case []any:
		return len(v)
	case map[string]any:
		return len(v)
	}
	return nothing{}
}

// holds is for match and search.
func (f *function) holds(e *evaluation, current any) bool {
	text, ok := f.args[0].value(e, current).(string)
	if !ok {
		return false
	}
	pattern := f.pattern
	if pattern == nil { // that of a document: one that is wrong matches nothing
		p, ok := f.args[1].value(e, current).(string)
		if !ok {
			return false
		}
		var err error
		if pattern, err = f.compile(p); err != nil {
			return false
		}
	}
	return pattern.MatchString(text)
}

// compile makes the dot match neither \n nor \r, as RFC 9485 has it.
func (f *function) compile(pattern string) (*regexp.Regexp, error) {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	dots(tree)
	pattern = tree.String()
	if f.name == "match" {
		pattern = `\A(?:` + pattern + `)\z`
	}
	return regexp.Compile(pattern)
}

func dots(tree *syntax.Regexp) {
	if tree.Op == syntax.OpAnyCharNotNL {
		tree.Op = syntax.OpCharClass
		tree.Rune = []rune{0, '\n' - 1, '\n' + 1, '\r' - 1, '\r' + 1, utf8.MaxRune}
	}
	for _, sub := range tree.Sub {
		dots(sub)
	}
}
