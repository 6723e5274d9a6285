package sqlqueue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/route"
)

// A row is a message in the table, held by a subscriber.
type row struct {
	id, due    int64
	uuid       string
	headers    string
	body       []byte
	sent       int64
	deliveries int

	of    *settler
	early atomic.Bool        // it is acknowledged in a transaction, if that is committed
	until time.Time          // when someone else may get it
	done  context.CancelFunc // of the context of the message; nil if it was not given
}

type rowKey struct{}

// message returns the row as one. Its context ends when the table says what has become of it.
func (r *row) message() *message.Message {
	m := message.NewMessage(r.uuid, r.body)
	decode(r.headers, m.Metadata)
	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), rowKey{}, r))
	r.done = cancel
	m.SetContext(ctx)
	return m
}

func arrived(_ context.Context, m *message.Message, ex *route.Exchange) {
	r, _ := m.Context().Value(rowKey{}).(*row)
	r.early.Store(false) // a new attempt
	origin.Set(ex, r)
	ID.Set(ex, r.id)
	Delivered.Set(ex, r.deliveries)
	Sent.Set(ex, time.UnixMilli(r.sent).UTC())
}

// encode returns headers as an object of JSON, which can be read and searched in the table.
func encode(headers message.Metadata) (string, error) {
	if len(headers) == 0 {
		return "{}", nil
	}
	for name, value := range headers {
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return "", fmt.Errorf("header %q: want UTF-8, have %q", name, value)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]string(headers)); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// decode reads them. Others may write to the table: a value that is no text is JSON, and what is
// not JSON is a header called headers.
func decode(text string, into message.Metadata) {
	if text == "" {
		return
	}
	var headers map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &headers); err != nil {
		into["headers"] = text
		return
	}
	for name, raw := range headers {
		var value string
		if err := json.Unmarshal(raw, &value); err != nil {
			value = string(raw)
		}
		into[name] = value
	}
}
