package main

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/components/telegram/telegramtest"
)

// What is typed comes to the bot, and what the bot says is printed.
func TestServe(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = serve(listener, strings.NewReader("42 hello\nhello\n"), out)
	}()
	call := func(method string, values url.Values) string {
		resp, err := http.PostForm("http://"+listener.Addr().String()+"/bot"+telegramtest.Token+"/"+method, values)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if text := call("getUpdates", url.Values{"timeout": {"50"}}); !strings.Contains(text, `"text":"hello"`) {
		t.Error(text)
	}
	call("sendMessage", url.Values{"chat_id": {"42"}, "text": {"hello yourself"}})
	listener.Close()
	<-ended
	printed, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{telegramtest.Token, "42 < hello yourself\n", `have "hello"`} {
		if !strings.Contains(string(printed), want) {
			t.Errorf("no %q in %s", want, string(printed))
		}
	}
}
