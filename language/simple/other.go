package simple

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"
)

func conditionFunctions() []entry {
	return []entry{
		{"assert", function(signature{usage: "(condition, message)", least: 2, most: 2, holds: 1}, assert)},
		{"contains", function(signature{usage: "(part) or (value, part)", least: 1, most: 2, body: first}, containsPart)},
		{"iif", function(signature{usage: "(condition, yes, no)", least: 3, most: 3, holds: 1}, iif)},
		{"isAlpha", function(bodyOrOne, allOf(unicode.IsLetter))},
		{"isAlphaNumeric", function(bodyOrOne, allOf(isLetterOrDigit))},
		{"isEmpty", function(bodyOrOne, isEmpty)},
		{"isNumeric", function(bodyOrOne, allOf(unicode.IsDigit))},
		{"not", function(signature{usage: "() or (condition)", most: 1, body: first, holds: 1}, not)},
	}
}

func assert(ctx ctx, s scope, args []node) (any, error) {
	ok, err := holds(ctx, args[0], s)
	if err != nil || ok {
		return nil, err
	}
	message, _, err := textArg(ctx, s, args[1])
	if err == nil {
		err = errors.New(message)
	}
	return nil, err
}

func containsPart(ctx ctx, s scope, args []node) (any, error) {
	whole, err := operand(ctx, s, args[0])
	if err != nil {
		return nil, err
	}
	part, err := operand(ctx, s, args[1])
	if err != nil {
		return nil, err
	}
	return whole.kind != isNil && part.kind != isNil && contains(whole, part, true), nil
}

func iif(ctx ctx, s scope, args []node) (any, error) {
	return ternary{args[0], args[1], args[2]}.eval(ctx, s)
}

// isEmpty tells whether a value is nil, or a text, list or map with nothing in it.
func isEmpty(ctx ctx, s scope, args []node) (any, error) {
	v, err := args[0].eval(ctx, s)
	if err != nil {
		return nil, err
	}
	if items, ok := itemsOf(v); ok {
		return len(items) == 0, nil
	}
	n := scalarOf(v)
	return n.kind == isNil || n.kind == isText && n.text == "", nil
}

func not(ctx ctx, s scope, args []node) (any, error) {
	ok, err := holds(ctx, args[0], s)
	return err == nil && !ok, err
}

func otherFunctions() []entry {
	json := function(bodyOrOne, toJSON(""))
	prettyJSON := function(bodyOrOne, toJSON("  "))
	return []entry{
		{"boolean", resultOf("bool")},
		{"date", date},
		{"date-with-timezone", dateWithTimezone},
		{"env", environment},
		{"hash", function(signature{usage: "() or (value) or (value, algorithm)", most: 2, check: checkHash}, hashed)},
		{"hostName", function(noArguments, hostName)},
		{"hostname", function(noArguments, hostName)},
		{"int", resultOf("int")},
		{"integer", resultOf("int")},
		{"long", resultOf("int64")},
		{"pretty", function(bodyOrOne, pretty)},
		{"prettyBody", function(signature{usage: "() without arguments", body: first, most: 1}, pretty)},
		{"string", resultOf("string")},
		{"sysenv", environment},
		{"toJson", json},
		{"toJsonBody", json},
		{"toPrettyJson", prettyJSON},
		{"toPrettyJsonBody", prettyJSON},
		{"uuid", function(signature{usage: "() or (kind)", most: 1, check: checkUUID}, uuid)},
	}
}

// resultOf constructs "int:function": what the function gives as a type.
func resultOf(name string) constructor {
	t, _ := typeNamed(name)
	return func(p *parser, prefix string) (node, error) {
		if !p.take(':') {
			return nil, p.wanted(`":function" after %q`, prefix)
		}
		n, err := p.named()
		return &call{prefix, func(ctx ctx, s scope, args []node) (any, error) {
			v, err := args[0].eval(ctx, s)
			if err != nil {
				return nil, err
			}
			return t.convert(v)
		}, []node{n}}, err
	}
}

// environment constructs "env.NAME".
func environment(p *parser, function string) (node, error) {
	name, err := p.key(function)
	return &call{function, func(_ ctx, _ scope, _ []node) (any, error) {
		if v, ok := os.LookupEnv(name); ok {
			return v, nil
		}
		return nil, nil
	}, nil}, err
}

func hostName(ctx, scope, []node) (any, error) {
	name, err := os.Hostname()
	return name, err
}

// hashes are the algorithms by Java's names.
func hashes() map[string]func() hash.Hash {
	return map[string]func() hash.Hash{
		"MD5": md5.New, "SHA-1": sha1.New, "SHA-256": sha256.New, "SHA-384": sha512.New384, "SHA-512": sha512.New,
		"SHA3-256": func() hash.Hash { return sha3.New256() }, "SHA3-512": func() hash.Hash { return sha3.New512() },
	}
}

func checkHash(p *parser, at int, args []node) error {
	if len(args) < 2 {
		return nil
	}
	name, ok := args[1].(literal)
	if known := hashes(); !ok || known[strings.ToUpper(string(name))] == nil {
		return p.errorf(at, "unknown hash %q%s", string(name), hint(string(name), slices.Sorted(maps.Keys(known))))
	}
	return nil
}

// hashed is a hash in hexadecimal digits.
func hashed(ctx ctx, s scope, args []node) (any, error) {
	value, h := bodyNode, sha256.New()
	if len(args) > 0 {
		value = args[0]
	}
	if len(args) == 2 {
		h = hashes()[strings.ToUpper(string(args[1].(literal)))]()
	}
	text, ok, err := textArg(ctx, s, value)
	if err != nil || !ok {
		return nil, err
	}
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil)), nil
}

var uuids = []string{"classic", "default", "random", "short", "simple"}

func checkUUID(p *parser, at int, args []node) error {
	if len(args) == 0 {
		return nil
	}
	if kind, ok := args[0].(literal); !ok || !slices.Contains(uuids, string(kind)) {
		return p.errorf(at, "unknown kind of uuid %q%s", string(kind), hint(string(kind), uuids))
	}
	return nil
}

// uuid is a random UUID (RFC 9562, version 4), or its digits, or half as many.
func uuid(_ ctx, _ scope, args []node) (any, error) {
	var b [16]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	digits := hex.EncodeToString(b[:])
	if len(args) == 1 {
		switch args[0].(literal) {
		case "simple":
			return digits, nil
		case "short":
			return digits[:12] + digits[28:], nil
		}
	}
	return digits[:8] + "-" + digits[8:12] + "-" + digits[12:16] + "-" + digits[16:20] + "-" + digits[20:], nil
}

// toJSON is a value in JSON. A text is taken as JSON already.
func toJSON(indent string) run {
	return func(ctx ctx, s scope, args []node) (any, error) {
		v, err := args[0].eval(ctx, s)
		if err != nil || v == nil {
			return nil, err
		}
		switch v := v.(type) {
		case string:
			return v, nil
		case []byte:
			return string(v), nil
		}
		var b strings.Builder
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", indent)
		if err := e.Encode(v); err != nil {
			return nil, fmt.Errorf("a %T has no form in JSON: %w", v, err)
		}
		return strings.TrimSuffix(b.String(), "\n"), nil
	}
}

// pretty is a text, with lines and indents if it is JSON.
func pretty(ctx ctx, s scope, args []node) (any, error) {
	value := bodyNode
	if len(args) == 1 {
		value = args[0]
	}
	text, ok, err := textArg(ctx, s, value)
	if err != nil || !ok {
		return nil, err
	}
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text, nil
	}
	return b.String(), nil
}
