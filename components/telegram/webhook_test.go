package telegram_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/telegram/telegramtest"
	"github.com/mehari-go/mehari/route"
)

// free returns an address that nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10s: %s", what)
		}
	}
}

func TestWebhook(t *testing.T) {
	s := telegramtest.New()
	defer s.Close()
	address := free(t)
	failures := 1
	r := consume(t, s, "?webhookExternalUrl=http://"+address+"/hook&webhookListen="+address+"&webhookMaxConnections=1", func(_ context.Context, ex *route.Exchange) error {
		if fmt.Sprint(ex.Body) == "poison" && failures > 0 {
			failures--
			return errRefused
		}
		return nil
	})
	until(t, "the webhook is registered", func() bool { return len(s.Requests("setWebhook")) == 1 })
	set := s.Requests("setWebhook")[0].Params
	if set["url"] != "http://"+address+"/hook" || len(set["secret_token"]) != 64 || set["max_connections"] != "1" || !strings.Contains(set["allowed_updates"], `"message_reaction"`) {
		t.Errorf("%v", set)
	}
	s.Text(1, "a")
	until(t, "a has come", func() bool { return s.Stats().Unconfirmed == 0 })
	s.Text(1, "poison")
	s.Text(1, "b")
	until(t, "all has come", func() bool { return s.Stats().Unconfirmed == 0 })
	r.want("a", "poison", "poison", "b")
	if st := r.bot.Stats(); st.Redelivered != 1 || st.Updates != 3 {
		t.Errorf("%+v", st)
	}

	post := func(method, path, secret, body string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	own := set["secret_token"]
	for _, tt := range []struct {
		method, path, secret, body string
		want                       int
	}{
		{"POST", "/hook", own, `{"update_id":1,"message":{"text":"posted"}}`, 200},
		{"POST", "/hook", "", `{"update_id":1}`, 401},
		{"POST", "/hook", own + "x", `{"update_id":1}`, 401},
		{"POST", "/", own, `{"update_id":1}`, 404},
		{"GET", "/hook", own, "", 405},
		{"POST", "/hook", own, `{"update_id":`, 400},
		{"POST", "/hook", own, `{"message":{}}`, 400},
		{"POST", "/hook", own, strings.Repeat(" ", 5<<20), 413},
	} {
		if have := post(tt.method, tt.path, tt.secret, tt.body); have != tt.want {
			t.Errorf("%s %s %.40q: status %d, want %d", tt.method, tt.path, tt.body, have, tt.want)
		}
	}
	r.want("a", "poison", "poison", "b", "posted")
	r.stop()
	if n := len(s.Requests("deleteWebhook")); n != 1 {
		t.Errorf("the webhook was removed %d times, want once", n)
	}
}

func TestWebhookGivesUpPoison(t *testing.T) {
	s := telegramtest.New()
	defer s.Close()
	address := free(t)
	r := consume(t, s, "?maximumRedeliveries=1&webhookSecretToken=abc&webhookAutoRegister=false&webhookPath=/inner&webhookExternalUrl=https://x.example/outer&webhookListen="+address,
		func(context.Context, *route.Exchange) error { return errRefused })
	post := func() int {
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+address+"/inner", strings.NewReader(`{"update_id":5,"message":{"text":"x"}}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", "abc")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	first := 0
	until(t, "somebody listens", func() bool { first = post(); return first != 0 })
	if second := post(); first != 500 || second != 200 {
		t.Errorf("status %d, then %d, want 500 and 200", first, second)
	}
	r.stop()
	r.log.want(t, "an update passed over")
	if n := len(s.Requests()); n != 0 {
		t.Errorf("%d calls: it was not to register", n)
	}
}

// A stop in the middle of an exchange lets that finish, and Telegram learns of it.
func TestWebhookDrains(t *testing.T) {
	s := telegramtest.New()
	defer s.Close()
	address := free(t)
	begun, gate := make(chan struct{}), make(chan struct{})
	r := consume(t, s, "?webhookExternalUrl=http://"+address+"&webhookListen="+address, func(context.Context, *route.Exchange) error {
		close(begun)
		<-gate
		return nil
	})
	until(t, "the webhook is registered", func() bool { return len(s.Requests("setWebhook")) == 1 })
	s.Text(1, "a")
	<-begun
	time.AfterFunc(50*time.Millisecond, func() { close(gate) })
	r.stop()
	r.want("a")
	if n := s.Stats().Unconfirmed; n != 0 {
		t.Errorf("%d unconfirmed", n)
	}
}

func TestWebhookAddressInUse(t *testing.T) {
	s := telegramtest.New()
	defer s.Close()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := consume(t, s, "?webhookExternalUrl=https://x&webhookListen="+l.Addr().String(), nil)
	until(t, "the route is restarting", func() bool { return r.status().State == route.Restarting })
	r.stop()
	r.log.want(t, "address already in use")
}
