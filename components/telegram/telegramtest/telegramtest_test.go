package telegramtest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/components/telegram/telegramtest"
)

type answer struct {
	OK          bool
	Result      json.RawMessage
	ErrorCode   int `json:"error_code"`
	Description string
	Parameters  struct {
		RetryAfter int   `json:"retry_after"`
		MigrateTo  int64 `json:"migrate_to_chat_id"`
	}
	status int
}

func (a answer) ids(t *testing.T) (ids []int64) {
	t.Helper()
	var updates []struct {
		ID int64 `json:"update_id"`
	}
	if err := json.Unmarshal(a.Result, &updates); err != nil || !a.OK {
		t.Fatalf("%+v: %v", a, err)
	}
	for _, u := range updates {
		ids = append(ids, u.ID-first)
	}
	return ids
}

const first = 2_000_001

func call(ctx context.Context, s *telegramtest.Server, method string, params ...any) (a answer, err error) {
	form := url.Values{}
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i].(string), fmt.Sprint(params[i+1]))
	}
	r, err := http.NewRequestWithContext(ctx, "POST", telegramtest.URL+"/bot"+telegramtest.Token+"/"+method, strings.NewReader(form.Encode()))
	if err != nil {
		return a, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := s.Client().Do(r)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	a.status = resp.StatusCode
	return a, json.NewDecoder(resp.Body).Decode(&a)
}

// in runs f in a bubble, with a server.
func in(t *testing.T, f func(t *testing.T, s *telegramtest.Server, do func(method string, params ...any) answer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := telegramtest.New()
		defer s.Close()
		f(t, s, func(method string, params ...any) answer {
			t.Helper()
			a, err := call(t.Context(), s, method, params...)
			if err != nil {
				t.Errorf("%s: %v", method, err)
			}
			return a
		})
	})
}

func want(t *testing.T, have []int64, ids ...int64) {
	t.Helper()
	if !slices.Equal(have, ids) {
		t.Errorf("updates %v, want %v", have, ids)
	}
}

func TestOffsetsConfirm(t *testing.T) {
	in(t, func(t *testing.T, s *telegramtest.Server, do func(string, ...any) answer) {
		for n := range 5 {
			s.Text(1, fmt.Sprint(n))
		}
		want(t, do("getUpdates").ids(t), 0, 1, 2, 3, 4)
		time.Sleep(time.Second)
		want(t, do("getUpdates", "limit", 2).ids(t), 0, 1) // nothing was confirmed
		want(t, do("getUpdates", "offset", first+2).ids(t), 2, 3, 4)
		time.Sleep(time.Second)
		want(t, do("getUpdates").ids(t), 2, 3, 4)
		want(t, do("getUpdates", "offset", first+1000).ids(t), 2, 3, 4) // beyond what can be
		want(t, do("getUpdates", "offset", -1).ids(t), 4)               // forgets the others
		want(t, do("getUpdates", "offset", first+5).ids(t))
		if n := s.Stats().Unconfirmed; n != 0 {
			t.Errorf("%d unconfirmed", n)
		}
		s.Next(7)
		s.Text(1, "anew")
		want(t, do("getUpdates", "offset", first+5).ids(t), 7-first)
	})
}

func TestWhoAsksTooOftenWaits(t *testing.T) {
	in(t, func(t *testing.T, s *telegramtest.Server, do func(string, ...any) answer) {
		begun := time.Now()
		do("getUpdates")
		if d := time.Since(begun); d != 0 {
			t.Errorf("short poll took %v", d)
		}
		do("getUpdates")
		if d := time.Since(begun); d != 3*time.Second {
			t.Errorf("the same once more took %v, want 3s", d)
		}
		s.Text(1, "a")
		s.Text(1, "b")
		want(t, do("getUpdates").ids(t), 0) // the limit becomes 1
	})
}

