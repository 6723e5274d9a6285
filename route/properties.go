package route

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Properties are where the placeholders in URIs and texts get their values from, when
// a route is built:
//
//	{{key}}           the value of key; without one, the route cannot be built
//	{{key:default}}   or default
//	{{?key}}          as the value of a URI's option: without one, the option is left out
//	{{env:NAME}}      the environment variable NAME; also {{env:NAME:default}}, {{?env:NAME}}
//	\{{               the text {{
//
// Placeholders may stand inside of each other, and inside of values.
type Properties interface {
	// Lookup returns the value of key, and whether there is one.
	Lookup(key string) (value string, ok bool)
}

// PropertyMap is the simplest kind of [Properties].
type PropertyMap map[string]string

// Lookup returns the value of key.
func (m PropertyMap) Lookup(key string) (string, bool) { v, ok := m[key]; return v, ok }

// placeholders resolves placeholders.
type placeholders struct{ source Properties }

// unset stands for {{?key}} without a value.
const unset = "\x00"

// maxNesting is how deep placeholders may stand inside of each other's values.
const maxNesting = 16

// resolve replaces the placeholders in text. Optional ones are errors.
func (p placeholders) resolve(text string) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	resolved, err := p.replace(text, 0)
	if err == nil && strings.Contains(resolved, unset) {
		return text, errors.New("{{?key}} can only be the value of a URI's option")
	}
	return resolved, err
}

// resolveURI is like resolve and leaves out the options that have no value.
func (p placeholders) resolveURI(u URI) (URI, error) {
	if !strings.Contains(string(u), "{{") {
		return u, nil
	}
	resolved, err := p.replace(string(u), 0)
	if err != nil || !strings.Contains(resolved, unset) {
		return URI(resolved), err
	}
	path, query, _ := strings.Cut(resolved, "?")
	if strings.Contains(path, unset) {
		return u, errors.New("{{?key}} can only be the value of a URI's option")
	}
	var kept []string
	for query != "" {
		var pair string
		pair, query = cutOption(query)
		if name, value, _ := strings.Cut(pair, "="); strings.Contains(name, unset) || strings.Contains(value, unset) && value != unset {
			return u, errors.New("{{?key}} must be the whole value of an option")
		} else if value != unset {
			kept = append(kept, pair)
		}
	}
	if len(kept) > 0 {
		path += "?" + strings.Join(kept, "&")
	}
	return URI(path), nil
}

func (p placeholders) replace(text string, depth int) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	if depth > maxNesting {
		return text, fmt.Errorf("placeholders stand more than %d deep inside of each other: does one stand in its own value?", maxNesting)
	}
	var out strings.Builder
	for {
		i := strings.Index(text, "{{")
		if i < 0 {
			return out.String() + text, nil
		}
		if i > 0 && text[i-1] == '\\' {
			out.WriteString(text[:i-1] + "{{")
			text = text[i+2:]
			continue
		}
		out.WriteString(text[:i])
		end := closing(text[i:])
		if end < 0 {
			return text, fmt.Errorf("%q has no closing }}", text[i:])
		}
		inner, err := p.replace(text[i+2:i+end], depth+1)
		if err != nil {
			return text, err
		}
		value, err := p.value(inner, depth)
		if err != nil {
			return text, err
		}
		out.WriteString(value)
		text = text[i+end+2:]
	}
}

// closing returns where the }} is that closes the {{ at the start of text, or -1.
func closing(text string) int {
	open := 0
	for i := 0; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "{{":
			open++
			i++
		case "}}":
			if open--; open == 0 {
				return i
			}
			i++
		}
	}
	return -1
}

// value returns the value of a placeholder in which others have been replaced.
func (p placeholders) value(inner string, depth int) (string, error) {
	key, optional := strings.CutPrefix(inner, "?")
	lookup := func(key string) (string, bool) {
		if p.source == nil {
			return "", false
		}
		return p.source.Lookup(key)
	}
	what := "property"
	if name, ok := strings.CutPrefix(key, "env:"); ok {
		key, lookup, what = name, os.LookupEnv, "environment variable"
	}
	key, def, hasDefault := strings.Cut(key, ":")
	if key == "" {
		return "", fmt.Errorf("{{%s}} names no %s", inner, what)
	}
	if v, ok := lookup(key); ok {
		return p.replace(v, depth+1)
	}
	switch {
	case hasDefault:
		return def, nil
	case optional:
		return unset, nil
	default:
		return "", fmt.Errorf("{{%s}}: there is no %s %q, and no default", inner, what, key)
	}
}
