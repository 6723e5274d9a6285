package telegram

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"github.com/mehari-go/mehari/route"
)

// A receiver is what Telegram posts updates to, as long as one call of Consume lasts.
type receiver struct {
	*endpoint
	ctx    context.Context
	next   route.Processor
	path   string
	secret string

	mu     sync.Mutex
	failed map[int64]int // how often the exchanges of updates failed, bounded by maxFailed
}

const (
	maxPost   = 4 << 20 // bytes
	maxFailed = 10_000
)

// listen takes updates from a webhook until ctx is done. Those of one chat come one after
// the other, the next when the one before has been answered; one that fails is refused, and
// Telegram sends it again.
func (e *endpoint) listen(ctx context.Context, next route.Processor) error {
	u, err := url.Parse(e.config.WebhookExternalURL)
	if err != nil {
		return err
	}
	r := &receiver{endpoint: e, ctx: ctx, next: next, path: e.config.WebhookPath, secret: e.config.WebhookSecretToken, failed: map[int64]int{}}
	if r.path == "" {
		r.path = "/" + strings.TrimPrefix(u.Path, "/")
	}
	if r.secret == "" {
		r.secret = e.bot.secret(e.config.WebhookExternalURL)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", e.config.WebhookListen)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	server := &http.Server{
		Handler: r, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(e.logger.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	var serving sync.WaitGroup
	serving.Go(func() { failed <- server.Serve(listener) })
	err = r.register(ctx)
	registered := err == nil
	if registered {
		select {
		case <-ctx.Done():
		case err = <-failed:
		}
	}
	// What is in flight may take as long as the engine lets it, and Telegram learns of it
	// as long as the webhook is registered.
	if shutdown := server.Shutdown(route.Work(ctx)); shutdown != nil {
		server.Close()
	}
	serving.Wait()
	if registered {
		r.remove()
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (r *receiver) automatic() bool { return deref(r.config.WebhookAutoRegister, true) }

func (r *receiver) register(ctx context.Context) error {
	if !r.automatic() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	p := tgbotapi.Params{"url": r.config.WebhookExternalURL, "secret_token": r.secret, "allowed_updates": r.config.allowed()}
	if n := r.config.WebhookMaxConnections; n > 0 {
		p["max_connections"] = strconv.Itoa(n)
	}
	_, err := r.bot.call(ctx, "setWebhook", p, nil)
	return err
}

// remove leaves what has not been taken with Telegram, for who consumes next.
func (r *receiver) remove() {
	if !r.automatic() {
		return
	}
	ctx, cancel := context.WithTimeout(route.Work(r.ctx), confirming)
	defer cancel()
	if _, err := r.bot.call(ctx, "deleteWebhook", nil, nil); err != nil {
		r.logger.LogAttrs(ctx, slog.LevelWarn, "the webhook is still registered", slog.String("endpoint", r.String()), slog.Any("error", err))
	}
}

// secret makes up what Telegram proves itself with, the same in all replicas. It tells
// nothing about the token.
func (b *bot) secret(external string) string {
	h := hmac.New(sha256.New, []byte(b.token))
	_, _ = h.Write([]byte("webhook " + external))
	return hex.EncodeToString(h.Sum(nil))
}

// ServeHTTP takes an update. Any other answer than 200 makes Telegram send it again.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	have := req.Header.Get("X-Telegram-Bot-Api-Secret-Token")
	switch {
	case req.URL.Path != r.path:
		http.NotFound(w, req)
		return
	case req.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "want POST", http.StatusMethodNotAllowed)
		return
	case subtle.ConstantTimeCompare([]byte(have), []byte(r.secret)) != 1:
		http.Error(w, "not from Telegram", http.StatusUnauthorized)
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxPost))
	if err != nil {
		status := http.StatusBadRequest
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "the update cannot be read", status)
		return
	}
	u := new(Update)
	if err := json.Unmarshal(text, u); err != nil {
		http.Error(w, "not an update", http.StatusBadRequest)
		return
	}
	if r.ctx.Err() != nil {
		http.Error(w, "stopping", http.StatusServiceUnavailable)
		return
	}
	if !r.take(u) {
		http.Error(w, "the update was not taken", http.StatusInternalServerError)
	}
}

// take gives an update to the route and tells whether it is done with.
func (r *receiver) take(u *Update) bool {
	p := &poller{endpoint: r.endpoint, next: r.next}
	r.mu.Lock()
	n := r.failed[u.ID]
	r.mu.Unlock()
	err := p.once(r.ctx, u, n)
	most := deref(r.config.MaximumRedeliveries, 10)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil || route.Work(r.ctx).Err() != nil {
		delete(r.failed, u.ID)
		return err == nil
	}
	if n == most {
		delete(r.failed, u.ID)
		r.component.stats.skipped.Add(1)
		r.logger.LogAttrs(r.ctx, slog.LevelError, "an update passed over: its exchange failed too often", slog.String("endpoint", r.String()),
			slog.Int64("update", u.ID), slog.String("kind", u.Kind), slog.Int("times", n+1), slog.Any("error", err))
		return true
	}
	if len(r.failed) >= maxFailed { // those that Telegram has given up
		clear(r.failed)
	}
	r.failed[u.ID] = n + 1
	return false
}
