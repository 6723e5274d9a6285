package telegram_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
)

func TestLongTexts(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		send, _ := sender(t, s, "?chatId=7")
		line := strings.Repeat("ü", 999) + "\n"
		m := telegram.Text{To: telegram.To{Reply: &telegram.Reply{MessageID: 1}, Markup: map[string]any{"force_reply": true}}, Text: strings.Repeat(line, 9)}
		if _, err := send(m); err != nil {
			t.Fatal(err)
		}
		all := s.Requests("sendMessage")
		if len(all) != 3 || all[0].Params["text"] != strings.Repeat(line, 4) || all[2].Params["text"] != line {
			t.Errorf("%d parts", len(all))
		}
		for i, r := range all {
			if (r.Params["reply_parameters"] != "") != (i == 0) || (r.Params["reply_markup"] != "") != (i == len(all)-1) {
				t.Errorf("part %d: %v", i, r.Params)
			}
		}
		s.Fail("sendMessage", telegramtest.Fault{}, telegramtest.Fault{Code: 403})
		if _, err := send(strings.Repeat("word ", 1000)); err == nil || !strings.HasPrefix(err.Error(), "part 2 of 2: telegram refused sendMessage: Forbidden") {
			t.Error(err)
		}
		for _, refused := range []any{
			telegram.EditText{Edit: telegram.Edit{MessageID: 1}, Text: strings.Repeat("x", 4097)},
			telegram.Text{Text: strings.Repeat("x", 4097), Entities: []any{}},
			telegram.Photo{Photo: telegram.FileID("x"), Caption: strings.Repeat("x", 1025)},
		} {
			n := len(s.Requests())
			if _, err := send(refused); err == nil || !strings.Contains(err.Error(), "characters, want at most") || len(s.Requests()) != n {
				t.Errorf("%T: %v", refused, err)
			}
		}
		send, _ = sender(t, s, "?chatId=7&longText=error")
		if _, err := send(strings.Repeat("x", 4097)); err == nil || err.Error() != "sendMessage: the text has 4097 characters, want at most 4096" {
			t.Error(err)
		}
		if _, err := send(strings.Repeat("x", 4096)); err != nil {
			t.Error(err)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add("a b c", 2)
	f.Add("ünï\ncödé \xff", 3)
	f.Fuzz(func(t *testing.T, text string, most int) {
		if most < 1 || most > 100 {
			return
		}
		parts := telegram.SplitText(text, most)
		if strings.Join(parts, "") != text {
			t.Errorf("%q is not %q", parts, text)
		}
		for i, p := range parts {
			if n := utf8.RuneCountInString(p); n > most || n == 0 && text != "" {
				t.Errorf("part %d of %d has %d characters: %s", i, len(parts), n, fmt.Sprintf("%q", parts))
			}
		}
	})
}
