package telegram_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
)

func TestUpdate(t *testing.T) {
	const text = `{"update_id":9007199254740993,"message":{"message_id":4,"date":1700000000,"chat":{"id":-1001234567890123},"from":{"id":77},"text":"hi","message_thread_id":3}}`
	var u telegram.Update
	if err := json.Unmarshal([]byte(text), &u); err != nil {
		t.Fatal(err)
	}
	if u.ID != 9007199254740993 || u.Kind != "message" || u.ChatID != -1001234567890123 || u.MessageID != 4 || u.UserID != 77 || u.Text != "hi" || !u.Date.Equal(time.Unix(1700000000, 0)) {
		t.Errorf("%+v", u)
	}
	var m tgbotapi.Message
	if err := u.Decode(&m); err != nil || m.Text != "hi" || m.Chat.ID != u.ChatID {
		t.Errorf("%+v, %v", m, err)
	}
	var more struct {
		Thread int `json:"message_thread_id"` // which the library does not know
	}
	if err := u.Decode(&more); err != nil || more.Thread != 3 {
		t.Errorf("%+v, %v", more, err)
	}
	if err := u.Decode(new(int)); err == nil {
		t.Error("an object became a number")
	}
	if u.String() != "hi" {
		t.Error(u.String())
	}
	for _, bad := range []string{``, `null`, `[]`, `{}`, `{"update_id":"1"}`, `{"update_id":1.5}`} {
		if err := json.Unmarshal([]byte(bad), new(telegram.Update)); err == nil && bad != `null` {
			t.Errorf("%s is an update", bad)
		}
	}
}

func TestKindsAreThoseOfTheServer(t *testing.T) {
	if have, want := slices.Sorted(slices.Values(telegram.Kinds)), slices.Sorted(maps.Keys(telegramtest.Kinds())); !slices.Equal(have, want) {
		t.Errorf("have %q,\nwant %q", have, want)
	}
}

func FuzzUpdate(f *testing.F) {
	for _, text := range []string{
		`{"update_id":1,"message":{"message_id":1,"date":2,"chat":{"id":3},"from":{"id":4},"text":"x"}}`,
		`{"update_id":1,"callback_query":{"id":"1","data":"x","message":{"chat":{"id":3}}}}`,
		`{"update_id":1,"novelty":[1,2]}`, `{"update_id":1}`, `{"update_id":1,"message":null,"":0}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var u, again telegram.Update
		if json.Unmarshal([]byte(text), &u) != nil {
			return
		}
		out, err := json.Marshal(&u)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &again); err != nil || again.ID != u.ID || again.Kind != u.Kind || again.Text != u.Text || again.ChatID != u.ChatID {
			t.Errorf("%s: %+v became %+v: %v", text, u, again, err)
		}
	})
}
