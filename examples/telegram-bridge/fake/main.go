// Command fake is a server of Telegram's Bot API for those who have no bot. Who types
//
//	42 hello
//
// is the user of chat 42 and says hello. What the bot says there is printed. It runs until
// it is interrupted.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mehari-go/mehari/components/telegram/telegramtest"
)

func main() {
	address := flag.String("address", "127.0.0.1:8081", "where to listen")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err == nil {
		err = serve(listener, os.Stdin, os.Stdout)
	}
	fmt.Fprintln(os.Stderr, "fake:", err)
	os.Exit(1)
}

// serve serves until the listener is closed. What users say it reads from in. Several
// goroutines write to out.
func serve(listener net.Listener, in io.Reader, out io.Writer) error {
	bot := telegramtest.New()
	defer bot.Close()
	fmt.Fprintf(out, "The Bot API is at http://%s for the bot with this token:\n%s\nType the number of a chat and a text, such as: 42 hello\n", listener.Addr(), telegramtest.Token)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bot.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, "/sendMessage") {
			fmt.Fprintf(out, "%s < %s\n", r.PostForm.Get("chat_id"), r.PostForm.Get("text"))
		}
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		number, text, _ := strings.Cut(lines.Text(), " ")
		chat, err := strconv.ParseInt(number, 10, 64)
		if err != nil || chat == 0 || text == "" {
			fmt.Fprintf(out, "want the number of a chat and a text, have %q\n", lines.Text())
			continue
		}
		bot.Text(chat, text)
	}
	return <-served
}
