package sqlqueue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/route"
)

type delayKey struct{}

// leaving notes when a message is due, and has the bell rung when a transaction that it is part
// of is over.
func (e *endpoint) leaving(ctx context.Context, ex *route.Exchange, m *message.Message) error {
	delay := e.config.Delay
	if v := ex.Header(Delay.Name()); v != nil {
		d, err := route.As[time.Duration](ctx, ex, v)
		if err == nil && (d < 0 || d > longest) {
			err = fmt.Errorf("want 0 to %v, have %v", longest, d)
		}
		if err != nil {
			return fmt.Errorf("header %q: %w", Delay.Name(), err)
		}
		delay = d
	}
	if delay > 0 {
		m.SetContext(context.WithValue(ctx, delayKey{}, delay))
	}
	if transactionOf(ctx, e.db) != nil {
		ex.OnDone(func(context.Context, *route.Exchange, error) error {
			e.bell.ring(e.config.Topic)
			return nil
		})
	}
	return nil
}

type publisher struct{ *Component }

// Publish implements [message.Publisher]. What is sent in a transaction is a part of it.
func (p publisher) Publish(topic string, ms ...*message.Message) error {
	for _, m := range ms {
		if err := p.send(m.Context(), topic, m); err != nil {
			return fmt.Errorf("topic %q: send: %w", topic, err)
		}
	}
	return nil
}

func (p publisher) send(ctx context.Context, topic string, m *message.Message) error {
	if !utf8.ValidString(m.UUID) || strings.ContainsRune(m.UUID, 0) {
		return fmt.Errorf("want a UUID in UTF-8, have %q", m.UUID)
	}
	headers, err := encode(m.Metadata)
	if err != nil {
		return err
	}
	body := []byte(m.Payload)
	if body == nil {
		body = []byte{} // not NULL
	}
	delay, _ := ctx.Value(delayKey{}).(time.Duration)
	var on runner = p.db
	tx := transactionOf(ctx, p.db)
	if tx != nil {
		on = tx
	} else if err := p.wanted(ctx); err != nil {
		return err
	}
	text, args := p.sql.send, []any{topic, m.UUID, headers, body, delay.Milliseconds(), topic, topic}
	if p.sql.dialect == MySQL {
		groups, err := p.groups(ctx, on, topic)
		if err != nil {
			return err
		}
		text, args = p.sql.insert(len(groups)), nil
		for _, group := range groups {
			args = append(args, topic, group, m.UUID, headers, body, delay.Milliseconds())
		}
	}
	if _, err := on.ExecContext(ctx, text, args...); err != nil {
		return err
	}
	if tx == nil { // or else it rings when the exchange is done
		p.bell.ring(topic)
	}
	return nil
}

// groups returns those of a topic, or the one without a name if there are none.
func (p publisher) groups(ctx context.Context, on runner, topic string) (groups []string, err error) {
	rows, err := on.QueryContext(ctx, p.sql.groups(topic))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var group string
		if err := rows.Scan(&group); err != nil {
			return nil, err
		}
		groups = append(groups, group)
	}
	if len(groups) == 0 {
		groups = []string{""}
	}
	return groups, rows.Err()
}

// Close implements [message.Publisher]. The database is the user's.
func (publisher) Close() error { return nil }
