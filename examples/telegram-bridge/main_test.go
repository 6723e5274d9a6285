package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
	mehttp "github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/components/kafka"
	"github.com/mehari-go/mehari/components/master"
	"github.com/mehari-go/mehari/components/nats"
	"github.com/mehari-go/mehari/components/seda"
	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
	"github.com/mehari-go/mehari/route"
)

// local is a broker within the process.
func local() broker {
	b := broker{to: "seda:telegram.${exchangeProperty.part}"}
	for p := range parts {
		b.from = append(b.from, route.URI(fmt.Sprintf("seda:telegram.%d", p)))
	}
	return b
}

func member(t *testing.T) *cluster.Service {
	t.Helper()
	service, err := cluster.New(memory.New(), cluster.Options{Name: "replica", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// Everybody is answered, once, but for who has blocked the bot and those who say nothing.
func TestAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := telegramtest.New()
		defer api.Close()
		service := member(t)
		engine, err := route.New(route.Config{
			Components: route.Components{
				"telegram": telegram.New(telegram.WithClient(api.Client()), telegram.WithToken(telegramtest.Token)),
				"master":   master.New(service),
				"seda":     seda.New(),
			},
			Logger: slog.New(slog.DiscardHandler),
		}, append(local().answers(), local().intake())...)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- engine.Run(ctx) }()
		time.Sleep(time.Minute) // for the first leader

		api.Fail("sendMessage", telegramtest.Fault{Code: 403})
		for _, say := range []func(){
			func() { api.Text(7, "who has blocked the bot") },
			func() { api.Text(42, "hello") },
			func() { api.Text(-1001, "hello from a group") },
			func() { api.Update("my_chat_member", map[string]any{"chat": map[string]any{"id": 42}}) },
			func() { _ = engine.Send(ctx, "seda:telegram.2", []byte("no update")) },
			func() { // the hello of 42 once more
				_ = engine.Send(ctx, "seda:telegram.2", []byte(`{"update_id":2000002,"message":{"message_id":1,"chat":{"id":42},"text":"hello"}}`))
			},
		} {
			say()
			time.Sleep(time.Second)
		}
		api.Text(42, "still there?")
		time.Sleep(time.Minute)

		var have []string
		for _, r := range api.Requests("sendMessage") {
			have = append(have, fmt.Sprint(r.Params["chat_id"], " ", r.Params["text"], " ", r.Params["reply_parameters"]))
		}
		want := `7 You said: who has blocked the bot {"message_id":1}
42 You said: hello {"message_id":1}
-1001 You said: hello from a group {"message_id":1}
42 You said: still there? {"message_id":3}`
		if got := strings.Join(have, "\n"); got != want {
			t.Errorf("the bot said\n%s\nwant\n%s", got, want)
		}
		if n := api.Stats().Unconfirmed; n != 0 {
			t.Errorf("Telegram keeps %d updates", n)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := service.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// The routes of both brokers are right. A program that cannot reach its broker starts, says
// that it is not ready, and is alive.
func TestProbes(t *testing.T) {
	t.Run("JetStream", func(t *testing.T) { probe(t, jetStream()) })
	t.Run("Kafka", func(t *testing.T) { probe(t, apacheKafka()) })
}

func probe(t *testing.T, b broker) {
	t.Helper()
	api := telegramtest.New()
	defer api.Close()
	server := mehttp.NewServer(mehttp.ServerOptions{})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, "replica", t.TempDir(), "127.0.0.1:0", route.Components{
			"telegram":    telegram.New(telegram.WithClient(api.Client()), telegram.WithToken(telegramtest.Token)),
			"jetstream":   nats.NewJetStream(nats.Options{URL: "nats://127.0.0.1:1"}),
			"http-server": server,
			"kafka":       kafka.New(kafka.Options{Brokers: []string{"127.0.0.1:1"}}),
		}, b)
	}()
	get := func(path string) int {
		for server.Addr("127.0.0.1:0") == nil {
			time.Sleep(time.Millisecond)
		}
		resp, err := http.Get("http://" + server.Addr("127.0.0.1:0").String() + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for begun := time.Now(); get("/livez") != 200; time.Sleep(time.Millisecond) {
		if time.Since(begun) > 30*time.Second {
			t.Fatal("not alive after 30s")
		}
	}
	if status := get("/readyz"); status != 500 {
		t.Errorf("/readyz answers %d, want 500", status)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
