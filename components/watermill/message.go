package watermill

import (
	"context"
	"fmt"
	"strings"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/route"
)

// What is between a message and an exchange.

// reserved is how the names of headers begin that steer endpoints, or tell what they found
// out: they neither come from a message nor go into one.
const reserved = "Camel"

func isReserved(name string) bool {
	return len(name) >= len(reserved) && strings.EqualFold(name[:len(reserved)], reserved)
}

// arrive stores a message in an exchange without content.
func (w *Wire) arrive(ctx context.Context, m *message.Message, ex *route.Exchange) {
	ex.Body = []byte(m.Payload)
	for name, value := range m.Metadata {
		if name != "" && !isReserved(name) {
			ex.SetHeader(name, value)
		}
	}
	if m.UUID != "" {
		UUID.Set(ex, m.UUID)
	}
	if w.Arrived != nil {
		w.Arrived(ctx, m, ex)
	}
}

// leave returns an exchange as a message.
func (w *Wire) leave(ctx context.Context, ex *route.Exchange) (*message.Message, error) {
	payload, err := bytesOf(ctx, ex)
	if err != nil {
		return nil, fmt.Errorf("body: %w", err)
	}
	id, _ := UUID.Get(ex)
	if id == "" {
		id = watermill.NewUUID()
	}
	m := message.NewMessageWithContext(ctx, id, payload)
	for name, value := range ex.Headers() {
		if name == "" || isReserved(name) || value == nil {
			continue
		}
		text, ok := value.(string)
		if !ok {
			if text, err = route.As[string](ctx, ex, value); err != nil {
				return nil, fmt.Errorf("header %q: a message has texts in its headers only: %w", name, err)
			}
		}
		m.Metadata[name] = text
	}
	if w.Leaving != nil {
		if err := w.Leaving(ctx, ex, m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// bytesOf returns the body as bytes: it is not copied if it is some already.
func bytesOf(ctx context.Context, ex *route.Exchange) ([]byte, error) {
	switch body := ex.Body.(type) {
	case nil:
		return nil, nil
	case []byte:
		return body, nil
	case string:
		return []byte(body), nil
	}
	return route.As[[]byte](ctx, ex, ex.Body)
}
