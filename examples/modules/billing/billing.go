// Package billing is the module that writes an invoice for each order. One replica does
// that at a time: the one that holds the lock "billing".
package billing

import (
	"context"
	"fmt"
	"path/filepath"

	"go.uber.org/fx"

	"github.com/mehari-go/mehari/components/file"
	"github.com/mehari-go/mehari/dataformat/json"
	"github.com/mehari-go/mehari/examples/modules/orders"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routefx"
)

// Module needs an [orders.Folder]. Its [Prices] can be decorated.
var Module = fx.Module("billing",
	fx.Provide(func() Prices { return Prices{"saddles": 120, "reins": 35, "blankets": 20} }),
	routefx.Routes(newRoutes),
)

// Prices are in whole coins.
type Prices map[string]int

// An Invoice is what is to be paid.
type Invoice struct {
	Order  string `json:"order"`
	Amount int    `json:"amount"`
}

// newRoutes takes the open orders, one by one. An order moves to the folder "billed" in it when its
// invoice is written; if that fails, or the replica dies, it is taken again.
func newRoutes(folder orders.Folder, prices Prices) *route.Route {
	open := file.Config{Directory: folder.Open(), Watch: true, Include: `.*\.json`, Move: "billed"}
	invoices := file.Config{Directory: filepath.Join(string(folder), "invoices")}
	return route.From("master:billing:"+open.URI()).ID("billing").
		Step(route.Unmarshal[orders.Order](json.Format{})).
		Process(route.Map(func(_ context.Context, o orders.Order) (Invoice, error) {
			price, ok := prices[o.Item]
			if !ok {
				return Invoice{}, fmt.Errorf("no price of %q", o.Item)
			}
			return Invoice{o.ID, o.Count * price}, nil
		})).
		SetProperty("invoice", route.Simple("${body}")).
		Marshal(json.Format{}).
		To(invoices.URI()).
		Log("invoice for ${exchangeProperty.invoice.Order}: ${exchangeProperty.invoice.Amount}")
}
