package nats

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/nats-io/nats.go"
)

const (
	// uuidHeader is that of Watermill's adapter, so that both understand each other.
	uuidHeader = "_watermill_message_uuid"

	// system is how the headers begin that steer the server. They neither come from a
	// message nor go into one.
	system = "Nats-"

	// packed is how those headers of ours begin that hold one which NATS would change or
	// refuse, escaped as in a form: name=value.
	packed = "Mehari-Packed-"
)

// encode returns a message as one of NATS.
func encode(subject string, m *message.Message) *client.Msg {
	h := make(client.Header, len(m.Metadata)+1)
	h[uuidHeader] = []string{m.UUID}
	n := 0
	for _, name := range slices.Sorted(maps.Keys(m.Metadata)) {
		value := m.Metadata[name]
		switch {
		case hasPrefix(name, system) || hasPrefix(name, packed) || name == uuidHeader:
		case isName(name) && isValue(value):
			h[name] = []string{value}
		default:
			n++
			h[packed+strconv.Itoa(n)] = []string{url.QueryEscape(name) + "=" + url.QueryEscape(value)}
		}
	}
	return &client.Msg{Subject: subject, Header: h, Data: m.Payload}
}

// decode returns what came from NATS as a message. What a stranger has packed wrongly stays
// as it is.
func decode(h client.Header, data []byte) *message.Message {
	m := message.NewMessage("", data)
	for name, values := range h {
		value := strings.Join(values, ",")
		switch {
		case name == uuidHeader:
			m.UUID = value
		case hasPrefix(name, system):
		case hasPrefix(name, packed):
			if n, v, ok := unpack(value); ok {
				name, value = n, v
			}
			m.Metadata[name] = value
		default:
			m.Metadata[name] = value
		}
	}
	return m
}

func unpack(pair string) (name, value string, ok bool) {
	n, v, ok := strings.Cut(pair, "=")
	name, err := url.QueryUnescape(n)
	value, err2 := url.QueryUnescape(v)
	return name, value, ok && err == nil && err2 == nil
}

func hasPrefix(name, prefix string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

// isName tells whether NATS takes a name: it is a token as in RFC 9110, section 5.6.2.
func isName(name string) bool {
	for _, c := range []byte(name) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return name != ""
}

// isValue tells whether NATS leaves a value as it is: it has one line, and no blanks around.
func isValue(value string) bool {
	return strings.TrimSpace(value) == value && !strings.ContainsAny(value, "\r\n\x00")
}
