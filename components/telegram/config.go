package telegram

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Config is everything a telegram endpoint can be told. Zero fields mean defaults.
type Config struct {
	// Type is "bots", as in Camel.
	Type string `uri:".,required"`

	// AuthorizationToken is the bot's, as BotFather gave it; "" means that of the
	// component: see [WithToken].
	AuthorizationToken string `uri:"authorizationToken,secret"`

	// BaseURI is where the Bot API is; "" means that of the component, which is
	// https://api.telegram.org unless [WithBaseURI] says otherwise.
	BaseURI string `uri:"baseUri"`

	// RequestTimeout is how long a call may take, that of a poll apart from the time for
	// which it waits for updates; 0 means 1m.
	RequestTimeout time.Duration `uri:"requestTimeout"`

	// For those who consume.

	// Limit is how many updates a poll takes at most, 1 to 100; 0 means 100. After a crash
	// as many may come again.
	Limit int `uri:"limit"`

	// Timeout is how many seconds a poll waits for updates, 0 to 50, as in Camel; nil means
	// 30. With 0 it asks again after a second.
	Timeout *int `uri:"timeout"`

	// AllowedUpdates are the kinds of updates to ask for, such as "message" and
	// "callback_query"; "default" alone stands for what Telegram sends to those who ask for
	// nothing. Empty means all kinds that there are.
	AllowedUpdates []string `uri:"allowedUpdates"`

	// MaximumRedeliveries is how often an update whose exchange failed is given to the route
	// again before it is passed over, which an error in the log tells; nil means 10, -1
	// without end. Updates that follow wait for it.
	MaximumRedeliveries *int `uri:"maximumRedeliveries"`

	// RedeliveryDelay is the time before the first redelivery, and doubles with each up to
	// 30s; 0 means 1s. Of a webhook Telegram decides.
	RedeliveryDelay time.Duration `uri:"redeliveryDelay"`

	// WebhookExternalURL is where Telegram finds this program. The consumer then takes what
	// is posted there, and does not poll.
	WebhookExternalURL string `uri:"webhookExternalUrl"`

	// WebhookListen is the address to listen at, such as ":8443", in plain HTTP: Telegram
	// wants HTTPS, which a proxy or an ingress in front gives.
	WebhookListen string `uri:"webhookListen"`

	// WebhookPath is the path at that address; "" means that of WebhookExternalURL.
	WebhookPath string `uri:"webhookPath"`

	// WebhookSecretToken is what Telegram proves itself with, 1 to 256 letters, digits, _
	// and -; "" means one that follows from the bot's token and the URL.
	WebhookSecretToken string `uri:"webhookSecretToken,secret"`

	// WebhookAutoRegister registers the webhook when the route starts and removes it when
	// the route stops; nil means true.
	WebhookAutoRegister *bool `uri:"webhookAutoRegister"`

	// WebhookMaxConnections is how many updates come at a time, 1 to 100, one of each chat;
	// 0 means 40.
	WebhookMaxConnections int `uri:"webhookMaxConnections"`

	// For those who send.

	// ChatID is the chat to send to, a number or @name, unless the message or the header
	// CamelTelegramChatId names one.
	ChatID string `uri:"chatId"`

	// ParseMode is how texts and captions are marked up, unless the message or the header
	// CamelTelegramParseMode says: HTML, Markdown or MarkdownV2; "" means not at all.
	ParseMode ParseMode `uri:"parseMode"`

	// LongText tells what becomes of a text of more than 4096 characters that is not marked
	// up: split makes several messages of it, error refuses it; "" means split.
	LongText LongText `uri:"longText"`

	// ChatInterval is the time between two messages to one chat, once a few have gone
	// without; nil means 1s, and 3s for groups, which is what Telegram asks for. 0 leaves it
	// to Telegram to refuse.
	ChatInterval *time.Duration `uri:"chatInterval"`

	// MaximumRetryAfter is how long to wait before a message is sent again that Telegram
	// refused because there were too many; nil means 1m, 0 not at all. If Telegram wants more
	// time than that it is an error at once.
	MaximumRetryAfter *time.Duration `uri:"maximumRetryAfter"`

	// MaximumFileSize is how many bytes a download may have; 0 means 20 MiB, which is
	// Telegram's own limit.
	MaximumFileSize int64 `uri:"maximumFileSize"`
}

// URI returns the address of the endpoint that c describes.
func (c Config) URI() route.URI { return route.Encode("telegram", c) }

// A ParseMode is a way to mark up text: https://core.telegram.org/bots/api#formatting-options.
type ParseMode string

// The ways to mark up text.
const (
	HTML       ParseMode = "HTML"
	Markdown   ParseMode = "Markdown"
	MarkdownV2 ParseMode = "MarkdownV2"
)

// UnmarshalText implements [encoding.TextUnmarshaler]. Upper and lower case are the same.
func (m *ParseMode) UnmarshalText(text []byte) error {
	return oneOf(m, text, HTML, Markdown, MarkdownV2)
}

