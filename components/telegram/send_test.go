package telegram_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
	"github.com/mehari-go/mehari/route"
)

// show is a call as a line of text.
func show(r telegramtest.Request) string {
	text := r.Method
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		text += fmt.Sprintf(" %s=%s", name, r.Params[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Files)) {
		text += fmt.Sprintf(" %s<%s:%s>", name, r.Files[name].Name, r.Files[name].Content)
	}
	return text
}

func TestMessages(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		send, bot := sender(t, s, "?chatId=7")
		known := s.File(telegramtest.File{Name: "x", Content: []byte("x")})
		if _, err := send("first"); err != nil { // message 1, to edit
			t.Fatal(err)
		}
		keyboard := tgbotapi.NewInlineKeyboardMarkup(tgbotapi.NewInlineKeyboardRow(tgbotapi.NewInlineKeyboardButtonData("Yes", "y")))
		const keys = `{"inline_keyboard":[[{"text":"Yes","callback_data":"y"}]]}`
		at := telegram.To{ChatID: 8}
		for _, tt := range []struct {
			body any
			want string
		}{
			{"hello", "sendMessage chat_id=7 text=hello"},
			{[]byte("bytes"), "sendMessage chat_id=7 text=bytes"},
			{strings.NewReader("stream"), "sendMessage chat_id=7 text=stream"},
			{42, "sendMessage chat_id=7 text=42"},
			{&telegram.Update{Text: "echo"}, "sendMessage chat_id=7 text=echo"},
			{
				telegram.Text{To: telegram.To{
					ChatID: "@news", ThreadID: 3, ParseMode: telegram.HTML, Silent: true, Protect: true, Reply: &telegram.Reply{MessageID: 5}, Markup: keyboard,
					More: map[string]any{"message_effect_id": "9"},
				}, Text: "<b>x</b>"},
				"sendMessage chat_id=@news disable_notification=true message_effect_id=9 message_thread_id=3 parse_mode=HTML protect_content=true reply_markup=" + keys + ` reply_parameters={"message_id":5} text=<b>x</b>`,
			},
			{telegram.Photo{To: at, Photo: telegram.Upload("a.png", []byte("PNG")), Caption: "look"}, "sendPhoto caption=look chat_id=8 photo<a.png:PNG>"},
			{&telegram.Document{Document: telegram.UploadFrom("a.txt", strings.NewReader("text"))}, "sendDocument chat_id=7 document<a.txt:text>"},
			{telegram.Audio{Audio: telegram.FileID(known), Title: "t", Duration: 3}, "sendAudio audio=" + known + " chat_id=7 duration=3 title=t"},
			{telegram.Video{Video: telegram.FileURL("https://x/y.mp4"), Streaming: true}, "sendVideo chat_id=7 supports_streaming=true video=https://x/y.mp4"},
			{telegram.Animation{Animation: telegram.FileID(known)}, "sendAnimation animation=" + known + " chat_id=7"},
			{telegram.Voice{Voice: telegram.FileID(known)}, "sendVoice chat_id=7 voice=" + known},
			{telegram.Sticker{Sticker: telegram.FileID(known), Emoji: "🙂"}, "sendSticker chat_id=7 emoji=🙂 sticker=" + known},
			{telegram.Location{Latitude: 0, Longitude: -1.5}, "sendLocation chat_id=7 latitude=0 longitude=-1.5"},
			{telegram.Venue{Latitude: 1, Longitude: 2, Title: "t", Address: "a"}, "sendVenue address=a chat_id=7 latitude=1 longitude=2 title=t"},
			{telegram.Contact{PhoneNumber: "1", FirstName: "Ada"}, "sendContact chat_id=7 first_name=Ada phone_number=1"},
			{
				telegram.Poll{Question: "q", Options: []telegram.Choice{{Text: "a"}, {Text: "b"}}, Anonymous: new(false), Correct: new(0), Type: "quiz"},
				`sendPoll chat_id=7 correct_option_id=0 is_anonymous=false options=[{"text":"a"},{"text":"b"}] question=q type=quiz`,
			},
			{
				telegram.MediaGroup{Media: []telegram.Media{{Type: "photo", Media: telegram.Upload("1.png", []byte("1")), Caption: "c"}, {Type: "photo", Media: telegram.FileID(known)}}},
				`sendMediaGroup chat_id=7 media=[{"caption":"c","media":"attach://file0","type":"photo"},{"media":"` + known + `","type":"photo"}] file0<1.png:1>`,
			},
			{telegram.Forward{FromChatID: 8, MessageID: 1}, "forwardMessage chat_id=7 from_chat_id=8 message_id=1"},
			{telegram.Copy{FromChatID: 8, MessageID: 1}, "copyMessage chat_id=7 from_chat_id=8 message_id=1"},
			{telegram.EditText{Edit: telegram.Edit{MessageID: 1}, Text: "second"}, "editMessageText chat_id=7 message_id=1 text=second"},
			{telegram.EditText{Edit: telegram.Edit{InlineMessageID: "i"}, Text: "x"}, "editMessageText inline_message_id=i text=x"},
			{telegram.EditCaption{Edit: telegram.Edit{MessageID: 1}, Caption: "c"}, "editMessageCaption caption=c chat_id=7 message_id=1"},
			{
				telegram.EditMedia{Edit: telegram.Edit{MessageID: 1}, Media: telegram.Media{Type: "photo", Media: telegram.Upload("2", []byte("2"))}},
				`editMessageMedia chat_id=7 media={"media":"attach://file0","type":"photo"} message_id=1 file0<2:2>`,
			},
			{telegram.EditMarkup{Edit: telegram.Edit{MessageID: 1, To: telegram.To{Markup: keyboard}}}, "editMessageReplyMarkup chat_id=7 message_id=1 reply_markup=" + keys},
			{telegram.Delete{MessageID: 1}, "deleteMessage chat_id=7 message_id=1"},
			{telegram.AnswerCallback{ID: "1", Text: "ok", Alert: true}, "answerCallbackQuery callback_query_id=1 show_alert=true text=ok"},
			{
				telegram.AnswerInline{ID: "1", Results: []any{tgbotapi.NewInlineQueryResultArticle("a", "t", "m")}},
				`answerInlineQuery inline_query_id=1 results=[{"type":"article","id":"a","title":"t","input_message_content":{"message_text":"m"}}]`,
			},
			{telegram.ChatAction{Action: "typing"}, "sendChatAction action=typing chat_id=7"},
			{
				telegram.Call{Method: "setMessageReaction", Params: map[string]any{"message_id": 1, "reaction": []any{map[string]any{"type": "emoji", "emoji": "👍"}}}},
				`setMessageReaction chat_id=7 message_id=1 reaction=[{"emoji":"👍","type":"emoji"}]`,
			},
			{telegram.Call{Method: "sendDocument", Params: map[string]any{"document": telegram.Upload("n", []byte("new"))}}, "sendDocument chat_id=7 document<n:new>"},
			{tgbotapi.NewMessage(9, "of the library"), "sendMessage chat_id=9 entities=null text=of the library"},
			{tgbotapi.NewPhoto(9, tgbotapi.FileBytes{Name: "l.png", Bytes: []byte("L")}), "sendPhoto caption_entities=null chat_id=9 photo<l.png:L>"},
		} {
			ex, err := send(tt.body)
			if err != nil {
				t.Errorf("%T: %v", tt.body, err)
			}
			all := s.Requests()
			if have := show(all[len(all)-1]); have != tt.want {
				t.Errorf("%T:\nhave %s\nwant %s", tt.body, have, tt.want)
			}
			if _, ok := telegram.Result.Get(ex); !ok {
				t.Errorf("%T: no result", tt.body)
			}
		}
		if n := bot.Stats().Sent; n != int64(len(s.Requests())) {
			t.Errorf("%d sent, want %d", n, len(s.Requests()))
		}
	})
}

