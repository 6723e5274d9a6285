package telegramtest

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// polling is what the server remembers from one getUpdates to the next.
type polling struct {
	waiting  *poll
	offset   int64
	begun    time.Time
	answered time.Time
	conflict time.Time // when a poll was ended by another one
	any      bool      // there was one
}

// A poll waits for updates.
type poll struct {
	wakes chan struct{}
	ended chan string // why there is a conflict
}

func (p *polling) wake() {
	if p.waiting != nil {
		select {
		case p.waiting.wakes <- struct{}{}:
		default:
		}
	}
}

// end ends the poll that waits with a conflict.
func (p *polling) end(why string) {
	if p.waiting != nil {
		p.waiting.ended <- why
		p.waiting = nil
	}
}

const (
	anotherPoll = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
	webhookSet  = "Conflict: terminated by setWebhook request"
	webhookIs   = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)

// getUpdates follows process_get_updates_query and do_get_updates of Client.cpp.
func (s *Server) getUpdates(ctx context.Context, p map[string]string) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Polls++
	if s.hook.url != "" {
		return nil, refuse(409, webhookIs)
	}
	offset := int64(number(p, "offset", 0, -1<<31, 1<<31-1))
	limit := number(p, "limit", 100, 1, 100)
	timeout := time.Duration(number(p, "timeout", 0, 0, 50)) * time.Second
	s.allow(p)

	now, last := time.Now(), &s.polling
	if same := last.any && offset == last.offset; same { // against those who ask without a pause
		if timeout < 3*time.Second && now.Before(last.begun.Add(3*time.Second)) {
			timeout = 3 * time.Second
		}
		if now.Before(last.answered.Add(500 * time.Millisecond)) {
			limit = 1
		}
	}
	last.any, last.offset, last.begun = true, offset, now

	found := s.queue.read(offset, limit)
	if len(found) > 0 || timeout == 0 {
		last.answered = time.Now()
		return found, nil
	}
	last.end(anotherPoll)
	own := &poll{make(chan struct{}, 1), make(chan string, 1)}
	last.waiting = own
	return s.wait(ctx, own, max(offset, 0), limit, timeout)
}

// wait waits until there are updates, with s.mu held before and after.
func (s *Server) wait(ctx context.Context, own *poll, offset int64, limit int, timeout time.Duration) (any, *failure) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	defer func() {
		if s.polling.waiting == own {
			s.polling.waiting = nil
		}
		s.polling.answered = time.Now()
	}()
	for {
		s.mu.Unlock()
		over := false
		var conflict string
		select {
		case <-own.wakes:
			pause(ctx, time.Millisecond) // for what comes right after it
		case conflict = <-own.ended:
		case <-timer.C:
			over = true
		case <-ctx.Done():
			over = true
		case <-s.life.Done():
			over = true
		}
		s.mu.Lock()
		select {
		case conflict = <-own.ended:
		default:
		}
		if conflict != "" {
			return nil, s.conflict(ctx, conflict)
		}
		if over {
			return []json.RawMessage{}, nil
		}
		if found := s.queue.read(offset, limit); len(found) > 0 {
			return found, nil
		}
	}
}

// conflict is told at once the first time, and after 3 s where there was one just before.
func (s *Server) conflict(ctx context.Context, why string) *failure {
	s.stats.Conflicts++
	soon := time.Since(s.polling.conflict) < 3*time.Second && !s.polling.conflict.IsZero()
	s.polling.conflict = time.Now()
	if soon {
		s.mu.Unlock()
		pause(ctx, 3*time.Second)
		s.mu.Lock()
	}
	return refuse(409, why)
}

// allow takes over which kinds of updates are to come, from now on. What it cannot read
// it passes over; names that nobody knows count for nothing.
func (s *Server) allow(p map[string]string) {
	var names []string
	if text, ok := p["allowed_updates"]; !ok || json.Unmarshal([]byte(text), &names) != nil {
		return
	}
	all, known := map[string]bool{}, 0
	for kind := range Kinds() {
		all[kind] = false
	}
	for _, name := range names {
		name = strings.ToLower(name)
		if _, ok := all[name]; ok {
			all[name] = true
			known++
		}
	}
	if known == 0 {
		all = defaultKinds()
	}
	s.allowed = all
}

// number reads a parameter. Nothing about it is an error.
func number(p map[string]string, name string, otherwise, least, most int) int {
	n, err := strconv.Atoi(strings.TrimSpace(p[name]))
	if err != nil {
		n = otherwise
	}
	return min(max(n, least), most)
}

func seconds(n int) string { return strconv.Itoa(n) }

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