// LongText tells what becomes of a text that is too long for one message.
type LongText string

// What becomes of long texts.
const (
	Split  LongText = "split"
	Refuse LongText = "error"
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (l *LongText) UnmarshalText(text []byte) error { return oneOf(l, text, Split, Refuse) }

func oneOf[T ~string](v *T, text []byte, all ...T) error {
	i := slices.IndexFunc(all, func(one T) bool { return strings.EqualFold(string(one), string(text)) })
	if i < 0 {
		return fmt.Errorf("want one of %q, have %q", all, text)
	}
	*v = all[i]
	return nil
}

var (
	secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
	tokenForm  = regexp.MustCompile(`^[A-Za-z0-9:_-]+$`)
	kindForm   = regexp.MustCompile(`^[a-z0-9_]+$`)
	chatForm   = regexp.MustCompile(`^(-?[0-9]{1,19}|@[A-Za-z0-9_]+)$`)
)

func (c Config) check() error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(c.Type != "bots", "path: want telegram:bots, have %q", c.Type)
	refuse(c.AuthorizationToken == "", `option "authorizationToken" is missing, and the component has none either`)
	refuse(c.AuthorizationToken != "" && !tokenForm.MatchString(c.AuthorizationToken),
		`option "authorizationToken": want it as BotFather gave it, such as 123456:ABC-def, have %d characters of another form`, len(c.AuthorizationToken))
	refuse(!isURL(c.BaseURI), `option "baseUri": want an address such as https://api.telegram.org, have %q`, route.URI(c.BaseURI))
	refuse(c.RequestTimeout < 0, `option "requestTimeout": want more than 0, have %v`, c.RequestTimeout)
	refuse(c.Limit < 0 || c.Limit > 100, `option "limit": want 1 to 100, have %d`, c.Limit)
	refuse(c.Timeout != nil && (*c.Timeout < 0 || *c.Timeout > 50), `option "timeout": want 0 to 50 seconds, have %d`, deref(c.Timeout, 0))
	for _, kind := range c.AllowedUpdates {
		refuse(!kindForm.MatchString(kind), `option "allowedUpdates": want kinds such as message, have %q`, kind)
		refuse(kind == "default" && len(c.AllowedUpdates) > 1, `option "allowedUpdates": want default alone, have %q`, c.AllowedUpdates)
	}
	refuse(deref(c.MaximumRedeliveries, 0) < -1, `option "maximumRedeliveries": want -1 (without end) or more, have %d`, deref(c.MaximumRedeliveries, 0))
	refuse(c.RedeliveryDelay < 0, `option "redeliveryDelay": want 0 or more, have %v`, c.RedeliveryDelay)
	refuse(c.ChatID != "" && !chatForm.MatchString(c.ChatID), `option "chatId": want a number or @name, have %q`, c.ChatID)
	refuse(deref(c.ChatInterval, 0) < 0, `option "chatInterval": want 0 or more, have %v`, deref(c.ChatInterval, 0))
	refuse(deref(c.MaximumRetryAfter, 0) < 0, `option "maximumRetryAfter": want 0 or more, have %v`, deref(c.MaximumRetryAfter, 0))
	refuse(c.MaximumFileSize < 0, `option "maximumFileSize": want 0 or more bytes, have %d`, c.MaximumFileSize)
	return errors.Join(append(errs, c.checkWebhook())...)
}

func (c Config) checkWebhook() error {
	var errs []error
	refuse := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	if c.WebhookExternalURL == "" {
		for name, given := range map[string]bool{
			"webhookListen": c.WebhookListen != "", "webhookPath": c.WebhookPath != "", "webhookSecretToken": c.WebhookSecretToken != "",
			"webhookAutoRegister": c.WebhookAutoRegister != nil, "webhookMaxConnections": c.WebhookMaxConnections != 0,
		} {
			refuse(given, `option %q has a meaning with webhookExternalUrl only`, name)
		}
		return errors.Join(errs...)
	}
	refuse(!isURL(c.WebhookExternalURL), `option "webhookExternalUrl": want an address such as https://bot.example.org/telegram, have %q`, route.URI(c.WebhookExternalURL))
	refuse(c.WebhookListen == "", `option "webhookListen" is missing: want an address to listen at, such as :8443`)
	refuse(c.WebhookPath != "" && !strings.HasPrefix(c.WebhookPath, "/"), `option "webhookPath": want it to begin with /, have %q`, c.WebhookPath)
	refuse(c.WebhookSecretToken != "" && !secretForm.MatchString(c.WebhookSecretToken),
		`option "webhookSecretToken": want 1 to 256 letters, digits, _ and -, have %d characters of another form`, len(c.WebhookSecretToken))
	refuse(c.WebhookMaxConnections < 0 || c.WebhookMaxConnections > 100, `option "webhookMaxConnections": want 1 to 100, have %d`, c.WebhookMaxConnections)
	return errors.Join(errs...)
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

func deref[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}