func TestHeadersOfWhatIsSent(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		send, _ := sender(t, s, "?chatId=7&parseMode=html")
		for _, tt := range []struct {
			body    any
			headers []any
			want    string
		}{
			{"x", []any{"CamelTelegramChatId", int64(8)}, "sendMessage chat_id=8 parse_mode=HTML text=x"},
			{"x", []any{"CamelTelegramChatId", "@c", "CamelTelegramParseMode", "markdownv2"}, "sendMessage chat_id=@c parse_mode=MarkdownV2 text=x"},
			{telegram.Text{To: telegram.To{ChatID: 9}, Text: "x"}, []any{"CamelTelegramChatId", 8}, "sendMessage chat_id=9 parse_mode=HTML text=x"},
			{"x", []any{"CamelTelegramMediaMarkup", map[string]any{"remove_keyboard": true}}, `sendMessage chat_id=7 parse_mode=HTML reply_markup={"remove_keyboard":true} text=x`},
			{[]byte("P"), []any{"CamelTelegramMediaType", "photo_png", "CamelTelegramMediaTitleCaption", "c"}, "sendPhoto caption=c chat_id=7 parse_mode=HTML photo<photo.png:P>"},
			{[]byte("D"), []any{"CamelTelegramMediaType", telegram.DocumentMedium, "CamelFileName", "../etc/a.pdf"}, "sendDocument chat_id=7 document<a.pdf:D>"},
			{route.NewStream(strings.NewReader("V")), []any{"CamelTelegramMediaType", "VIDEO"}, "sendVideo chat_id=7 video<video.mp4:V>"},
			{"https://x/y.mp3", []any{"CamelTelegramMediaType", "AUDIO"}, "sendAudio audio=https://x/y.mp3 chat_id=7"},
			{"x", []any{"CamelTelegramMediaType", "TEXT"}, "sendMessage chat_id=7 parse_mode=HTML text=x"},
		} {
			ex, err := send(tt.body, tt.headers...)
			if err != nil {
				t.Errorf("%v: %v", tt.want, err)
			}
			all := s.Requests()
			if have := show(all[len(all)-1]); have != tt.want {
				t.Errorf("have %s\nwant %s", have, tt.want)
			}
			if id, ok := telegram.MessageID.Get(ex); !ok || id == 0 {
				t.Error("no message id")
			}
		}
		n := len(s.Requests())
		if _, err := send(nil); err != nil || len(s.Requests()) != n {
			t.Errorf("nil is something to say: %v", err)
		}
	})
}

