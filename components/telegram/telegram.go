// Package telegram makes the bots of Telegram endpoints, by long polling or a webhook:
//
//	route.From("telegram:bots?authorizationToken={{token}}").
//		Map(answer). // func(context.Context, *telegram.Update) (string, error)
//		To("telegram:bots?authorizationToken={{token}}")
//
// One [Update] is one exchange. Telegram is told that an update has been taken when its
// exchange has succeeded, or an error handler has handled it, and not before: what a crash
// interrupts comes again. A route that stops tells what it has finished before it lets go,
// so that another replica goes on with the next update.
//
// A bot can be polled by one program at a time. Where there are replicas, consume
// "master:bot:telegram:bots".
//
// What is sent is the body: a text, or one of the messages of this package such as [Text],
// [Photo] and [EditText], or a [Call] of any method, or a Chattable of
// github.com/go-telegram-bot-api/telegram-bot-api/v5, the library under it.
package telegram

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/mehari-go/mehari/internal/shared"
	"github.com/mehari-go/mehari/route"
)

// The headers of what comes and of what is sent.
var (
	// ChatID is the chat that an update comes from, an int64. What is sent goes there: an
	// int64 or a string.
	ChatID = route.NewKey[int64]("CamelTelegramChatId")

	// MessageID is the message that an update is about. After sending it is the one that
	// was sent, the last if there were several.
	MessageID = route.NewKey[int64]("CamelTelegramMessageId")

	// UpdateID tells updates apart. One that comes again has the same.
	UpdateID = route.NewKey[int64]("CamelTelegramUpdateId")

	// UpdateKind is the kind of an update, such as "message".
	UpdateKind = route.NewKey[string]("CamelTelegramUpdateKind")

	// Timestamp is when the message was sent, in milliseconds since 1970.
	Timestamp = route.NewKey[int64]("CamelMessageTimestamp")

	// MediaType says what a body of bytes or a stream is that is sent, or a text that is the
	// id or the address of a file.
	MediaType = route.NewKey[Medium]("CamelTelegramMediaType")

	// Caption is the text under a medium.
	Caption = route.NewKey[string]("CamelTelegramMediaTitleCaption")

	// Markup is the keyboard of a message, anything that is as JSON what Telegram calls
	// reply_markup, such as the library's InlineKeyboardMarkup.
	Markup = route.NewKey[any]("CamelTelegramMediaMarkup")

	// Mode is the parse mode of what is sent.
	Mode = route.NewKey[ParseMode]("CamelTelegramParseMode")

	// Result is a property: what Telegram answered to what was sent, a json.RawMessage.
	Result = route.NewProperty[any]("CamelTelegramResult")
)

// A Component makes endpoints of bots. Endpoints of one bot share its limits.
type Component struct {
	client *http.Client
	token  string
	base   string
	bots   shared.Map[bot]
	stats  counters
}

var _ route.Component = (*Component)(nil)

// An Option adds to what [New] makes.
type Option func(*Component)

// WithClient makes c the client of all calls, for a proxy or certificates of one's own. Its
// redirects are not followed, because addresses contain the token.
func WithClient(c *http.Client) Option { return func(t *Component) { t.client = c } }

// WithToken makes token that of endpoints that give none.
func WithToken(token string) Option { return func(t *Component) { t.token = token } }

// WithBaseURI makes uri that of endpoints that give none, for a Bot API server of one's own.
func WithBaseURI(uri string) Option { return func(t *Component) { t.base = uri } }

// New returns the component.
func New(options ...Option) *Component {
	c := &Component{base: "https://api.telegram.org", client: http.DefaultClient}
	for _, o := range options {
		o(c)
	}
	return c
}

// Endpoint implements [route.Component].
func (c *Component) Endpoint(env route.Env, a route.Address) (route.Endpoint, error) {
	var cfg Config
	if err := a.Decode(&cfg); err != nil {
		return nil, err
	}
	if env.Foreign && (cfg.BaseURI != "" || cfg.WebhookExternalURL != "") {
		// A stranger would get the component's token, or a port.
		return nil, errors.New(`options "baseUri" and "webhookExternalUrl" are not for URIs that are made at run time: give the former to telegram.WithBaseURI`)
	}
	e := &endpoint{component: c, config: cfg, scheme: a.Scheme, logger: env.Logger}
	if e.config.AuthorizationToken == "" {
		e.config.AuthorizationToken = c.token
	}
	if e.config.BaseURI == "" {
		e.config.BaseURI = c.base
	}
	if err := e.config.check(); err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(e.config.BaseURI, "/")
	e.bot = c.bots.Get(base+" "+e.config.AuthorizationToken, func() *bot { return newBot(c.client, base, e.config.AuthorizationToken) })
	e.timeout = time.Minute
	if e.config.RequestTimeout > 0 {
		e.timeout = e.config.RequestTimeout
	}
	return e, nil
}

type endpoint struct {
	component *Component
	config    Config
	scheme    string
	logger    *slog.Logger
	bot       *bot
	timeout   time.Duration // of a call
	offset    atomic.Int64  // what a poll that ended has not told Telegram
}

var (
	_ route.Consumer = (*endpoint)(nil)
	_ route.Producer = (*endpoint)(nil)
)

// String implements [route.Endpoint].
func (e *endpoint) String() string { return route.Redact(e.scheme, e.config) }

// Consume implements [route.Consumer].
func (e *endpoint) Consume(ctx context.Context, next route.Processor) error {
	if ctx.Err() != nil {
		return nil
	}
	if e.config.WebhookExternalURL != "" {
		return e.listen(ctx, next)
	}
	return e.poll(ctx, next)
}

// Stats is what has happened to all endpoints of a component since it was made.
type Stats struct {
	Updates     int64 // exchanges that succeeded
	Redelivered int64 // exchanges of updates that had failed before
	Skipped     int64 // updates passed over, after too many failures or because they had no id
	Conflicts   int64 // polls that Telegram ended because another program polls the same bot
	Throttled   int64 // calls that Telegram refused because there were too many
	Sent        int64 // calls that succeeded, other than polls
}

type counters struct {
	updates, redelivered, skipped, conflicts, throttled, sent atomic.Int64
}

// Stats returns what has happened so far.
func (c *Component) Stats() Stats {
	s := &c.stats
	return Stats{s.updates.Load(), s.redelivered.Load(), s.skipped.Load(), s.conflicts.Load(), s.throttled.Load(), s.sent.Load()}
}
