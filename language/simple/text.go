package simple

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The functions over texts.

// maxText is the length of the longest text that a function makes of others, or that is an
// argument of one, in bytes.
const maxText = 64 << 20

var errTooLong = fmt.Errorf("the text would be longer than %d bytes", maxText)

func textFunctions() []entry {
	two := signature{usage: "(part) or (value, part)", least: 1, most: 2, body: first}
	return []entry{
		{"base64Decode", function(bodyOrOne, base64Decode)},
		{"base64Encode", function(bodyOrOne, overText(func(text string) any { return base64.StdEncoding.EncodeToString([]byte(text)) }))},
		{"capitalize", function(bodyOrOne, overText(func(text string) any { return capitalize(text) }))},
		{"concat", function(signature{usage: "(value), (value, value) or (value, value, separator)", least: 1, most: 3}, concat)},
		{"escape", function(signature{usage: "(kind) or (kind, value)", least: 1, most: 2, body: final, check: checkEscape}, escape)},
		{"lowercase", function(bodyOrOne, overText(func(text string) any { return strings.ToLower(text) }))},
		{"normalizeWhitespace", function(bodyOrOne, overText(func(text string) any { return strings.Join(strings.Fields(text), " ") }))},
		{"pad", function(signature{usage: "(width), (value, width) or (value, width, filling)", least: 1, most: 3}, pad)},
		{"quote", function(bodyOrOne, overText(func(text string) any { return quote(text) }))},
		{"replace", function(signature{usage: "(from, to) or (from, to, value)", least: 2, most: 3, body: final, check: checkReplace}, replace)},
		{"safeQuote", function(bodyOrOne, safeQuote)},
		{"substring", function(signature{usage: "(head), (head, tail) or (head, tail, value)", least: 1, most: 3}, substring)},
		{"substringAfter", function(two, cutting(func(text, part string) (string, bool) {
			_, after, ok := strings.Cut(text, part)
			return after, ok
		}))},
		{"substringBefore", function(two, cutting(func(text, part string) (string, bool) {
			before, _, ok := strings.Cut(text, part)
			return before, ok
		}))},
		{"substringBetween", function(signature{usage: "(after, before) or (value, after, before)", least: 2, most: 3, body: first}, substringBetween)},
		{"trim", function(bodyOrOne, overText(func(text string) any { return strings.TrimSpace(text) }))},
		{"unquote", function(bodyOrOne, overText(func(text string) any { return unquote(text) }))},
		{"uppercase", function(bodyOrOne, overText(func(text string) any { return strings.ToUpper(text) }))},
	}
}

// overText makes a function of one over a text. Nil stays nil.
func overText(f func(text string) any) run {
	return func(ctx ctx, s scope, args []node) (any, error) {
		text, ok, err := textArg(ctx, s, args[0])
		if err != nil || !ok {
			return nil, err
		}
		return f(text), nil
	}
}

// cutting makes a function of one that finds a part of a text. Where there is none the
// value is nil.
func cutting(f func(text, part string) (string, bool)) run {
	return func(ctx ctx, s scope, args []node) (any, error) {
		text, ok, err := textArg(ctx, s, args[0])
		if err != nil || !ok {
			return nil, err
		}
		part, ok, err := textArg(ctx, s, args[1])
		if err != nil || !ok {
			return nil, err
		}
		if found, ok := f(text, part); ok {
			return found, nil
		}
		return nil, nil
	}
}

func substringBetween(ctx ctx, s scope, args []node) (any, error) {
	after, ok, err := textArg(ctx, s, args[1])
	if err != nil || !ok {
		return nil, err
	}
	return cutting(func(text, before string) (string, bool) {
		_, rest, ok := strings.Cut(text, after)
		found, _, ok2 := strings.Cut(rest, before)
		return found, ok && ok2
	})(ctx, s, []node{args[0], args[2]})
}

// substring takes characters away at both ends.
func substring(ctx ctx, s scope, args []node) (any, error) {
	head, err := intArg(ctx, s, args[0])
	if err != nil {
		return nil, err
	}
	tail := 0
	if len(args) > 1 {
		if tail, err = intArg(ctx, s, args[1]); err != nil {
			return nil, err
		}
	} else if head < 0 {
		head, tail = 0, head
	}
	value := bodyNode
	if len(args) > 2 {
		value = args[2]
	}
	text, ok, err := textArg(ctx, s, value)
	if err != nil || !ok {
		return nil, err
	}
	runes := []rune(text)
	head, end := min(max(head, -head), len(runes)), len(runes)-max(tail, -tail)
	if end < head {
		return "", nil
	}
	return string(runes[head:end]), nil
}

func capitalize(text string) string {
	words := strings.Split(text, " ")
	for i, word := range words {
		if word != "" {
			words[i] = upper(word)
		}
	}
	return strings.Join(words, " ")
}

func concat(ctx ctx, s scope, args []node) (any, error) {
	if len(args) == 1 {
		args = []node{bodyNode, args[0]}
	}
	a, okA, err := textArg(ctx, s, args[0])
	if err != nil {
		return nil, err
	}
	b, okB, err := textArg(ctx, s, args[1])
	if err != nil {
		return nil, err
	}
	separator := ""
	if len(args) == 3 {
		if separator, _, err = textArg(ctx, s, args[2]); err != nil {
			return nil, err
		}
	}
	switch {
	case len(a)+len(b)+len(separator) > maxText:
		return nil, errTooLong
	case okA && okB:
		return a + separator + b, nil
	case okA:
		return a, nil
	case okB:
		return b, nil
	}
	return nil, nil
}

