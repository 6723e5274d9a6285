package telegram_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
	"github.com/mehari-go/mehari/route"
)

func TestTroubleOfPolls(t *testing.T) {
	for _, tt := range []struct {
		name   string
		fault  telegramtest.Fault
		log    string
		within time.Duration
		starts int64
	}{
		{"cut", telegramtest.Fault{Cut: true}, "a poll failed: trying again", 3 * time.Second, 0},
		{"the page of a proxy", telegramtest.Fault{Body: "<html>busy", Status: 502}, "an answer that is not of the Bot API", 3 * time.Second, 0},
		{"restart", telegramtest.Fault{Code: 500}, "Internal Server Error: restart (500)", 3 * time.Second, 0},
		{"too many", telegramtest.Fault{Code: 429, RetryAfter: 40 * time.Second}, "too many requests", 41 * time.Second, 0},
		{"revoked for a moment", telegramtest.Fault{Code: 401}, "the authorizationToken is wrong or has been revoked", 3 * time.Second, 1},
		{"malformed token", telegramtest.Fault{Code: 404}, "the authorizationToken is wrong", 3 * time.Second, 1},
		{"conflict", telegramtest.Fault{Code: 409}, "another program polls the same bot", 3 * time.Second, 1},
		{"not an array", telegramtest.Fault{Body: `{"ok":true`, Status: 200}, "not of the Bot API", 3 * time.Second, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *telegramtest.Server) {
				r := consume(t, s, "", nil)
				synctest.Wait()
				s.Fail("getUpdates", tt.fault)
				s.Text(1, "a") // ends the poll that is under way; the next one fails
				time.Sleep(moment)
				s.Text(1, "b")
				time.Sleep(tt.within)
				r.want("a", "b")
				r.log.want(t, tt.log)
				if n := r.status().Restarts; n != tt.starts {
					t.Errorf("the route was restarted %d times, want %d", n, tt.starts)
				}
			})
		})
	}
}

func TestRevokedTokenIsNoHotLoop(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		faults := make([]telegramtest.Fault, 1000)
		for i := range faults {
			faults[i].Code = 401
		}
		s.Fail("getUpdates", faults...)
		r := consume(t, s, "", nil)
		time.Sleep(10 * time.Minute)
		if n := len(s.Requests("getUpdates")); n > 20 {
			t.Errorf("%d polls in ten minutes", n)
		}
		if st := r.status(); st.State != route.Restarting {
			t.Errorf("state %s, want %s", st.State, route.Restarting)
		}
	})
}

func TestUnreachableAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := telegramtest.New()
		defer s.Close()
		var up atomic.Bool
		client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			if !up.Load() {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
			}
			return s.Client().Transport.RoundTrip(r)
		})}
		r := &replica{t: t, server: s, log: new(lines)}
		r.bot = telegram.New(telegram.WithClient(client), telegram.WithToken(telegramtest.Token))
		r.run(route.Components{"telegram": r.bot}, route.From("telegram:bots").Process(r.take))
		s.Text(1, "a")
		time.Sleep(5 * time.Minute)
		if st := r.status(); st.State != route.Restarting {
			t.Errorf("state %s, want %s", st.State, route.Restarting)
		}
		up.Store(true)
		time.Sleep(2 * time.Minute)
		r.want("a")
		if st := r.status(); st.State != route.Started {
			t.Errorf("state %s, want %s", st.State, route.Started)
		}
	})
}

func TestConflictsAreCounted(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		a := consume(t, s, "", nil)
		synctest.Wait()
		b := consume(t, s, "", nil)
		time.Sleep(time.Minute)
		if n := a.bot.Stats().Conflicts + b.bot.Stats().Conflicts; n == 0 || n > 40 {
			t.Errorf("%d conflicts in a minute", n)
		}
		for n := range 20 {
			s.Text(1, fmt.Sprint(n))
		}
		time.Sleep(time.Minute)
		b.stop()
		s.Text(1, "last")
		time.Sleep(2 * time.Minute)
		a.mu.Lock()
		defer a.mu.Unlock()
		if len(a.came) == 0 || a.came[len(a.came)-1] != "last" {
			t.Errorf("%q: the one that is left does not go on", a.came)
		}
	})
}