func TestPollsWait(t *testing.T) {
	in(t, func(t *testing.T, s *telegramtest.Server, do func(string, ...any) answer) {
		begun := time.Now()
		want(t, do("getUpdates", "timeout", 1000).ids(t))
		if d := time.Since(begun); d != 50*time.Second {
			t.Errorf("waited %v, want 50s", d)
		}
		time.AfterFunc(5*time.Second, func() { s.Text(1, "x") })
		want(t, do("getUpdates", "timeout", 30).ids(t), 0)
		if d := time.Since(begun); d > 56*time.Second {
			t.Errorf("woke after %v", d)
		}
	})
}

func TestOnePollWaits(t *testing.T) {
	in(t, func(t *testing.T, s *telegramtest.Server, do func(string, ...any) answer) {
		older := make(chan answer, 10)
		begun := time.Now()
		for range 3 {
			go func() { older <- do("getUpdates", "timeout", 30) }()
			synctest.Wait()
		}
		do("getUpdates", "timeout", 0, "offset", 1) // does not wait, ends nobody
		if a := <-older; a.status != 409 || a.ErrorCode != 409 || !strings.Contains(a.Description, "terminated by other getUpdates") {
			t.Errorf("%+v", a)
		}
		if a := <-older; a.ErrorCode != 409 || time.Since(begun) != 3*time.Second {
			t.Errorf("%+v after %v: the second conflict in a row waits 3s", a, time.Since(begun))
		}
		if st := s.Stats(); st.Waiting != 1 || st.Conflicts != 2 || st.Polls != 4 {
			t.Errorf("%+v", st)
		}
		s.Text(1, "x")
		want(t, (<-older).ids(t), 0)
	})
}