// pad fills a text up to a width, behind it or, if the width is negative, before it.
func pad(ctx ctx, s scope, args []node) (any, error) {
	if len(args) == 1 {
		args = []node{bodyNode, args[0]}
	}
	text, ok, err := textArg(ctx, s, args[0])
	if err != nil || !ok {
		return nil, err
	}
	width, err := intArg(ctx, s, args[1])
	if err != nil {
		return nil, err
	}
	filling := " "
	if len(args) == 3 {
		if filling, _, err = textArg(ctx, s, args[2]); err != nil {
			return nil, err
		}
	}
	missing := max(width, -width) - utf8.RuneCountInString(text)
	switch {
	case missing <= 0:
		return text, nil
	case filling == "":
		filling = " "
	case missing > maxText/len(filling):
		return nil, fmt.Errorf("want a width below %d", maxText)
	}
	if missing > maxText {
		return nil, fmt.Errorf("want a width below %d", maxText)
	}
	fill := string([]rune(strings.Repeat(filling, missing))[:missing])
	if width < 0 {
		return fill + text, nil
	}
	return text + fill, nil
}

// entities are how replace writes characters that are hard to write.
func entities(text string) string {
	if text == "&empty;" {
		return ""
	}
	return strings.NewReplacer("&quot;", `"`, "&apos;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(text)
}

func checkReplace(p *parser, at int, args []node) error {
	for i, arg := range args[:2] {
		if l, ok := arg.(literal); ok {
			args[i] = literal(entities(string(l)))
		}
	}
	if args[0] == literal("") {
		return p.errorf(at, "want the text to replace")
	}
	return nil
}

func replace(ctx ctx, s scope, args []node) (any, error) {
	var texts [3]string
	for i, arg := range args {
		text, ok, err := textArg(ctx, s, arg)
		if err != nil || i == 2 && !ok {
			return nil, err
		}
		texts[i] = text
	}
	from, to, text := texts[0], texts[1], texts[2]
	if from == "" {
		return nil, errors.New("want a text to replace, have an empty one")
	}
	if n := strings.Count(text, from); n > 0 && len(to) > (maxText+len(text))/n {
		return nil, errTooLong
	}
	return strings.ReplaceAll(text, from, to), nil
}

// quoteOf returns the quote that a text stands in, or 0.
func quoteOf(text string) byte {
	if n := len(text); n >= 2 && text[0] == text[n-1] && (text[0] == '"' || text[0] == '\'') {
		return text[0]
	}
	return 0
}

func unquote(text string) string {
	if quoteOf(text) != 0 {
		return text[1 : len(text)-1]
	}
	return text
}

func quote(text string) string { return `"` + unquote(text) + `"` }

// safeQuote puts in quotes what needs them in JSON.
func safeQuote(ctx ctx, s scope, args []node) (any, error) {
	v, err := args[0].eval(ctx, s)
	if err != nil {
		return nil, err
	}
	switch kindName(v) {
	case "null", "boolean", "number":
		return v, nil
	}
	return `"` + escapeJSON(unquote(textOf(v))) + `"`, nil
}

var escapes = []string{"html", "xml", "json", "js", "sql", "url"}

func checkEscape(p *parser, at int, args []node) error {
	kind, ok := args[0].(literal)
	name := strings.ToLower(string(kind))
	if name == "javascript" {
		name = "js"
	}
	for _, known := range escapes {
		if ok && known == name {
			args[0] = literal(name)
			return nil
		}
	}
	return p.errorf(at, "unknown kind of escape %q%s", string(kind), hint(string(kind), escapes))
}

func escape(ctx ctx, s scope, args []node) (any, error) {
	text, ok, err := textArg(ctx, s, args[1])
	if err != nil || !ok {
		return nil, err
	}
	switch args[0].(literal) {
	case "html":
		return html.EscapeString(text), nil
	case "xml":
		return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(text), nil
	case "json":
		return escapeJSON(text), nil
	case "js":
		return strings.NewReplacer("'", `\'`, "</", `<\/`).Replace(escapeJSON(text)), nil
	case "sql":
		return strings.ReplaceAll(text, "'", "''"), nil
	}
	return strings.ReplaceAll(url.QueryEscape(text), "+", "%20"), nil
}

// escapeJSON returns a text as it stands between the quotes of a JSON string.
func escapeJSON(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		return "" // a string always has a form
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(b.String(), "\n"), `"`), `"`)
}

func base64Decode(ctx ctx, s scope, args []node) (any, error) {
	text, ok, err := textArg(ctx, s, args[0])
	if err != nil || !ok {
		return nil, err
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, errors.New("want text in base64")
	}
	return b, nil
}

// allOf makes a function of one that tells whether all characters are of a kind.
func allOf(fits func(rune) bool) run {
	return func(ctx ctx, s scope, args []node) (any, error) {
		text, ok, err := textArg(ctx, s, args[0])
		return ok && text != "" && strings.IndexFunc(text, func(r rune) bool { return !fits(r) }) < 0, err
	}
}

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
