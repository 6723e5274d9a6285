package telegram_test

import (
	"sync"
	"testing"
	"time"

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

func people(n int) (all []any) {
	for i := range n {
		all = append(all, i+1)
	}
	return all
}
