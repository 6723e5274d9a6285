package googlepubsub

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ThreeDotsLabs/watermill/message"
)

const (
	// uuidAttribute is that of Watermill's adapter, so that both understand each other.
	uuidAttribute = "_watermill_message_uuid"

	// system is how the attributes begin that Google keeps for itself.
	system = "goog"

	// packed is how those attributes of ours begin that hold headers which do not fit,
	// escaped as in a form: name=value&name=value. They have numbers, from 1, and belong
	// together.
	packed = "Mehari-Packed-"

	// The limits of "Pub/Sub quotas and limits, Resource limits".
	maxAttributes = 100
	maxName       = 256
	maxValue      = 1024
)

// encode returns the attributes of a message.
func encode(m *message.Message) (map[string]string, error) {
	attributes := make(map[string]string, len(m.Metadata)+1)
	rest := url.Values{}
	if isValue(m.UUID) {
		attributes[uuidAttribute] = m.UUID
	} else {
		rest.Set(uuidAttribute, m.UUID)
	}
	for name, value := range m.Metadata {
		if isName(name) && isValue(value) {
			attributes[name] = value
		} else {
			rest.Set(name, value)
		}
	}
	for n, text := 1, rest.Encode(); text != ""; n++ {
		part := text[:min(len(text), maxValue)]
		attributes[packed+strconv.Itoa(n)] = part
		text = text[len(part):]
	}
	if len(attributes) > maxAttributes {
		return nil, fmt.Errorf("the headers need %d attributes, of which a message has %d at most", len(attributes), maxAttributes)
	}
	return attributes, nil
}

// decode is the inverse of encode. What a stranger has packed wrongly stays as it is.
func decode(attributes map[string]string) (uuid string, headers map[string]string) {
	headers = maps.Clone(attributes)
	if headers == nil {
		headers = map[string]string{}
	}
	var text strings.Builder
	var parts []string
	for n := 1; ; n++ {
		name := packed + strconv.Itoa(n)
		part, ok := headers[name]
		if !ok {
			break
		}
		text.WriteString(part)
		parts = append(parts, name)
	}
	if rest, err := url.ParseQuery(text.String()); err == nil {
		maps.DeleteFunc(headers, func(name, _ string) bool { return slices.Contains(parts, name) })
		for name, values := range rest {
			headers[name] = values[0]
		}
	}
	uuid = headers[uuidAttribute]
	delete(headers, uuidAttribute)
	return uuid, headers
}

func isName(name string) bool {
	return name != "" && len(name) <= maxName && utf8.ValidString(name) && name != uuidAttribute &&
		!strings.HasPrefix(strings.ToLower(name), system) && !strings.HasPrefix(name, packed)
}

func isValue(value string) bool { return len(value) <= maxValue && utf8.ValidString(value) }
