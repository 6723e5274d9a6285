package amqp

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/rabbitmq/amqp091-go"

	"github.com/mehari-go/mehari/route"
)

type deliveryKey struct{}

// decode returns what came from the server as a message, in whose context it is.
func decode(ctx context.Context, d *client.Delivery) *message.Message {
	m := message.NewMessage(d.MessageId, d.Body)
	for name, v := range d.Headers {
		if t, ok := text(plain(v)); ok {
			m.Metadata[name] = t
		}
	}
	if id, ok := d.Headers[uuidHeader].(string); ok {
		m.UUID = id
		delete(m.Metadata, uuidHeader)
	}
	m.SetContext(context.WithValue(ctx, deliveryKey{}, d))
	return m
}

// arrived stores what a text cannot say, and what the server tells.
func arrived(_ context.Context, m *message.Message, ex *route.Exchange) {
	d, ok := m.Context().Value(deliveryKey{}).(*client.Delivery)
	if !ok {
		return
	}
	for name, v := range d.Headers {
		if _, isText := v.(string); !isText && name != "" && v != nil && !isReserved(name) {
			ex.SetHeader(name, plain(v))
		}
	}
	ExchangeName.Set(ex, d.Exchange)
	RoutingKey.Set(ex, d.RoutingKey)
	Redelivered.Set(ex, d.Redelivered)
	if d.Priority > 0 {
		Priority.Set(ex, int(d.Priority))
	}
	for i, v := range [...]string{d.ContentType, d.ContentEncoding, d.CorrelationId, d.ReplyTo, d.Type, d.AppId} {
		if v != "" {
			properties[i].Set(ex, v)
		}
	}
}

// properties are the texts among those of a message that are headers both ways.
var properties = [...]route.Key[string]{ContentType, ContentEncoding, CorrelationID, ReplyTo, Type, AppID}

// A target is where the producers of an endpoint send to.
type target struct {
	*plan
	declared atomic.Pointer[link] // over which it has been
}

// A sending in the context of a message is how it is sent.
type sending struct {
	target     *target
	key        string
	publishing client.Publishing
}

type sendingKey struct{}

// leaving makes of a message what the server wants.
func (t *target) leaving(ctx context.Context, ex *route.Exchange, m *message.Message) error {
	key, err := t.routingKey(ctx, ex)
	if err != nil {
		return err
	}
	s := &sending{target: t, key: key}
	p := &s.publishing
	p.Headers = make(client.Table, len(m.Metadata)+1)
	for name, value := range m.Metadata {
		switch {
		case steers(name) || name == uuidHeader || isProperty(name):
			continue
		case len(name) > maxName:
			return fmt.Errorf("header %.20q…: AMQP takes names of %d bytes, this one has %d", name, maxName, len(name))
		}
		p.Headers[name] = value
	}
	for name, v := range ex.Headers() {
		if _, sent := p.Headers[name]; !sent {
			continue
		}
		if w, ok := wire(v); ok {
			p.Headers[name] = w
		}
	}
	p.Headers[uuidHeader] = m.UUID
	if len(m.UUID) <= maxName {
		p.MessageId = m.UUID
	}
	if err := t.properties(ctx, ex, p); err != nil {
		return err
	}
	p.Body = bytes.Clone(m.Payload) // who gives up waiting may change his
	m.SetContext(context.WithValue(ctx, sendingKey{}, s))
	return nil
}

func isProperty(name string) bool {
	return strings.EqualFold(name, ContentType.Name()) || strings.EqualFold(name, ContentEncoding.Name())
}

// routingKey returns what a message is sent with.
func (t *target) routingKey(ctx context.Context, ex *route.Exchange) (string, error) {
	key, err := property(ctx, ex, RoutingOverrideKey.Name())
	if err != nil {
		return "", err
	}
	if key = cmp.Or(key, t.RoutingKey); key == "" && t.exchange == "" {
		key = t.Queue
	}
	if key == "" && t.exchange == "" {
		return "", errors.New("the default exchange wants a routing key: option queue or routingKey, or header " + RoutingOverrideKey.Name())
	}
	return key, nil
}

// properties sets those of a message.
func (t *target) properties(ctx context.Context, ex *route.Exchange, p *client.Publishing) error {
	for i, field := range [...]*string{&p.ContentType, &p.ContentEncoding, &p.CorrelationId, &p.ReplyTo, &p.Type, &p.AppId} {
		v, err := property(ctx, ex, properties[i].Name())
		if err != nil {
			return err
		}
		*field = v
	}
	p.DeliveryMode = client.Transient
	if isTrue(t.Persistent) {
		p.DeliveryMode = client.Persistent
	}
	if t.Expiration > 0 {
		p.Expiration = strconv.FormatInt(t.Expiration.Milliseconds(), 10)
	}
	p.Priority = uint8(t.Priority)
	if v := ex.Header(Priority.Name()); v != nil {
		n, err := route.As[uint8](ctx, ex, v)
		if err != nil {
			return fmt.Errorf("header %q: want 0 to 255: %w", Priority.Name(), err)
		}
		p.Priority = n
	}
	return nil
}

// property returns a header as a text that the server takes.
func property(ctx context.Context, ex *route.Exchange, name string) (string, error) {
	v := ex.Header(name)
	if v == nil {
		return "", nil
	}
	s, err := route.As[string](ctx, ex, v)
	if err == nil && len(s) > maxName {
		err = fmt.Errorf("AMQP takes %d bytes, have %d", maxName, len(s))
	}
	if err != nil {
		return "", fmt.Errorf("header %q: %w", name, err)
	}
	return s, nil
}

// size is about how much room the header of a message takes on the wire: it has to fit into
// one frame, or the server ends the connection.
func size(v any) int {
	switch v := v.(type) {
	case string:
		return 5 + len(v)
	case []byte:
		return 5 + len(v)
	case []any:
		n := 5
		for _, e := range v {
			n += size(e)
		}
		return n
	case client.Table:
		n := 5
		for name, e := range v {
			n += 1 + len(name) + size(e)
		}
		return n
	}
	return 9
}
