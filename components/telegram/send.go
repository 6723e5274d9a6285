package telegram

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path"
	"reflect"
	"strings"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/mehari-go/mehari/internal/sleep"
	"github.com/mehari-go/mehari/route"
)

// A Medium is what a body of bytes, or a stream, is sent as: see [MediaType].
type Medium string

// The media of bodies, with Camel's names and three more.
const (
	PhotoPNG       Medium = "PHOTO_PNG"
	PhotoJPG       Medium = "PHOTO_JPG"
	AudioMedium    Medium = "AUDIO"
	VideoMedium    Medium = "VIDEO"
	DocumentMedium Medium = "DOCUMENT"
	TextMedium     Medium = "TEXT"

	VoiceMedium     Medium = "VOICE"
	AnimationMedium Medium = "ANIMATION"
	StickerMedium   Medium = "STICKER"
)

// Process sends the body. A nil body is nothing to say, as in a bot that does not answer.
// The body stays as it is, unless it is a [Download].
func (e *endpoint) Process(ctx context.Context, ex *route.Exchange) error {
	if ex.Body == nil {
		return context.Cause(ctx)
	}
	if c, ok := ex.Body.(tgbotapi.Chattable); ok {
		return e.library(ctx, ex, c)
	}
	m, err := e.message(ctx, ex)
	if err != nil {
		return err
	}
	r, err := newRequest(m)
	if err == nil {
		err = e.complete(r, ex)
	}
	if err != nil {
		return err
	}
	if d, ok := m.(Download); ok {
		return e.fetchFile(ctx, ex, d, r)
	}
	parts, err := r.parts(e.config.LongText)
	if err != nil {
		return err
	}
	for i, part := range parts {
		result, err := e.send(ctx, part)
		if err != nil {
			if len(parts) > 1 {
				err = fmt.Errorf("part %d of %d: %w", i+1, len(parts), err)
			}
			return err
		}
		tell(ex, result)
	}
	return nil
}

func tell(ex *route.Exchange, result json.RawMessage) {
	Result.Set(ex, result)
	if id := sent(result); id != 0 {
		MessageID.Set(ex, id)
	}
}

// message makes a message of the body.
func (e *endpoint) message(ctx context.Context, ex *route.Exchange) (Message, error) {
	if m, ok := ex.Body.(Message); ok {
		if rv := reflect.ValueOf(m); rv.Kind() == reflect.Pointer {
			if rv.IsNil() {
				return nil, fmt.Errorf("body: want a message, have a nil %T", m)
			}
			return rv.Elem().Interface().(Message), nil
		}
		return m, nil
	}
	medium := Medium(strings.ToUpper(text(ex.Header(MediaType.Name()))))
	if medium == "" || medium == TextMedium {
		body, err := route.As[string](ctx, ex, ex.Body)
		if err != nil {
			return nil, fmt.Errorf("body: want a text, a message of package telegram or nil: %w", err)
		}
		return Text{Text: body}, nil
	}
	caption := text(ex.Header(Caption.Name()))
	kinds := map[Medium]struct {
		name string
		make func(File) Message
	}{
		PhotoPNG:        {"photo.png", func(f File) Message { return Photo{Photo: f, Caption: caption} }},
		PhotoJPG:        {"photo.jpg", func(f File) Message { return Photo{Photo: f, Caption: caption} }},
		AudioMedium:     {"audio.mp3", func(f File) Message { return Audio{Audio: f, Caption: caption} }},
		VideoMedium:     {"video.mp4", func(f File) Message { return Video{Video: f, Caption: caption} }},
		DocumentMedium:  {"file", func(f File) Message { return Document{Document: f, Caption: caption} }},
		VoiceMedium:     {"voice.ogg", func(f File) Message { return Voice{Voice: f, Caption: caption} }},
		AnimationMedium: {"animation.mp4", func(f File) Message { return Animation{Animation: f, Caption: caption} }},
		StickerMedium:   {"sticker.webp", func(f File) Message { return Sticker{Sticker: f} }},
	}
	kind, ok := kinds[medium]
	if !ok {
		return nil, fmt.Errorf("header %s: want PHOTO_PNG, PHOTO_JPG, AUDIO, VIDEO, DOCUMENT, TEXT, VOICE, ANIMATION or STICKER, have %.40q", MediaType.Name(), medium)
	}
	if given := text(ex.Header("CamelFileName")); given != "" {
		kind.name = path.Base(given)
	}
	f, err := fileOf(ctx, ex, kind.name)
	if err != nil {
		return nil, err
	}
	return kind.make(f), nil
}

// fileOf makes a file of the body: of a text the id or the address of one.
func fileOf(ctx context.Context, ex *route.Exchange, name string) (File, error) {
	switch body := ex.Body.(type) {
	case string:
		return FileID(body), nil
	case *route.Stream:
		r, err := body.Open()
		return UploadFrom(name, r), err
	case io.Reader:
		return UploadFrom(name, body), nil
	}
	content, err := route.As[[]byte](ctx, ex, ex.Body)
	if err != nil {
		return File{}, fmt.Errorf("body: want bytes or a stream to upload, or the id or address of a file: %w", err)
	}
	return Upload(name, content), nil
}

