package telegram

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/mehari-go/mehari/route"
)

// An Update is something that has happened: a message, a button that was pressed, a member
// who has left. It is the body of the exchanges that come from Telegram, whatever its kind,
// also one that this package has never heard of.
type Update struct {
	ID   int64
	Kind string // such as "message", "edited_message" or "callback_query"

	// What it tells, as far as its kind has that, or zero.
	ChatID    int64
	MessageID int64
	UserID    int64     // who did it
	Text      string    // of a message, or its caption, the data of a button, or a query
	Date      time.Time // of the message, to the second

	// Content is the object of that kind as Telegram sent it, with all that is in it. See
	// [Update.Decode].
	Content json.RawMessage
}

// Decode stores the content in v, such as a Message of the library. What v has no field
// for is passed over.
func (u *Update) Decode(v any) error {
	if err := json.Unmarshal(u.Content, v); err != nil {
		return fmt.Errorf("content of update %d, a %s: %w", u.ID, u.Kind, err)
	}
	return nil
}

// String returns the text, or where there is none the whole update as JSON.
func (u *Update) String() string {
	if u.Text != "" {
		return u.Text
	}
	text, err := json.Marshal(u)
	if err != nil {
		return fmt.Sprintf("update %d, a %s", u.ID, u.Kind)
	}
	return string(text)
}

// MarshalText returns what String does, so that an update becomes a text where one is wanted.
func (u *Update) MarshalText() ([]byte, error) { return []byte(u.String()), nil }

// MarshalJSON returns the update as Telegram sends it.
func (u *Update) MarshalJSON() ([]byte, error) {
	fields := map[string]any{"update_id": u.ID}
	if u.Kind != "" || u.Content != nil {
		fields[u.Kind] = u.Content
	}
	return json.Marshal(fields)
}

// UnmarshalJSON reads an update as Telegram sends it. All that it insists on is a number
// called update_id.
func (u *Update) UnmarshalJSON(text []byte) error {
	fields := object{}
	if err := json.Unmarshal(text, &fields); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	*u = Update{}
	if err := json.Unmarshal(fields["update_id"], &u.ID); err != nil {
		return fmt.Errorf("update: want a number called update_id, have %.40q", fields["update_id"])
	}
	delete(fields, "update_id")
	kinds := slices.Sorted(maps.Keys(fields))
	known := slices.IndexFunc(kinds, func(k string) bool { return slices.Contains(kindsOfUpdates, k) })
	if len(kinds) > 0 {
		u.Kind = kinds[max(known, 0)]
		u.Content = fields[u.Kind]
		u.describe(fields.object(u.Kind))
	}
	return nil
}

func (u *Update) describe(c object) {
	message := c
	if c["message"] != nil { // of a button
		message = c.object("message")
	}
	u.ChatID = message.object("chat").number("id")
	u.MessageID = message.number("message_id")
	for _, name := range []string{"from", "user"} {
		if u.UserID == 0 {
			u.UserID = c.object(name).number("id")
		}
	}
	for _, name := range []string{"text", "caption", "data", "query"} {
		if u.Text == "" {
			u.Text = c.text(name)
		}
	}
	if date := message.number("date"); date > 0 {
		u.Date = time.Unix(date, 0).UTC()
	}
}

// exchange returns the exchange of the update.
func (u *Update) exchange() *route.Exchange {
	ex := route.NewExchange(u)
	UpdateID.Set(ex, u.ID)
	UpdateKind.Set(ex, u.Kind)
	if u.ChatID != 0 {
		ChatID.Set(ex, u.ChatID)
	}
	if u.MessageID != 0 {
		MessageID.Set(ex, u.MessageID)
	}
	if !u.Date.IsZero() {
		Timestamp.Set(ex, u.Date.UnixMilli())
	}
	return ex
}

// An object is one of JSON, of which only what has the right type is seen.
type object map[string]json.RawMessage

func (o object) object(name string) object {
	inner := object{}
	if json.Unmarshal(o[name], &inner) != nil {
		return nil
	}
	return inner
}

func (o object) number(name string) (n int64) {
	if json.Unmarshal(o[name], &n) != nil {
		return 0
	}
	return n
}

func (o object) text(name string) (s string) {
	if json.Unmarshal(o[name], &s) != nil {
		return ""
	}
	return s
}

// kindsOfUpdates are those of Bot API 10.3: https://core.telegram.org/bots/api#update.
var kindsOfUpdates = strings.Fields(`message edited_message channel_post edited_channel_post
	business_connection business_message edited_business_message deleted_business_messages guest_message
	message_reaction message_reaction_count inline_query chosen_inline_result callback_query
	shipping_query pre_checkout_query purchased_paid_media poll poll_answer
	my_chat_member chat_member chat_join_request chat_boost removed_chat_boost
	managed_bot subscription stopped_message_generation`)

// allowed is what the endpoint asks for, as Telegram wants it.
func (c Config) allowed() string {
	kinds := c.AllowedUpdates
	switch {
	case len(kinds) == 0:
		kinds = kindsOfUpdates
	case kinds[0] == "default":
		kinds = []string{}
	}
	text, _ := json.Marshal(kinds) // strings: cannot fail
	return string(text)
}
