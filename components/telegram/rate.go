package telegram

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/mehari-go/mehari/internal/sleep"
)

// Telegram asks for no more than about one message a second in a chat, twenty a minute in a
// group and thirty a second in all, and bears a few at once:
// https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this.
const (
	chatInterval  = time.Second
	groupInterval = 3 * time.Second
	chatBurst     = 5
	groupBurst    = 20
	allInterval   = time.Second / 30
	allBurst      = 30
)

// A limiter spaces messages out. It keeps, for each chat, when the next message would be due
// if all came evenly; a burst may come that much earlier.
type limiter struct {
	mu    sync.Mutex
	all   time.Time
	chats map[string]time.Time
	swept time.Time
}

// pace is how often messages may go to a chat.
type pace struct {
	interval time.Duration
	burst    int
}

func paceOf(chat string, given *time.Duration) pace {
	p := pace{chatInterval, chatBurst}
	if strings.HasPrefix(chat, "-") || strings.HasPrefix(chat, "@") {
		p = pace{groupInterval, groupBurst}
	}
	if given != nil {
		p.interval = *given
	}
	return p
}

// wait waits until a message may go to a chat.
func (l *limiter) wait(ctx context.Context, chat string, p pace) error {
	if p.interval == 0 || chat == "" {
		return context.Cause(ctx)
	}
	if d := l.reserve(time.Now(), chat, p); d > 0 && !sleep.For(ctx, d) {
		return context.Cause(ctx)
	}
	return nil
}

func (l *limiter) reserve(now time.Time, chat string, p pace) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	early := func(due time.Time, p pace) time.Time { return due.Add(-time.Duration(p.burst-1) * p.interval) }
	due, all := later(l.chats[chat], now), later(l.all, now)
	at := later(early(due, p), early(all, pace{allInterval, allBurst}))
	l.chats[chat] = due.Add(p.interval)
	l.all = all.Add(allInterval)
	return at.Sub(now)
}

// hold keeps messages from a chat for as long as Telegram says.
func (l *limiter) hold(chat string, p pace, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.sweep(now)
	l.chats[chat] = later(l.chats[chat], now.Add(d+time.Duration(p.burst-1)*p.interval))
}

// sweep forgets, now and then, the chats that nothing was sent to lately.
func (l *limiter) sweep(now time.Time) {
	if l.chats == nil {
		l.chats = map[string]time.Time{}
	}
	if now.Sub(l.swept) > time.Minute {
		maps.DeleteFunc(l.chats, func(_ string, due time.Time) bool { return due.Before(now) })
		l.swept = now
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
