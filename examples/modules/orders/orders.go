// Package orders is the module that takes orders, wherever they come from: a text such as
// "2 saddles" becomes a file in the folder of open orders.
package orders

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"go.uber.org/fx"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/file"
	"github.com/mehari-go/mehari/dataformat/json"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routefx"
)

// Module needs a [Folder].
var Module = fx.Module("orders",
	fx.Provide(newCatalogue),
	routefx.Component("direct", direct.New),
	routefx.Component("file", func() route.Component { return file.New(nil) }),
	routefx.Routes(newRoutes),
)

// Folder is where orders are kept, of all replicas.
type Folder string

// Open is the folder of orders that wait for their invoices.
func (f Folder) Open() string { return filepath.Join(string(f), "open") }

// An Order is one that was accepted.
type Order struct {
	ID    string `json:"id"`
	Item  string `json:"item"`
	Count int    `json:"count"`
}

// ID is a header: what an order is called. Two orders of one name are one, so that a
// message that comes twice is one order. Without it an order gets a new one.
var ID = route.NewKey[string]("order")

// A Refusal says why an order is not accepted, in words for who ordered.
type Refusal struct{ why string }

func (r *Refusal) Error() string { return r.why }

// newRoutes are the routes of the module. fx injects what there is to be had.
func newRoutes(folder Folder, c Catalogue) *route.Route {
	return route.From("direct:order").ID("order").
		Process(func(_ context.Context, ex *route.Exchange) error {
			order, err := c.parse(fmt.Sprintf("%s", ex.Body))
			if err != nil {
				return err
			}
			if id, ok := ID.Get(ex); ok {
				order.ID = id
			} else {
				order.ID = rand.Text()[:8]
			}
			file.FileName.Set(ex, order.ID+".json")
			ex.Body = order
			ex.SetProperty("order", order)
			return nil
		}).
		Marshal(json.Format{}).
		To(file.Config{Directory: folder.Open()}.URI()).
		Log("order ${exchangeProperty.order.ID}: ${exchangeProperty.order.Count} of ${exchangeProperty.order.Item}").
		SetBody(route.Simple("order ${exchangeProperty.order.ID} is accepted"))
}

// A Catalogue knows what is sold.
type Catalogue map[string]bool

func newCatalogue() Catalogue { return Catalogue{"saddles": true, "reins": true, "blankets": true} }

// parse reads "2 saddles".
func (c Catalogue) parse(text string) (Order, error) {
	count, item, _ := strings.Cut(strings.TrimSpace(text), " ")
	n, err := strconv.Atoi(count)
	switch {
	case err != nil || n < 1 || n > 1000:
		return Order{}, &Refusal{"please order like this: 2 saddles"}
	case !c[item]:
		return Order{}, &Refusal{fmt.Sprintf("%q is not sold here", item)}
	}
	return Order{Item: item, Count: n}, nil
}
