// Package web is the module that takes orders by HTTP, shows invoices, and tells whether
// the application is ready.
package web

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/fx"

	"github.com/mehari-go/mehari/components/http"
	"github.com/mehari-go/mehari/examples/modules/orders"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routefx"
)

// Module needs an [Address] and an [orders.Folder].
var Module = fx.Module("web",
	fx.Provide(newServer),
	// Others may want to know the server too, so that it is in the container by itself.
	routefx.Component("http-server", func(s *http.Server) *http.Server { return s }),
	routefx.Routes(newRoutes),
)

// Address is where the server listens.
type Address string

func newServer(a Address) *http.Server { return http.NewServer(http.ServerOptions{Address: string(a)}) }

func newRoutes(folder orders.Folder) []*route.Route {
	return []*route.Route{
		route.From("http-server:/orders?httpMethodRestrict=POST&skipRequestHeaders=true").ID("web.order").
			OnError(route.OnError[*orders.Refusal]().Handled().
				SetHeader("CamelHttpResponseCode", route.Constant(422)).
				SetBody(route.Simple("${exception.message}\n"))).
			RemoveHeader("Content-Type").
			To("direct:order").
			SetHeader("CamelHttpResponseCode", route.Constant(202)).
			SetBody(route.Simple("${body}\n")),

		route.From("http-server:/invoices/{id}?httpMethodRestrict=GET").ID("web.invoice").
			Process(func(ctx context.Context, ex *route.Exchange) error {
				id, err := route.As[string](ctx, ex, ex.Header("id"))
				if err != nil {
					return err
				}
				if strings.ContainsAny(id, `/\`) { // it comes from outside
					return answer(ex, 404, "no such invoice\n")
				}
				invoice, err := os.ReadFile(filepath.Join(string(folder), "invoices", id+".json"))
				if errors.Is(err, fs.ErrNotExist) {
					return answer(ex, 404, "no such invoice\n")
				}
				ex.Body = invoice
				ex.SetHeader("Content-Type", "application/json")
				return err
			}),

		route.From("http-server:/readyz").ID("web.ready").
			Process(func(ctx context.Context, ex *route.Exchange) error {
				if engine, ok := route.EngineFrom(ctx); !ok || engine.Ready() != nil {
					return answer(ex, 503, "not ready\n")
				}
				return answer(ex, 200, "ready\n")
			}),
	}
}

// answer is no error, which would be logged.
func answer(ex *route.Exchange, status int, text string) error {
	ex.SetHeader("CamelHttpResponseCode", status)
	ex.Body = text
	return nil
}
