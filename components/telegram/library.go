package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/mehari-go/mehari/route"
)

// library sends what is a type of the library, as that has it. Only the library knows what
// that is, so the chat whose turn it has to be is found in the request that it makes.
func (e *endpoint) library(ctx context.Context, ex *route.Exchange, c tgbotapi.Chattable) error {
	result, err := e.insist(ctx, func() (json.RawMessage, try, error) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		var t try
		resp, err := e.bot.apiOf(caller{ctx, e.bot, func(r *http.Request) error {
			t = tryOf(r)
			if err := e.turn(ctx, t); err != nil {
				return err
			}
			late := time.AfterFunc(e.timeout, func() { cancel(context.DeadlineExceeded) }) // of the call, without the wait
			context.AfterFunc(ctx, func() { late.Stop() })
			return nil
		}}).Request(c)
		result, err := e.bot.result(fmt.Sprintf("%T", c), resp, err)
		return result, t, err
	})
	if err == nil {
		tell(ex, result)
	}
	return err
}

// tryOf tells what a request of the library is. It can be made again unless it has files.
func tryOf(r *http.Request) try {
	t := try{method: path.Base(r.URL.Path), again: r.GetBody != nil}
	if t.again {
		if body, err := r.GetBody(); err == nil {
			text, _ := io.ReadAll(body) // of a string
			form, _ := url.ParseQuery(string(text))
			t.chat = form.Get("chat_id")
		}
		return t
	}
	// The files come last, and are not read here.
	_, form, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var read bytes.Buffer
	parts := multipart.NewReader(io.TeeReader(r.Body, &read), form["boundary"])
	for t.chat == "" {
		part, err := parts.NextPart()
		if err != nil || part.FileName() != "" {
			break // what is wrong shows when the request is sent
		}
		if part.FormName() == "chat_id" {
			text, _ := io.ReadAll(part)
			t.chat = string(text)
		}
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(&read, r.Body), r.Body}
	return t
}