// complete adds what headers and options say and the message does not.
func (e *endpoint) complete(r *request, ex *route.Exchange) error {
	otherwise := func(name string, values ...any) error {
		for _, v := range values {
			if r.params[name] != "" || v == nil || v == "" {
				continue
			}
			if err := r.add(name, v); err != nil {
				return err
			}
		}
		return nil
	}
	answers := strings.HasPrefix(r.method, "answer") || strings.HasPrefix(r.method, "get") || r.params["inline_message_id"] != ""
	if !answers {
		if err := otherwise("chat_id", ex.Header(ChatID.Name()), e.config.ChatID); err != nil {
			return err
		}
	}
	_, general := ex.Body.(Call)
	chat := r.params["chat_id"]
	if chat == "" && !answers && !general {
		return errors.New("no chat: want one in the message, in the header CamelTelegramChatId or in the option chatId")
	}
	if chat != "" && !chatForm.MatchString(chat) {
		return fmt.Errorf("chat: want a number or @name, have %.40q", chat)
	}
	if r.params["entities"] == "" && (r.params["text"] != "" || r.params["caption"] != "") && !general && !answers {
		var mode ParseMode
		if given := text(ex.Header(Mode.Name())); given != "" {
			if err := mode.UnmarshalText([]byte(given)); err != nil {
				return fmt.Errorf("header %s: %w", Mode.Name(), err)
			}
		}
		if err := otherwise("parse_mode", string(mode), string(e.config.ParseMode)); err != nil {
			return err
		}
	}
	if strings.HasPrefix(r.method, "send") && r.method != "sendMediaGroup" && r.method != "sendChatAction" && !general {
		return otherwise("reply_markup", ex.Header(Markup.Name()))
	}
	return nil
}

// text is a header as a text; what is none has none.
func text(v any) string {
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.String {
		return rv.String()
	}
	return ""
}

// send sends a request, when it is its turn, and again where Telegram asks to wait.
func (e *endpoint) send(ctx context.Context, r *request) (json.RawMessage, error) {
	t := try{method: r.method, chat: r.params["chat_id"], again: r.again()}
	return e.insist(ctx, func() (json.RawMessage, try, error) {
		if err := e.turn(ctx, t); err != nil {
			return nil, t, err
		}
		result, err := e.once(ctx, r)
		return result, t, err
	})
}

// A try is one at a call.
type try struct {
	method, chat string
	again        bool // it can be done once more
}

// turn waits until a message may go to its chat.
func (e *endpoint) turn(ctx context.Context, t try) error {
	for _, verb := range []string{"send", "copy", "forward"} {
		if strings.HasPrefix(t.method, verb) {
			return e.bot.limiter.wait(ctx, t.chat, paceOf(t.chat, e.config.ChatInterval))
		}
	}
	return nil
}

// insist calls until that succeeds, as long as Telegram only asks to wait.
func (e *endpoint) insist(ctx context.Context, call func() (json.RawMessage, try, error)) (json.RawMessage, error) {
	for tries := 1; ; tries++ {
		result, t, err := call()
		refused, ok := errors.AsType[*Error](err)
		if err == nil {
			e.component.stats.sent.Add(1)
			return result, nil
		}
		if !ok || refused.Code != 429 {
			return nil, err
		}
		e.component.stats.throttled.Add(1)
		wait := max(refused.RetryAfter, retryLeast)
		e.bot.limiter.hold(t.chat, paceOf(t.chat, e.config.ChatInterval), wait)
		if wait > deref(e.config.MaximumRetryAfter, time.Minute) || tries == maxTries || !t.again {
			return nil, err
		}
		e.logger.LogAttrs(ctx, slog.LevelWarn, "too many requests", slog.String("endpoint", e.String()), slog.Duration("wait", wait))
		if !sleep.For(ctx, wait) {
			return nil, errors.Join(context.Cause(ctx), err)
		}
	}
}

// maxTries is how often a message is sent that is refused because there were too many.
const maxTries = 3

func (e *endpoint) once(ctx context.Context, r *request) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	files, over := r.opened()
	defer over()
	return e.bot.call(ctx, r.method, r.params, files)
}

// fetchFile makes the content of a file the body.
func (e *endpoint) fetchFile(ctx context.Context, ex *route.Exchange, d Download, r *request) error {
	if d.FileID == "" {
		return errors.New("a Download without a FileID")
	}
	result, err := e.send(ctx, r)
	if err != nil {
		return err
	}
	var f struct {
		Path string `json:"file_path"`
		Size int64  `json:"file_size"`
	}
	if err := json.Unmarshal(result, &f); err != nil {
		return fmt.Errorf("getFile: %w", err)
	}
	most := e.config.MaximumFileSize
	if most == 0 {
		most = 20 << 20
	}
	if f.Size > most {
		return fmt.Errorf("download: the file has %d bytes, want at most %d", f.Size, most)
	}
	if f.Path == "" {
		return errors.New("getFile: Telegram does not say where the file is")
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	content, err := e.bot.download(ctx, f.Path, most)
	if err != nil {
		return err
	}
	ex.Body = content
	Result.Set(ex, result)
	return nil
}