func TestWhatCannotBeSent(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		send, _ := sender(t, s, "")
		chat := []any{"CamelTelegramChatId", 7}
		for _, tt := range []struct {
			body    any
			headers []any
			want    string
		}{
			{"x", nil, "no chat: want one in the message, in the header CamelTelegramChatId or in the option chatId"},
			{"x", []any{"CamelTelegramChatId", "a b"}, `chat: want a number or @name, have "a b"`},
			{make(chan int), chat, "body: want a text, a message of package telegram or nil"},
			{(*telegram.Photo)(nil), chat, "body: want a message, have a nil *telegram.Photo"},
			{telegram.Photo{}, chat, `sendPhoto: parameter "photo": want a file, by FileID, FileURL, Upload or UploadFrom`},
			{telegram.MediaGroup{Media: []telegram.Media{{Type: "photo"}}}, chat, "sendMediaGroup: medium 1: want a file"},
			{telegram.Call{}, chat, "a Call without a Method"},
			{telegram.Call{Method: "sendMessage", Params: map[string]any{"x": func() {}}}, chat, `sendMessage: parameter "x"`},
			{telegram.Download{}, nil, "a Download without a FileID"},
			{"x", append(chat, "CamelTelegramMediaType", "HOLOGRAM"), `header CamelTelegramMediaType: want PHOTO_PNG, PHOTO_JPG, AUDIO, VIDEO, DOCUMENT, TEXT, VOICE, ANIMATION or STICKER, have "HOLOGRAM"`},
			{"x", append(chat, "CamelTelegramParseMode", "rtf"), `header CamelTelegramParseMode: want one of`},
		} {
			if _, err := send(tt.body, tt.headers...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%T: %v, want %q", tt.body, err, tt.want)
			}
		}
		if n := len(s.Requests()); n != 0 {
			t.Errorf("%d calls for what cannot be sent", n)
		}
		if _, err := send("", chat...); err == nil || err.Error() != "telegram refused sendMessage: Bad Request: message text is empty (400)" {
			t.Error(err)
		}
		if _, err := send(telegram.Photo{Photo: telegram.Upload("x", []byte{})}, chat...); err == nil || !strings.Contains(err.Error(), "file must be non-empty (400)") {
			t.Error(err)
		}
	})
}

