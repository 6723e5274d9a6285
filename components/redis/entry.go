package redis

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/redis/go-redis/v9"

	"github.com/mehari-go/mehari/route"
)

// Headers with what Redis tells about a message.
var (
	ID        = route.NewKey[string]("CamelRedisID")       // of the entry in the stream
	Delivered = route.NewKey[int64]("CamelRedisDelivered") // how often the group has given it, this time included
)

// The fields of an entry are those of Watermill's adapter, so that both understand each
// other.
const (
	uuidField     = "_watermill_message_uuid"
	metadataField = "metadata"
	payloadField  = "payload"
)

// An entry of a stream.
type entry struct {
	client.XMessage
	delivered int64
}

// encode returns the fields for a message.
func encode(m *message.Message) []any {
	fields := []any{uuidField, m.UUID, payloadField, []byte(m.Payload)}
	if len(m.Metadata) > 0 {
		fields = append(fields, metadataField, packMap(m.Metadata))
	}
	return fields
}

// decode returns an entry as a message. One that Watermill would not understand is a
// stranger's: its fields are headers, and as a JSON object the payload.
func decode(e entry) *message.Message {
	if m, ok := decodeOurs(e.Values); ok {
		return m
	}
	m := message.NewMessage(e.ID, nil)
	for name, value := range e.Values {
		m.Metadata[name], _ = value.(string)
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(m.Metadata) // of strings: it does not fail
	m.Payload = bytes.TrimSuffix(body.Bytes(), []byte("\n"))
	return m
}

func decodeOurs(fields map[string]any) (*message.Message, bool) {
	uuid, ok := fields[uuidField].(string)
	if !ok {
		return nil, false
	}
	payload, _ := fields[payloadField].(string)
	m := message.NewMessage(uuid, []byte(payload))
	if packed, _ := fields[metadataField].(string); packed != "" {
		if m.Metadata, ok = unpackMap(packed); !ok {
			return nil, false
		}
	}
	return m, true
}

type entryKey struct{}

// arrived stores in an exchange where its message comes from.
func arrived(_ context.Context, m *message.Message, ex *route.Exchange) {
	if e, ok := m.Context().Value(entryKey{}).(entry); ok {
		ID.Set(ex, e.ID)
		if e.delivered > 0 {
			Delivered.Set(ex, e.delivered)
		}
	}
}
