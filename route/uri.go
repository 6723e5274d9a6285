package route

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A URI names an endpoint: "timer:tick?period=1s". It is the text form of a component's
// Config. Its String method leaves secrets out; string(u) is the whole text.
type URI string

// An Address is a parsed [URI].
type Address struct {
	// Scheme chooses the component.
	Scheme string

	// Path is what stands between the scheme and the options, without a leading "//"
	// and with %-escapes decoded.
	Path string

	// Options are the decoded options.
	Options url.Values

	// Raw is all that follows "scheme:", as it was written.
	Raw string
}

// Parse splits u into its parts. An option's value may be written as RAW(text) or
// RAW{text}, in which nothing is decoded and "&" has no meaning.
func (u URI) Parse() (Address, error) {
	scheme, rest, ok := strings.Cut(string(u), ":")
	if !ok || !isScheme(scheme) {
		return Address{}, fmt.Errorf("want a URI like scheme:path?option=value, have %q", u)
	}
	path, query, _ := strings.Cut(rest, "?")
	decoded, err := url.PathUnescape(strings.TrimPrefix(path, "//"))
	if err != nil {
		return Address{}, errors.New("path: not %-encoded as it should be; a literal % is written %25")
	}
	options, err := parseOptions(query)
	if err != nil {
		return Address{}, err
	}
	return Address{Scheme: scheme, Path: decoded, Options: options, Raw: rest}, nil
}

// isScheme tells whether s is a scheme as in RFC 3986, section 3.1.
func isScheme(s string) bool {
	for i, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') && (i == 0 || !strings.ContainsRune("+-.", rune(c))) {
			return false
		}
	}
	return s != ""
}

func parseOptions(query string) (url.Values, error) {
	options := url.Values{}
	for query != "" {
		var pair string
		pair, query = cutOption(query)
		if pair == "" {
			continue
		}
		name, text, ok := strings.Cut(pair, "=")
		if !ok {
			return nil, fmt.Errorf("option %q: want name=value", hide(name))
		}
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, fmt.Errorf("name of an option: %w", err)
		}
		if name == "" {
			return nil, errors.New("an option without a name: want name=value")
		}
		value, raw := rawValue(text)
		if !raw && isRaw(text) {
			return nil, fmt.Errorf("option %q: RAW%c is not closed", name, text[len("RAW")])
		}
		if !raw {
			if value, err = url.QueryUnescape(text); err != nil {
				return nil, fmt.Errorf("option %q: not %%-encoded as it should be; a literal %% is written %%25, or the value as RAW(value)", name)
			}
		}
		options.Add(name, value)
	}
	return options, nil
}

// cutOption cuts the first name=value off a query.
func cutOption(query string) (pair, rest string) {
	if i := strings.IndexByte(query, '='); i >= 0 && !strings.Contains(query[:i], "&") {
		for open, end := range rawMarks {
			if strings.HasPrefix(query[i+1:], open) {
				// As in Camel, the value ends at the first mark that is followed by & or the end.
				for j := i + 1; j < len(query); j++ {
					if query[j] == end && (j+1 == len(query) || query[j+1] == '&') {
						return query[:j+1], strings.TrimPrefix(query[j+1:], "&")
					}
				}
			}
		}
	}
	pair, rest, _ = strings.Cut(query, "&")
	return pair, rest
}

var rawMarks = map[string]byte{"RAW(": ')', "RAW{": '}'}

func rawValue(text string) (string, bool) {
	for open, end := range rawMarks {
		if inner, ok := strings.CutPrefix(text, open); ok && inner != "" && inner[len(inner)-1] == end {
			return inner[:len(inner)-1], true
		}
	}
	return text, false
}

func isRaw(text string) bool {
	for open := range rawMarks {
		if strings.HasPrefix(text, open) {
			return true
		}
	}
	return false
}

// String returns the URI with the password of its authority and the values of options
// that look secret replaced by "xxxxx".
func (u URI) String() string {
	text, query, ok := strings.Cut(string(u), "?")
	if i := strings.Index(text, "//"); i >= 0 {
		authority, _, _ := strings.Cut(text[i+2:], "/")
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			if user, _, hasPassword := strings.Cut(authority[:at], ":"); hasPassword {
				text = text[:i+2] + user + ":" + redacted + text[i+2+at:]
			}
		}
	}
	if !ok {
		return text
	}
	var pairs []string
	for query != "" {
		var pair string
		pair, query = cutOption(query)
		pairs = append(pairs, hide(pair))
	}
	return text + "?" + strings.Join(pairs, "&")
}

// hide returns name=value without the value where that looks secret.
func hide(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	plain, err := url.QueryUnescape(name)
	if err == nil && !isSecret(plain) {
		return pair
	}
	if len(name) == len(pair) {
		return redacted // nobody knows where the name ends
	}
	return name + "=" + redacted
}

const redacted = "xxxxx"

// secrets are parts of names that look secret, one of them as it is often mistyped.
var secrets = []string{"passw", "pasw", "pwd", "passphrase", "secret", "token", "credential", "apikey", "accesskey", "privatekey", "signature"}

func isSecret(option string) bool {
	option = strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(option))
	if option == "query" { // that of a URL, in which many servers want their keys
		return true
	}
	return slices.ContainsFunc(secrets, func(s string) bool { return strings.Contains(option, s) })
}
