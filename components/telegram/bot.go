package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"
)

// A bot is one token at one address.
type bot struct {
	client  *http.Client
	base    string
	token   string
	polled  atomic.Bool
	limiter limiter
}

func newBot(client *http.Client, base, token string) *bot {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &bot{client: &own, base: base, token: token}
}

// An Error is what Telegram refuses a call with.
type Error struct {
	Method      string        // such as "sendMessage"
	Code        int           // the HTTP status, such as 400
	Description string        // such as "Bad Request: chat not found"
	RetryAfter  time.Duration // for 429
	MigrateTo   int64         // the new id of a group that has become a supergroup, 0 otherwise
}

func (e *Error) Error() string {
	text := fmt.Sprintf("telegram refused %s: %s (%d)", e.Method, e.Description, e.Code)
	if e.MigrateTo != 0 {
		text += fmt.Sprintf(": the chat is %d now", e.MigrateTo)
	}
	return text
}

// maxAnswer is more than Telegram answers to a poll, 4 MiB and one update.
const maxAnswer = 16 << 20

// call calls a method. Neither its error nor anything else shows the token.
func (b *bot) call(ctx context.Context, method string, p tgbotapi.Params, files []tgbotapi.RequestFile) (json.RawMessage, error) {
	var resp *tgbotapi.APIResponse
	var err error
	if len(files) > 0 {
		resp, err = b.api(ctx).UploadFiles(method, p, files)
	} else {
		resp, err = b.api(ctx).MakeRequest(method, p)
	}
	return b.result(method, resp, err)
}

// api returns the library's client, bound to ctx.
func (b *bot) api(ctx context.Context) *tgbotapi.BotAPI {
	return b.apiOf(caller{ctx: ctx, bot: b})
}

func (b *bot) apiOf(c caller) *tgbotapi.BotAPI {
	api := &tgbotapi.BotAPI{Token: b.token, Client: c}
	api.SetAPIEndpoint(b.base + "/bot%s/%s")
	return api
}

// result is the outcome of a call: the library tells the code of an error in one place or
// the other.
func (b *bot) result(method string, resp *tgbotapi.APIResponse, err error) (json.RawMessage, error) {
	if err == nil {
		return resp.Result, nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		e.Method = method
		return nil, e
	}
	e, ok := errors.AsType[*tgbotapi.Error](err)
	if !ok {
		return nil, fmt.Errorf("%s: %w", method, b.hide(err))
	}
	known := &Error{Method: method, Code: e.Code, Description: b.mask(e.Message), MigrateTo: e.MigrateToChatID, RetryAfter: time.Duration(e.RetryAfter) * time.Second}
	if known.Code == 0 {
		known.Code = resp.ErrorCode
	}
	return nil, known
}

// hide takes the address, which contains the token, out of an error.
func (b *bot) hide(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if b.mask(err.Error()) == err.Error() {
		return err
	}
	return errors.New(b.mask(err.Error()))
}

func (b *bot) mask(text string) string {
	_, secret, ok := strings.Cut(b.token, ":")
	if !ok || secret == "" {
		secret = b.token
	}
	return strings.ReplaceAll(text, secret, "xxxxx")
}

// A caller does one call of the library: it gives it a context, and what is not an answer
// of the Bot API, such as the page of a proxy, is an error.
type caller struct {
	ctx    context.Context
	bot    *bot
	before func(r *http.Request) error // nil means that there is nothing to do
}

// Do implements the library's HTTPClient.
func (c caller) Do(r *http.Request) (*http.Response, error) {
	// A goroutine of the library writes the body, and a transport may wait for it, or forget it.
	stop := context.AfterFunc(c.ctx, func() { r.Body.Close() })
	finish := func() { stop(); r.Body.Close() }
	if c.before != nil {
		if err := c.before(r); err != nil {
			finish()
			return nil, err
		}
	}
	resp, err := c.bot.client.Do(r.WithContext(c.ctx))
	if err != nil {
		finish()
		return nil, c.bot.hide(err)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind != "application/json" {
		resp.Body.Close()
		finish()
		return nil, &Error{Code: resp.StatusCode, Description: fmt.Sprintf("an answer that is not of the Bot API, of type %q", kind)}
	}
	resp.Body = answer{io.LimitReader(resp.Body, maxAnswer), resp.Body, finish}
	return resp, nil
}

// An answer is the body of a response. Who closes it is done with the request too.
type answer struct {
	io.Reader
	body   io.Closer
	finish func()
}

// Close implements [io.Closer].
func (a answer) Close() error {
	a.finish()
	return a.body.Close()
}

// download reads a file that Telegram keeps at a path, of at most a number of bytes.
func (b *bot) download(ctx context.Context, path string, most int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+"/file/bot"+b.token+"/"+(&url.URL{Path: path}).EscapedPath(), nil)
	if err != nil {
		return nil, b.hide(err)
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("download: %w", b.hide(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, &Error{Method: "a download", Code: resp.StatusCode, Description: http.StatusText(resp.StatusCode)}
	}
	content, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("download: %w", b.hide(err))
	}
	if int64(len(content)) > most {
		return nil, fmt.Errorf("download: the file has more than %d bytes", most)
	}
	return content, nil
}
