// Package telegramtest is a server of Telegram's Bot API for tests. It has one bot, no
// network and no memory of its own after the test, and behaves as the real one does where
// a client can be wrong about it: what confirms an update, who wins when two poll, how long
// a poll waits, what is refused and how.
//
//	server := telegramtest.New()
//	defer server.Close()
//	bot := telegram.New(telegram.WithClient(server.Client()), telegram.WithToken(telegramtest.Token))
//	server.Text(42, "hello")
//
// Everything works in a bubble of testing/synctest too, where a poll of 50 s takes no time.
// The rules are those of https://core.telegram.org/bots/api and, where that is silent, of
// https://github.com/tdlib/telegram-bot-api, the server that Telegram publishes.
package telegramtest

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Token is the bot's.
const Token = "123456789:AAF-a_token_of_the_server_for_tests"

// URL is where the clients that [Server.Client] returns find the server, and any other
// host too.
const URL = "http://telegram.invalid"

// A Server is one bot at the Bot API. Its methods may be called by many goroutines at once.
type Server struct {
	web      *http.Server
	listener *pipes
	served   sync.WaitGroup
	client   *http.Client
	life     context.Context
	end      context.CancelFunc

	mu       sync.Mutex
	queue    queue
	allowed  map[string]bool
	polling  polling
	hook     hook
	faults   []fault
	requests []Request
	chats    map[int64]*chat
	files    map[string]File
	serial   int64
	stats    Stats
}

// Stats are what a test may want to know about the polls.
type Stats struct {
	Polls       int // calls of getUpdates
	Conflicts   int // polls that were ended by another one
	Waiting     int // polls that wait now: 0 or 1
	Unconfirmed int // updates that the bot has not confirmed
}

// New starts a server. Its first update has an id beyond two millions, as the real ones.
func New() *Server {
	s := &Server{chats: map[int64]*chat{}, files: map[string]File{}, allowed: defaultKinds(), queue: queue{next: 2_000_001}}
	s.life, s.end = context.WithCancel(context.Background())
	s.listener = &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	s.web = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	s.served.Go(func() { _ = s.web.Serve(s.listener) })
	s.client = &http.Client{Transport: &http.Transport{DialContext: s.listener.dial, DialTLSContext: s.listener.dial, MaxIdleConnsPerHost: 100, DisableCompression: true}}
	s.hook.client = http.DefaultClient
	return s
}

// Client returns a client whose requests, to whatever host, reach the server without a
// network. Close ends its connections.
func (s *Server) Client() *http.Client { return s.client }

// Close ends the polls that wait and the webhook, and returns when nothing is left.
func (s *Server) Close() {
	s.end()
	_ = s.web.Close()
	s.client.CloseIdleConnections()
	s.served.Wait()
}

// Stats returns what is so now.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	s.queue.expire(time.Now())
	st.Unconfirmed = len(s.queue.updates)
	if s.polling.waiting != nil {
		st.Waiting = 1
	}
	return st
}

// ServeHTTP answers a call at /bot<token>/<method> or a download at
// /file/bot<token>/<path>. Servers of net/http/httptest take it too.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if path, ok := strings.CutPrefix(r.URL.Path, "/file/bot"); ok {
		s.download(w, path)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/bot")
	token, method, found := strings.Cut(path, "/")
	switch {
	case !ok || !found:
		reply(w, nil, refuse(404, "Not Found"))
		return
	case token != Token:
		reply(w, nil, refuse(401, "Unauthorized"))
		return
	}
	p, files, err := parameters(r)
	if err != nil {
		reply(w, nil, err)
		return
	}
	if method == "" {
		method = p["method"]
	}
	method = strings.ToLower(method)
	s.mu.Lock()
	s.requests = append(s.requests, Request{Method: canonical(method), Params: p, Files: files, Time: time.Now()})
	f := s.fault(method)
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.life, cancel)()
	if f.answer(ctx, w) {
		return
	}
	result, err := s.call(ctx, method, p, files)
	if f.Lose {
		panic(http.ErrAbortHandler)
	}
	reply(w, result, err)
}

// call does what a method does.
func (s *Server) call(ctx context.Context, method string, p map[string]string, files map[string]File) (any, *failure) {
	switch method {
	case "getupdates":
		return s.getUpdates(ctx, p)
	case "setwebhook":
		return s.setWebhook(p)
	case "deletewebhook":
		return s.deleteWebhook(p)
	case "getwebhookinfo":
		return s.webhookInfo(), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	result, err := s.act(method, p, files)
	if err != nil {
		return nil, err
	}
	text, _ := json.Marshal(result) // now, because a message may be changed by the next call
	return json.RawMessage(text), nil
}

// A failure is an answer that is not ok.
type failure struct {
	Code        int    `json:"error_code"`
	Description string `json:"description"`
	Parameters  *struct {
		RetryAfter int   `json:"retry_after,omitempty"`
		MigrateTo  int64 `json:"migrate_to_chat_id,omitempty"`
	} `json:"parameters,omitempty"`
}

func refuse(code int, description string) *failure {
	return &failure{Code: code, Description: description}
}

// described is a result with a description.
type described struct {
	result      any
	description string
}

// reply answers as Telegram does: the status is the error's code.
func reply(w http.ResponseWriter, result any, err *failure) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		if err.Parameters != nil && err.Parameters.RetryAfter > 0 {
			w.Header().Set("Retry-After", seconds(err.Parameters.RetryAfter))
		}
		w.WriteHeader(err.Code)
		_ = json.NewEncoder(w).Encode(struct {
			OK bool `json:"ok"`
			*failure
		}{false, err})
		return
	}
	answer := map[string]any{"ok": true, "result": result}
	if d, ok := result.(described); ok {
		answer["result"], answer["description"] = d.result, d.description
	}
	_ = json.NewEncoder(w).Encode(answer)
}
