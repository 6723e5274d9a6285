package telegram_test

import (
	"context"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/components/telegram/telegramtest"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestComponent(t *testing.T) {
	servers := map[route.Component]*telegramtest.Server{}
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component {
			s := telegramtest.New()
			c := telegram.New(telegram.WithClient(s.Client()), telegram.WithBaseURI(telegramtest.URL), telegram.WithToken(telegramtest.Token))
			servers[c] = s
			return c
		},
		Close: func(c route.Component) { servers[c].Close() },
		Configs: []routetest.Config{
			telegram.Config{
				Type: "bots", AuthorizationToken: "1:abc", BaseURI: "https://127.0.0.1:1", RequestTimeout: time.Second,
				Limit: 5, Timeout: new(3), AllowedUpdates: []string{"message", "poll"}, MaximumRedeliveries: new(2), RedeliveryDelay: time.Second,
				ChatID: "@chat", ParseMode: telegram.HTML, LongText: telegram.Refuse, ChatInterval: new(time.Minute),
				MaximumRetryAfter: new(time.Second), MaximumFileSize: 100, WebhookExternalURL: "https://bot.example.org", WebhookListen: ":1",
			},
			telegram.Config{
				Type: "bots", AuthorizationToken: "1:abc", WebhookExternalURL: "https://bot.example.org/hook", WebhookListen: "127.0.0.1:0",
				WebhookPath: "/inner", WebhookSecretToken: "xyz", WebhookAutoRegister: new(false), WebhookMaxConnections: 7,
			},
		},
		Consumer: "telegram:bots?redeliveryDelay=1",
		Feed: func(_ context.Context, c route.Component, body any) error {
			servers[c].Text(1, body.(string))
			return nil
		},
		Producer: "telegram:bots?chatId=1&chatInterval=0",
	})
}
