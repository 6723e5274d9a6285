package log

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

const hidden = "xxxxx"

// secrets are parts of names that look secret, without - and _.
var secrets = []string{
	"password", "passwd", "passphrase", "secret", "token", "credential", "apikey", "accesskey", "privatekey",
	"signature", "authorization", "cookie",
}

func looksSecret(name string) bool {
	name = strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
	return slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(name, s) })
}

// secretName matches what looksSecret holds for.
func secretName() string {
	var parts []string
	for _, s := range secrets {
		parts = append(parts, strings.Join(strings.Split(s, ""), "[-_]?"))
	}
	return `[\w.-]*(?:` + strings.Join(parts, "|") + `)[\w.-]*`
}

// A hider replaces what a pattern matches.
type hider struct {
	pattern *regexp.Regexp
	with    []byte
}

func hide(pattern, with string) hider {
	return hider{regexp.MustCompile(strings.ReplaceAll(pattern, "NAME", secretName())), []byte(with)}
}

// hiders are made when they are first wanted: most programs never do.
var hiders = sync.OnceValue(func() []hider {
	return []hider{
		// <password>x</password>
		hide(`(?i)(<(?:\w+:)?NAME(?:\s[^>]*)?>)[^<]+`, "${1}"+hidden),
		// "password": "x", with \" inside of strings as in JSON
		hide(`(?i)(["']NAME["']\s*:\s*)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,}\]"']+)`, `${1}"`+hidden+`"`),
		// password=x, password: x, password="x", Authorization: Bearer x
		hide(`(?i)(\bNAME\s*[:=]\s*(?:(?:bearer|basic|digest|negotiate)\s+)?)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&<>"'\]}]+)`, "${1}"+hidden),
		// https://user:x@host
		hide(`(//[^/\s:@]+:)[^/\s@]+@`, "${1}"+hidden+"@"),
	}
})

// mask hides what looks like a secret in text.
func mask(text []byte) []byte {
	for _, h := range hiders() {
		text = h.pattern.ReplaceAll(text, h.with)
	}
	return text
}