func TestPollThatIsGivenUpWaitsNoMore(t *testing.T) {
	in(t, func(t *testing.T, s *telegramtest.Server, do func(string, ...any) answer) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := call(ctx, s, "getUpdates", "timeout", 30); err == nil {
			t.Error("no error")
		}
		synctest.Wait()
		if st := s.Stats(); st.Waiting != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestKinds(t *testing.T) {
	in(t, func(t *testing.T, s *telegramtest.Server, do func(string, ...any) answer) {
		if s.Update("chat_member", map[string]any{}) != 0 {
			t.Error("chat_member comes without being asked for")
		}
		do("getUpdates", "allowed_updates", `["CHAT_MEMBER","what"]`)
		if s.Update("chat_member", map[string]any{}) == 0 || s.Text(1, "x") != 0 {
			t.Error("what was asked for is not what comes")
		}
		do("getUpdates", "offset", -1, "allowed_updates", `[]`)
		if s.Text(1, "x") == 0 {
			t.Error("no messages by default")
		}
		do("getUpdates", "offset", first+2)
		s.Update("inline_query", map[string]any{"id": "1"})
		s.Raw(`{"update_id":%d,"novelty":{}}`)
		time.Sleep(31 * time.Second)
		want(t, do("getUpdates").ids(t), 3) // the query is too old
	})
}

func TestErrors(t *testing.T) {
	in(t, func(t *testing.T, s *telegramtest.Server, do func(string, ...any) answer) {
		s.Fail("sendMessage", telegramtest.Fault{Code: 429, RetryAfter: 7 * time.Second}, telegramtest.Fault{Code: 400, Description: "Bad Request: group chat was upgraded to a supergroup chat", MigrateTo: -1001},
			telegramtest.Fault{Cut: true}, telegramtest.Fault{Body: "<html>", Status: 502}, telegramtest.Fault{Lose: true})
		send := []any{"chat_id", 1, "text", "x"}
		if a := do("sendMessage", send...); a.status != 429 || a.Parameters.RetryAfter != 7 || a.Description != "Too Many Requests: retry after 7" {
			t.Errorf("%+v", a)
		}
		if a := do("sendMessage", send...); a.Parameters.MigrateTo != -1001 {
			t.Errorf("%+v", a)
		}
		for _, what := range []string{"cut", "html", "lost"} {
			if _, err := call(t.Context(), s, "sendMessage", send...); err == nil {
				t.Errorf("%s: no error", what)
			}
		}
		for _, tt := range []struct {
			method string
			params []any
			want   string
		}{
			{"getupdatez", nil, "404 Not Found: method not found"},
			{"sendMessage", []any{"text", "x"}, "400 Bad Request: chat_id is empty"},
			{"sendMessage", []any{"chat_id", 1}, "400 Bad Request: message text is empty"},
			{"SENDMESSAGE", []any{"chat_id", 1, "text", strings.Repeat("ü", 4097)}, "400 Bad Request: message is too long"},
			{"sendPhoto", []any{"chat_id", 1, "photo", "x"}, "400 Bad Request: wrong file identifier/HTTP URL specified"},
			{"sendMessage", []any{"chat_id", 1, "text", "x", "reply_markup", "{"}, "400 Bad Request: can't parse reply_markup JSON object"},
			{"deleteMessage", []any{"chat_id", 1, "message_id", 99}, "400 Bad Request: message to delete not found"},
			{"getFile", []any{"file_id", "x"}, "400 Bad Request: wrong file_id or the file is temporarily unavailable"},
			{"setWebhook", []any{"url", "https://x", "secret_token", "ü"}, "400 Bad Request: secret token contains unallowed characters"},
		} {
			if a := do(tt.method, tt.params...); fmt.Sprint(a.ErrorCode, " ", a.Description) != tt.want || a.status != a.ErrorCode || a.OK {
				t.Errorf("%s: %+v, want %s", tt.method, a, tt.want)
			}
		}
		resp, err := s.Client().Get(telegramtest.URL + "/bot1:wrong/getMe")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 401 {
			t.Error(resp.Status)
		}
	})
}

func TestFiles(t *testing.T) {
	in(t, func(t *testing.T, s *telegramtest.Server, do func(string, ...any) answer) {
		id := s.File(telegramtest.File{Name: "a.txt", Content: []byte("content")})
		var file struct {
			Path string `json:"file_path"`
		}
		if err := json.Unmarshal(do("getFile", "file_id", id).Result, &file); err != nil {
			t.Fatal(err)
		}
		resp, err := s.Client().Get(telegramtest.URL + "/file/bot" + telegramtest.Token + "/" + file.Path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if text, err := io.ReadAll(resp.Body); string(text) != "content" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
	})
}

func TestWebhook(t *testing.T) {
	in(t, func(t *testing.T, s *telegramtest.Server, do func(string, ...any) answer) {
		took := make(chan string, 10)
		fails := 2
		target := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			text, _ := io.ReadAll(r.Body)
			status := 200
			if strings.Contains(string(text), `"id":1,`) && fails > 0 {
				fails--
				status = 500
			} else {
				took <- fmt.Sprint(r.Header.Get("X-Telegram-Bot-Api-Secret-Token"), " ", strings.Contains(string(text), `"text":"b"`))
			}
			return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: http.NoBody}, nil
		})}
		s.DeliverWith(target)
		ended := make(chan answer, 1)
		go func() { ended <- do("getUpdates", "timeout", 30) }()
		synctest.Wait()
		if a := do("setWebhook", "url", "https://bot.example/hook", "secret_token", "abc"); !a.OK {
			t.Fatalf("%+v", a)
		}
		if a := <-ended; a.Description != "Conflict: terminated by setWebhook request" {
			t.Errorf("%+v", a)
		}
		if a := do("getUpdates"); a.ErrorCode != 409 || !strings.Contains(a.Description, "webhook is active") {
			t.Errorf("%+v", a)
		}
		s.Text(1, "a") // fails at first, and keeps no other chat from going on
		s.Text(2, "b")
		if have := <-took; have != "abc true" {
			t.Error(have)
		}
		begun := time.Now()
		if have := <-took; have != "abc false" || time.Since(begun) != 2*time.Second {
			t.Errorf("%s after %v", have, time.Since(begun))
		}
		synctest.Wait()
		if a := do("deleteWebhook"); a.Description != "Webhook was deleted" {
			t.Errorf("%+v", a)
		}
		if a := do("deleteWebhook"); a.Description != "Webhook is already deleted" {
			t.Errorf("%+v", a)
		}
		want(t, do("getUpdates").ids(t))
	})
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
