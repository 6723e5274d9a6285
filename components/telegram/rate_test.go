package telegram_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
)

func TestRates(t *testing.T) {
	for _, tt := range []struct {
		name, options string
		chats         []any
		n             int // messages to each chat
		want          time.Duration
	}{
		{"a person", "", []any{7}, 15, 10 * time.Second},
		{"a group", "", []any{-7}, 25, 15 * time.Second},
		{"several persons", "", []any{1, 2, 3}, 15, 10 * time.Second},
		{"many persons", "", people(330), 1, 10 * time.Second},
		{"as one likes", "?chatInterval=5s", []any{7}, 7, 10 * time.Second},
		{"no limit", "?chatInterval=0", []any{7}, 100, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *telegramtest.Server) {
				send, _ := sender(t, s, tt.options)
				var all sync.WaitGroup
				begun := time.Now()
				for _, chat := range tt.chats {
					all.Go(func() {
						for range tt.n {
							if _, err := send("x", "CamelTelegramChatId", chat); err != nil {
								t.Error(err)
							}
						}
					})
				}
				all.Wait()
				if d := time.Since(begun).Round(time.Second); d != tt.want {
					t.Errorf("took %v, want %v", d, tt.want)
				}
			})
		})
	}
}

// What the library makes keeps to the rates too, with files and without.
func TestRatesOfTheLibrary(t *testing.T) {
	photo := func() tgbotapi.Chattable {
		c := tgbotapi.NewPhoto(7, tgbotapi.FileBytes{Name: "p.png", Bytes: bytes.Repeat([]byte("photo"), 100_000)})
		c.Caption = strings.Repeat("x", 1000)
		return c
	}
	text := func() tgbotapi.Chattable { return tgbotapi.NewMessage(7, "x") }
	for _, tt := range []struct {
		name, options string
		make          func() tgbotapi.Chattable
		n             int
		want          time.Duration
	}{
		{"texts", "", text, 15, 10 * time.Second},
		{"photos", "", photo, 15, 10 * time.Second},
		{"a call takes no longer than it may, the wait apart", "?requestTimeout=3s&chatInterval=5s", text, 7, 10 * time.Second},
		{"no limit", "?chatInterval=0", text, 100, 0},
		{"other calls", "", func() tgbotapi.Chattable { return tgbotapi.NewCallback("1", "x") }, 100, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *telegramtest.Server) {
				send, _ := sender(t, s, tt.options)
				begun := time.Now()
				for range tt.n {
					if _, err := send(tt.make()); err != nil {
						t.Error(err)
					}
				}
				if d := time.Since(begun).Round(time.Second); d != tt.want {
					t.Errorf("took %v, want %v", d, tt.want)
				}
				for _, r := range s.Requests("sendPhoto") {
					if len(r.Files["photo"].Content) != 500_000 || len(r.Params["caption"]) != 1000 {
						t.Errorf("the photo has %d bytes, the caption %d", len(r.Files["photo"].Content), len(r.Params["caption"]))
					}
				}
			})
		})
	}
}

// A text of the library that Telegram refuses because there were too many is sent again, a
// photo is not, and both hold up what goes to the chat.
func TestLibraryIsThrottled(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		send, bot := sender(t, s, "")
		s.Fail("sendMessage", telegramtest.Fault{Code: 429, RetryAfter: 7 * time.Second})
		begun := time.Now()
		if _, err := send(tgbotapi.NewMessage(7, "x")); err != nil || time.Since(begun) != 7*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		s.Fail("sendPhoto", telegramtest.Fault{Code: 429, RetryAfter: 9 * time.Second})
		begun = time.Now()
		_, err := send(tgbotapi.NewPhoto(7, tgbotapi.FileBytes{Name: "p.png", Bytes: []byte("p")}))
		if refused, ok := errors.AsType[*telegram.Error](err); !ok || refused.Code != 429 || refused.RetryAfter != 9*time.Second {
			t.Errorf("have %v", err)
		}
		if _, err := send("x", "CamelTelegramChatId", 7); err != nil || time.Since(begun) < 9*time.Second {
			t.Errorf("%v after %v, want 9s", err, time.Since(begun))
		}
		if st := bot.Stats(); st.Throttled != 2 || st.Sent != 2 {
			t.Errorf("%+v", st)
		}
	})
}

// A call of the library that hangs ends in time.
func TestLibraryTimesOut(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		send, _ := sender(t, s, "?requestTimeout=3s")
		s.Fail("", telegramtest.Fault{Delay: time.Hour}, telegramtest.Fault{Delay: time.Hour})
		for _, c := range []tgbotapi.Chattable{tgbotapi.NewMessage(7, "x"), tgbotapi.NewPhoto(7, tgbotapi.FileBytes{Name: "p.png", Bytes: []byte("p")})} {
			begun := time.Now()
			if _, err := send(c); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 3*time.Second {
				t.Errorf("%T: %v after %v", c, err, time.Since(begun))
			}
		}
	})
}

func people(n int) (all []any) {
	for i := range n {
		all = append(all, i+1)
	}
	return all
}
