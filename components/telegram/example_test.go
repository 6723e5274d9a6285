package telegram_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
	"github.com/mehari-go/mehari/route"
)

// A bot that answers in the chat where it was asked: the header CamelTelegramChatId goes
// from what comes to what is sent. The server for tests stands for Telegram.
func Example() {
	server := telegramtest.New()
	defer server.Close()
	bot := telegram.New(telegram.WithClient(server.Client()), telegram.WithToken(telegramtest.Token))

	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	engine, err := route.New(route.Config{
		Components: route.Components{"telegram": bot},
		Logger:     slog.New(slog.DiscardHandler),
	},
		route.From("telegram:bots?allowedUpdates=message").
			Process(route.Map(func(_ context.Context, u *telegram.Update) (string, error) {
				return "You said: " + u.Text, nil
			})).
			To("telegram:bots").
			Process(func(context.Context, *route.Exchange) error {
				stop()
				return nil
			}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	server.Text(42, "hello")
	fmt.Println(engine.Run(ctx))
	for _, r := range server.Requests("sendMessage") {
		fmt.Println(r.Params["chat_id"], r.Params["text"])
	}
	// Output:
	// <nil>
	// 42 You said: hello
}
