package telegram_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
	"github.com/mehari-go/mehari/route"
)

// A replica is an engine with a bot.
type replica struct {
	t      *testing.T
	server *telegramtest.Server
	bot    *telegram.Component
	engine *route.Engine
	log    *lines
	stop   func()

	mu   sync.Mutex
	came []string
	do   func(ctx context.Context, ex *route.Exchange) error
}

// bubble runs f with a server, on the virtual clock.
func bubble(t *testing.T, f func(t *testing.T, s *telegramtest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := telegramtest.New()
		defer s.Close()
		f(t, s)
	})
}

// consume starts an engine with a route from the bot. What comes is recorded as a text
// before do, if that is not nil, is called.
func consume(t *testing.T, s *telegramtest.Server, options string, do func(ctx context.Context, ex *route.Exchange) error) *replica {
	t.Helper()
	r := &replica{t: t, server: s, do: do, log: new(lines)}
	r.bot = telegram.New(telegram.WithClient(s.Client()), telegram.WithBaseURI(telegramtest.URL), telegram.WithToken(telegramtest.Token))
	r.run(route.Components{"telegram": r.bot}, route.From(route.URI("telegram:bots"+options)).ID("in").Process(r.take))
	return r
}

func (r *replica) run(components route.Components, routes ...*route.Route) {
	r.t.Helper()
	engine, err := route.New(route.Config{Components: components, Logger: r.log.logger(), Poison: true}, routes...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.engine = engine
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Error(err)
		}
	})
	r.t.Cleanup(r.stop)
	r.t.Cleanup(func() {
		if strings.Contains(r.log.String(), secret) {
			r.t.Errorf("the token is in the log:\n%s", r.log)
		}
	})
}

const secret = "a_token_of_the_server_for_tests"

func (r *replica) take(ctx context.Context, ex *route.Exchange) error {
	r.mu.Lock()
	r.came = append(r.came, fmt.Sprint(ex.Body))
	r.mu.Unlock()
	if r.do != nil {
		return r.do(ctx, ex)
	}
	return nil
}

// want compares what has come.
func (r *replica) want(texts ...string) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Equal(r.came, texts) {
		r.t.Errorf("came %q, want %q", r.came, texts)
	}
}

func (r *replica) status() route.RouteStatus { return r.engine.Status().Routes[0] }

// sender returns what sends to an endpoint, outside of routes.
func sender(t *testing.T, s *telegramtest.Server, options string) (send func(body any, headers ...any) (*route.Exchange, error), bot *telegram.Component) {
	t.Helper()
	bot = telegram.New(telegram.WithClient(s.Client()), telegram.WithBaseURI(telegramtest.URL), telegram.WithToken(telegramtest.Token))
	addr, err := route.URI("telegram:bots" + options).Parse()
	if err != nil {
		t.Fatal(err)
	}
	ep, err := bot.Endpoint(route.Env{Logger: slog.New(slog.DiscardHandler)}, addr)
	if err != nil {
		t.Fatal(err)
	}
	return func(body any, headers ...any) (*route.Exchange, error) {
		ex := route.NewExchange(body)
		for i := 0; i < len(headers); i += 2 {
			ex.SetHeader(headers[i].(string), headers[i+1])
		}
		return ex, ep.(route.Producer).Process(t.Context(), ex)
	}, bot
}

// lines is a log.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (l *lines) want(t *testing.T, text string) {
	t.Helper()
	if !strings.Contains(l.String(), text) {
		t.Errorf("no %q in the log:\n%s", text, l)
	}
}

var errRefused = errors.New("refused by the test")

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const moment = 100 * time.Millisecond