func TestWebhookKeepsFromPolling(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		resp, err := s.Client().PostForm(telegramtest.URL+"/bot"+telegramtest.Token+"/setWebhook", url.Values{"url": {"https://elsewhere.invalid"}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		r := consume(t, s, "", nil)
		time.Sleep(time.Second)
		r.log.want(t, "the bot has a webhook")
	})
}

func TestOneRoutePollsABot(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		r := &replica{t: t, server: s, log: new(lines)}
		r.bot = telegram.New(telegram.WithClient(s.Client()), telegram.WithToken(telegramtest.Token))
		r.run(route.Components{"telegram": r.bot}, route.From("telegram:bots").Process(r.take), route.From("telegram:bots?limit=5").Process(r.take))
		time.Sleep(time.Second)
		r.log.want(t, "another route of this program polls the same bot")
		if n := s.Stats().Conflicts; n != 0 {
			t.Errorf("%d conflicts", n)
		}
	})
}

// Nothing that can go wrong shows the token, which is part of every address.
func TestTokenStaysSecret(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		for name, client := range map[string]*http.Client{
			"refused": {Transport: transport(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })},
			"tells":   {Transport: transport(func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("proxy: no way to %s", r.URL) })},
			"nested": {Transport: transport(func(r *http.Request) (*http.Response, error) {
				return nil, &url.Error{Op: "x", URL: r.URL.String(), Err: errors.New("y")}
			})},
			"redirect": {Transport: transport(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: 302, Header: http.Header{"Location": {r.URL.String() + "/x"}}, Body: http.NoBody, Request: r}, nil
			})},
		} {
			log := new(lines)
			bot := telegram.New(telegram.WithClient(client), telegram.WithToken(telegramtest.Token))
			engine, err := route.New(route.Config{Components: route.Components{"telegram": bot}, Logger: log.logger()}, route.From("telegram:bots").Log("${body}"))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			ended := make(chan error)
			go func() { ended <- engine.Run(ctx) }()
			time.Sleep(time.Second)
			for _, body := range []any{"x", telegram.Photo{Photo: telegram.Upload("a", []byte("b"))}, telegram.Download{FileID: "x"}} {
				err := engine.Send(ctx, "telegram:bots?chatId=1", body)
				if err == nil || strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
					t.Errorf("%s: %v", name, err)
				}
				for e := err; e != nil; e = errors.Unwrap(e) {
					if strings.Contains(e.Error(), secret) {
						t.Errorf("%s: %T: %v", name, e, e)
					}
				}
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if text := log.String(); text == "" || strings.Contains(text, secret) {
				t.Errorf("%s: %s", name, text)
			}
			for _, st := range engine.Status().Routes {
				if strings.Contains(fmt.Sprintf("%+v", st), secret) {
					t.Errorf("%s: the status shows the token", name)
				}
			}
		}
		for _, uri := range []route.URI{"telegram:bots?authorizationToken=1:" + secret + "/x", "telegram:bots?limit=1000&authorizationToken=" + telegramtest.Token} {
			_, err := route.New(route.Config{Components: route.Components{"telegram": telegram.New()}}, route.From(uri).Log("x"))
			if err == nil || strings.Contains(err.Error(), secret) {
				t.Error(err)
			}
		}
	})
}

// A stranger who has a say in a URI does not get the token sent to a host of their choice.
func TestURIsOfStrangers(t *testing.T) {
	bubble(t, func(t *testing.T, s *telegramtest.Server) {
		r := &replica{t: t, server: s, log: new(lines)}
		r.bot = telegram.New(telegram.WithClient(s.Client()), telegram.WithToken(telegramtest.Token))
		r.run(route.Components{"telegram": r.bot, "direct": direct.New()},
			route.From("direct:chat").ToD("telegram:bots?chatId=${body}"),
			route.From("direct:base").ToD("telegram:bots?chatId=5&baseUri=${body}"))
		if err := r.engine.Send(t.Context(), "direct:chat", "5"); err != nil {
			t.Error(err)
		}
		if err := r.engine.Send(t.Context(), "direct:base", "https://stranger.invalid"); err == nil || !strings.Contains(err.Error(), `"baseUri"`) {
			t.Error(err)
		}
		if n := len(s.Requests()); n != 1 {
			t.Errorf("%d calls, want 1", n)
		}
	})
}
