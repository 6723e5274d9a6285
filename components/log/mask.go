package log

import (
	"regexp"
	"slices"
	"strings"
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
var secretName = func() string {
	var parts []string
	for _, s := range secrets {
		parts = append(parts, strings.Join(strings.Split(s, ""), "[-_]?"))
	}
	return `[\w.-]*(?:` + strings.Join(parts, "|") + `)[\w.-]*`
}()

var masks = []struct {
	pattern *regexp.Regexp
	with    []byte
}{
	// <password>x</password>
	{regexp.MustCompile(`(?i)(<(?:\w+:)?` + secretName + `(?:\s[^>]*)?>)[^<]+`), []byte("${1}" + hidden)},
	// "password": "x", with \" inside of strings as in JSON
	{regexp.MustCompile(`(?i)(["']` + secretName + `["']\s*:\s*)(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,}\]"']+)`), []byte(`${1}"` + hidden + `"`)},
	// Authorization: Bearer x
	{regexp.MustCompile(`(?i)(\b` + secretName + `\s*[:=]\s*(?:bearer|basic|digest|negotiate)\s+)[^\s,;&"'\]}]+`), []byte("${1}" + hidden)},
	// password=x, password: x, password="x"
	{regexp.MustCompile(`(?i)(\b` + secretName + `\s*[:=]\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&<>"'\]}]+)`), []byte("${1}" + hidden)},
	// https://user:x@host
	{regexp.MustCompile(`(//[^/\s:@]+:)[^/\s@]+@`), []byte("${1}" + hidden + "@")},
}

// mask hides what looks like a secret in text.
func mask(text []byte) []byte {
	for _, m := range masks {
		text = m.pattern.ReplaceAll(text, m.with)
	}
	return text
}
