package amazon

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	library "github.com/ThreeDotsLabs/watermill"
)

// FIFO is the end of the names of FIFO queues and topics.
const FIFO = ".fifo"

// IsName tells whether a name, without FIFO, has what those of queues and topics may have.
func IsName(name string) bool {
	return name != "" && strings.IndexFunc(name, func(c rune) bool {
		return (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_'
	}) < 0
}

// DeduplicationStrategy says what makes two messages the same, of which FIFO queues and
// topics drop the second for five minutes; "" means that no two are.
type DeduplicationStrategy string

// The strategies.
const (
	UseExchangeID                = "useExchangeId"
	UseMessageUUID               = "useMessageUuid"
	UseContentBasedDeduplication = "useContentBasedDeduplication"
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *DeduplicationStrategy) UnmarshalText(text []byte) error {
	switch v := DeduplicationStrategy(text); v {
	case UseExchangeID, UseMessageUUID, UseContentBasedDeduplication:
		*s = v
		return nil
	}
	return fmt.Errorf("want %s, %s or %s, have %q", UseExchangeID, UseMessageUUID, UseContentBasedDeduplication, text)
}

// A Place is where a message stands in a FIFO queue or topic.
type Place struct {
	Group  string
	Unique string // the deduplication id; "" leaves it to the service
}

// oneGroup is Camel's name of the group of all messages without one.
const oneGroup = "CamelSingleMessageGroup"

// PlaceOf returns the place of an exchange with an ID that leaves as a message with a UUID.
// Its group is the key in a header, if one is named.
func (s DeduplicationStrategy) PlaceOf(exchange func() string, uuid, keyHeader string, key func() (string, error)) (Place, error) {
	var p Place
	switch s {
	case UseContentBasedDeduplication:
	case UseMessageUUID:
		p.Unique = token(uuid)
	case UseExchangeID:
		p.Unique = token(exchange())
	default:
		p.Unique = library.NewUUID()
	}
	if keyHeader == "" {
		p.Group = oneGroup
		return p, nil
	}
	group, err := key()
	if err != nil {
		return Place{}, fmt.Errorf("header %q, which names the group: %w", keyHeader, err)
	}
	if group == "" {
		return Place{}, fmt.Errorf("header %q is missing, which names the group", keyHeader)
	}
	p.Group = token(group)
	return p, nil
}

// token returns a text as the identifier of a message or of a group of messages: up to 128
// letters, digits and punctuation of ASCII. Others become their SHA-256: equal texts give
// equal tokens.
func token(text string) string {
	if text != "" && len(text) <= 128 && strings.IndexFunc(text, func(c rune) bool { return c <= ' ' || c > '~' }) < 0 {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
