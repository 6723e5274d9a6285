// Package intake is the module that takes orders from a Telegram bot.
package intake

import (
	"context"
	"fmt"
	"log/slog"

	"go.uber.org/fx"

	"github.com/mehari-go/mehari/components/telegram"
	"github.com/mehari-go/mehari/examples/modules/orders"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routefx"
)

// Module needs a [Token]. One that is empty leaves the bot out.
var Module = fx.Module("intake",
	routefx.Component("telegram", newComponent),
	routefx.Routes(newRoutes),
)

// Token is the bot's, as BotFather gave it. fx never logs it, because it is a value.
type Token string

// Options are further ones of the component, such as a client for tests.
type Options []telegram.Option

type needs struct {
	fx.In
	Token   Token
	Options Options `optional:"true"`
}

func newComponent(in needs) *telegram.Component {
	return telegram.New(append(in.Options, telegram.WithToken(string(in.Token)))...)
}

// newRoutes has one replica poll the bot. An update that comes twice is one order, because
// it has the same id.
func newRoutes(token Token, logger *slog.Logger) []*route.Route {
	if token == "" {
		logger.Info("there is no token of a bot: orders do not come by Telegram")
		return nil
	}
	return []*route.Route{
		route.From("master:bot:telegram:bots?allowedUpdates=message").ID("intake").
			OnError(route.OnError[*orders.Refusal]().Handled().
				SetBody(route.Simple("${exception.message}")).
				To("telegram:bots")).
			Process(func(ctx context.Context, ex *route.Exchange) error {
				update, err := route.As[*telegram.Update](ctx, ex, ex.Body)
				if err != nil {
					return err
				}
				orders.ID.Set(ex, fmt.Sprint("telegram-", update.ID))
				ex.Body = update.Text
				return nil
			}).
			To("direct:order").
			To("telegram:bots"),
	}
}
