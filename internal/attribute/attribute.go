// Package attribute gives the headers and the body of a message the form that the message
// attributes and the text of Amazon SQS and SNS can carry, and reads it again. Nothing is
// changed on the way: what does not fit is escaped in an attribute of ours.
//
// The limits are those of the Amazon SQS Developer Guide, "Amazon SQS message metadata" and
// "Amazon SQS message quotas": ten attributes; names of 1 to 256 letters, digits, hyphens,
// underscores and single periods inside, that do not begin with AWS. or Amazon.; texts that
// are not empty and have only the characters that XML 1.0 allows.
package attribute

import (
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// uuid is that of Watermill's adapter, so that both understand each other.
	uuid = "_watermill_message_uuid"

	// packed has what does not fit, escaped as in a form: name=value&name=value.
	packed = "Mehari-Packed"

	// form tells how the body is written if it is not the text itself.
	form = "Mehari-Body"

	inBase64, isEmpty = "base64", "empty"

	most = 10 // attributes of a message
)

// A Message is what travels: a text and texts with names.
type Message struct {
	Text       string
	Attributes map[string]string
}

// Size is what the services count: the text, the names, types and values of all attributes,
// of which each is a String, in bytes.
func (m Message) Size() int {
	n := len(m.Text)
	for name, value := range m.Attributes {
		n += len(name) + len("String") + len(value)
	}
	return n
}

// Pack makes a message of a body, its UUID and its headers.
func Pack(id string, headers map[string]string, body []byte) Message {
	m := Message{Text: string(body), Attributes: make(map[string]string, min(len(headers)+1, most))}
	switch {
	case len(body) == 0:
		m.Text, m.Attributes[form] = "-", isEmpty
	case !isText(m.Text):
		m.Text, m.Attributes[form] = base64.StdEncoding.EncodeToString(body), inBase64
	}
	rest := url.Values{}
	if isText(id) {
		m.Attributes[uuid] = id
	} else {
		rest.Set(uuid, id)
	}
	var fit []string
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if isName(name) && isText(headers[name]) {
			fit = append(fit, name)
		} else {
			rest.Set(name, headers[name])
		}
	}
	free := most - len(m.Attributes)
	if len(rest) > 0 || len(fit) > free {
		free--
	}
	for i, name := range fit {
		if i < free {
			m.Attributes[name] = headers[name]
		} else {
			rest.Set(name, headers[name])
		}
	}
	if len(rest) > 0 {
		m.Attributes[packed] = rest.Encode()
	}
	return m
}

// Unpack is the inverse of Pack. What a stranger has packed wrongly stays as it is; without
// a UUID, id is "".
func (m Message) Unpack() (id string, headers map[string]string, body []byte) {
	headers = maps.Clone(m.Attributes)
	if headers == nil {
		headers = map[string]string{}
	}
	body = []byte(m.Text)
	switch headers[form] {
	case isEmpty:
		body = nil
		delete(headers, form)
	case inBase64:
		if decoded, err := base64.StdEncoding.DecodeString(m.Text); err == nil {
			body = decoded
			delete(headers, form)
		}
	}
	if text, ok := headers[packed]; ok {
		if rest, err := url.ParseQuery(text); err == nil {
			delete(headers, packed)
			for name, values := range rest {
				headers[name] = values[0]
			}
		}
	}
	id = headers[uuid]
	delete(headers, uuid)
	return id, headers, body
}

func isName(name string) bool {
	for _, c := range []byte(name) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
		if !letter && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	lower := strings.ToLower(name)
	return name != "" && len(name) <= 256 && name != uuid && name != packed && name != form &&
		!strings.HasPrefix(lower, "aws.") && !strings.HasPrefix(lower, "amazon.") &&
		name[0] != '.' && name[len(name)-1] != '.' && !strings.Contains(name, "..")
}

// isText tells whether a text can travel: it has the characters of XML 1.0, section 2.2.
func isText(s string) bool {
	for _, c := range s {
		if c == 0xFFFE || c == 0xFFFF || c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
	}
	return s != "" && utf8.ValidString(s)
}