func TestRefusals(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		send, bot := sender(t, s, "?chatId=7&maximumRetryAfter=20s")
		s.Fail("sendMessage", telegramtest.Fault{Code: 429, RetryAfter: 9 * time.Second}, telegramtest.Fault{Code: 429, RetryAfter: 9 * time.Second})
		begun := time.Now()
		if _, err := send("x"); err != nil || time.Since(begun) != 18*time.Second {
			t.Errorf("%v after %v, want none after 18s", err, time.Since(begun))
		}
		for _, tt := range []struct {
			fault telegramtest.Fault
			body  any
			want  telegram.Error
		}{
			{telegramtest.Fault{Code: 429, RetryAfter: 21 * time.Second}, "x", telegram.Error{Method: "sendMessage", Code: 429, RetryAfter: 21 * time.Second, Description: "Too Many Requests: retry after 21"}},
			{telegramtest.Fault{Code: 403}, "x", telegram.Error{Method: "sendMessage", Code: 403, Description: "Forbidden: bot was blocked by the user"}},
			{telegramtest.Fault{Code: 400, Description: "Bad Request: upgraded", MigrateTo: -1009}, "x", telegram.Error{Method: "sendMessage", Code: 400, Description: "Bad Request: upgraded", MigrateTo: -1009}},
			{telegramtest.Fault{Code: 429, RetryAfter: time.Second}, telegram.Photo{Photo: telegram.UploadFrom("p", strings.NewReader("p"))}, telegram.Error{Method: "sendPhoto", Code: 429, RetryAfter: time.Second, Description: "Too Many Requests: retry after 1"}},
			{telegramtest.Fault{Code: 400, Description: "Bad Request: bad photo"}, telegram.Photo{Photo: telegram.Upload("p", []byte("p"))}, telegram.Error{Method: "sendPhoto", Code: 400, Description: "Bad Request: bad photo"}},
		} {
			s.Fail("", tt.fault)
			_, err := send(tt.body)
			if have, ok := errors.AsType[*telegram.Error](err); !ok || *have != tt.want {
				t.Errorf("have %+v, want %+v", err, tt.want)
			}
			time.Sleep(time.Minute)
		}
		if n := bot.Stats().Throttled; n != 4 {
			t.Errorf("throttled %d times, want 4", n)
		}
		s.Fail("sendMessage", telegramtest.Fault{Cut: true})
		if _, err := send("x"); err == nil || !strings.HasPrefix(err.Error(), "sendMessage: ") {
			t.Error(err)
		}
	})
}

func TestFilesComeDown(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		send, _ := sender(t, s, "?maximumFileSize=5")
		id := s.File(telegramtest.File{Name: "a", Content: []byte("12345")})
		ex, err := send(telegram.Download{FileID: id})
		if content, ok := ex.Body.([]byte); err != nil || !ok || string(content) != "12345" {
			t.Errorf("%v, %v", ex.Body, err)
		}
		large := s.File(telegramtest.File{Name: "b", Content: []byte("123456")})
		if _, err := send(telegram.Download{FileID: large}); err == nil || err.Error() != "download: the file has 6 bytes, want at most 5" {
			t.Error(err)
		}
		if _, err := send(telegram.Download{FileID: "x"}); err == nil || !strings.Contains(err.Error(), "wrong file_id") {
			t.Error(err)
		}
	})
}

// A reader that is stuck keeps nobody waiting, and is not read after the call.
func TestStuckUpload(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		send, _ := sender(t, s, "?chatId=7&requestTimeout=5s")
		r, w := io.Pipe()
		begun := time.Now()
		_, err := send(telegram.Document{Document: telegram.UploadFrom("x", r)})
		if err == nil || time.Since(begun) > 7*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		_ = w.Close() // it was reading: now it reads no more
	})
}
