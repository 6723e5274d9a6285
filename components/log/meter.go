package log

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/mehari-go/mehari/route"
)

// A meter tells how fast exchanges come. It has a timer only from the first exchange
// to the end of the route, or, where it tells of active groups only, to the first
// interval without any.
type meter struct {
	config Config
	report func(ctx context.Context, text string)

	mu      sync.Mutex
	total   int64
	group   int64 // of the exchanges since groupAt
	since   time.Time
	groupAt time.Time
	timer   *time.Timer
	stop    func() bool // takes the watch over the route's end away
}

func (m *meter) count(ctx context.Context) {
	m.mu.Lock()
	now := time.Now()
	if m.since.IsZero() {
		m.since = now
	}
	if m.groupAt.IsZero() {
		m.groupAt = now
	}
	m.total++
	m.group++
	var text string
	switch {
	case m.config.GroupSize > 0:
		if m.group == int64(m.config.GroupSize) {
			text = m.line(now)
		}
	case m.timer == nil:
		m.start(route.Work(ctx))
	}
	m.mu.Unlock()
	if text != "" {
		m.report(ctx, text)
	}
}

// start starts the timer. ctx is that of all the route's exchanges.
func (m *meter) start(ctx context.Context) {
	first := m.config.GroupInterval
	if m.config.GroupDelay > 0 && m.total == 1 {
		first = m.config.GroupDelay
	}
	m.timer = time.AfterFunc(first, func() { m.tick(ctx) })
	m.stop = context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.end()
	})
}

func (m *meter) end() {
	if m.timer != nil {
		m.timer.Stop()
		m.stop()
		m.timer, m.groupAt = nil, time.Time{}
	}
}

func (m *meter) tick(ctx context.Context) {
	m.mu.Lock()
	var text string
	if m.timer != nil && ctx.Err() == nil {
		if m.group > 0 || !value(m.config.GroupActiveOnly, true) {
			text = m.line(time.Now())
			m.timer.Reset(m.config.GroupInterval)
		} else {
			m.end()
		}
	}
	m.mu.Unlock()
	if text != "" {
		m.report(ctx, text)
	}
}

// line is the text for the group that ends now, and begins the next one.
func (m *meter) line(now time.Time) string {
	took := now.Sub(m.groupAt)
	text := fmt.Sprintf("Received: %d new messages, with total %d so far. Last group took: %d millis which is: %s messages per second. average: %s",
		m.group, m.total, took.Milliseconds(), rate(m.group, took), rate(m.total, now.Sub(m.since)))
	m.group, m.groupAt = 0, now
	return text
}

func rate(n int64, d time.Duration) string {
	if d <= 0 {
		return strconv.FormatInt(n, 10) // too fast to tell
	}
	return strconv.FormatFloat(math.Round(float64(n)/d.Seconds()*100)/100, 'f', -1, 64)
}
