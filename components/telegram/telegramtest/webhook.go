package telegramtest

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// hook is the webhook and what is on its way to it.
type hook struct {
	url    string
	secret string
	most   int // deliveries at a time
	client *http.Client
	set    time.Time
	lines  map[int64]*line
	stop   context.CancelFunc
	kicks  chan struct{}
	failed string // the last error
}

// A line is one chat, whose updates follow each other.
type line struct {
	busy     bool
	failures int
	until    time.Time
}

func (h *hook) kick() {
	if h.url != "" {
		select {
		case h.kicks <- struct{}{}:
		default:
		}
	}
}

// DeliverWith makes client the one that delivers to the webhook. Set it before the bot
// registers; [http.DefaultClient] is the one until then.
func (s *Server) DeliverWith(client *http.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook.client = client
}

var secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// setWebhook takes addresses of http too, which Telegram does not.
func (s *Server) setWebhook(p map[string]string) (any, *failure) {
	if p["url"] == "" {
		return s.deleteWebhook(p)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u, err := url.Parse(p["url"])
	secret, hasSecret := p["secret_token"]
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, refuse(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
	case hasSecret && secret != "" && !secretForm.MatchString(secret):
		return nil, refuse(400, "Bad Request: secret token contains unallowed characters")
	case !s.hook.set.IsZero() && time.Since(s.hook.set) < time.Second:
		return nil, Fault{Code: 429, RetryAfter: time.Second}.failure()
	}
	s.allow(p)
	if p["drop_pending_updates"] == "true" {
		s.queue.updates = nil
	}
	h := &s.hook
	h.set = time.Now()
	if h.url == p["url"] && h.secret == secret {
		return described{true, "Webhook is already set"}, nil
	}
	h.end()
	s.polling.end(webhookSet)
	h.url, h.secret, h.failed = p["url"], secret, ""
	h.most = number(p, "max_connections", 40, 1, 100)
	h.lines, h.kicks = map[int64]*line{}, make(chan struct{}, 1)
	ctx, stop := context.WithCancel(s.life)
	h.stop = stop
	s.served.Go(func() { s.deliver(ctx, h.kicks) })
	h.kick()
	return described{true, "Webhook was set"}, nil
}

func (h *hook) end() {
	if h.url != "" {
		h.stop()
		h.url = ""
	}
}

func (s *Server) deleteWebhook(p map[string]string) (any, *failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p["drop_pending_updates"] == "true" {
		s.queue.updates = nil
	}
	if s.hook.url == "" {
		return described{true, "Webhook is already deleted"}, nil
	}
	s.hook.end()
	return described{true, "Webhook was deleted"}, nil
}

func (s *Server) webhookInfo() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]any{
		"url": s.hook.url, "has_custom_certificate": false, "pending_update_count": len(s.queue.updates),
		"max_connections": s.hook.most, "last_error_message": s.hook.failed,
	}
}

// deliver sends updates to the webhook until ctx is done. Those of one chat follow each
// other, the next when the one before has been taken; different chats do not wait.
func (s *Server) deliver(ctx context.Context, kicks chan struct{}) {
	for {
		s.mu.Lock()
		wait := s.launch(ctx)
		s.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-kicks:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// launch starts the deliveries that can start and tells when to look again. s.mu is held.
func (s *Server) launch(ctx context.Context) time.Duration {
	h, wait, seen, busy := &s.hook, time.Hour, map[int64]bool{}, 0
	s.queue.expire(time.Now())
	for _, l := range h.lines {
		if l.busy {
			busy++
		}
	}
	for _, u := range s.queue.updates {
		if seen[u.chat] || ctx.Err() != nil {
			continue
		}
		seen[u.chat] = true
		l := h.lines[u.chat]
		if l == nil {
			l = new(line)
			h.lines[u.chat] = l
		}
		if left := time.Until(l.until); left > 0 {
			wait = min(wait, left)
			continue
		}
		if !l.busy && busy < h.most {
			l.busy = true
			busy++
			as := *h
			s.served.Go(func() { s.post(ctx, l, u, as) })
		}
	}
	return wait
}

// post delivers one update. Where that fails it comes again, after 1 s, 1 s, 2 s, 4 s and so
// on up to a minute, or when the answer says.
func (s *Server) post(ctx context.Context, l *line, u update, h hook) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url, bytes.NewReader(u.text))
	var resp *http.Response
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
		if h.secret != "" {
			r.Header.Set("X-Telegram-Bot-Api-Secret-Token", h.secret)
		}
		resp, err = h.client.Do(r)
	}
	problem, after := "", 0
	if err != nil {
		problem = err.Error()
	} else {
		resp.Body.Close()
		if resp.StatusCode < 200 || resp.StatusCode > 299 {
			problem = "Wrong response from the webhook: " + resp.Status
			after, _ = strconv.Atoi(resp.Header.Get("Retry-After"))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l.busy = false
	if problem == "" {
		l.failures = 0
		s.queue.updates = slices.DeleteFunc(s.queue.updates, func(x update) bool { return x.id == u.id })
	} else {
		pause := time.Second << max(0, min(l.failures-1, 6))
		l.failures++
		l.until = time.Now().Add(min(pause, time.Minute))
		if after > 0 {
			l.until = time.Now().Add(time.Duration(min(after, 3600)) * time.Second)
		}
		if ctx.Err() == nil {
			s.hook.failed = problem
		}
	}
	s.hook.kick()
}
