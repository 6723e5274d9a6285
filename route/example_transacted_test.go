package route_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/mehari-go/mehari/route"
)

// shop is a store with transactions: what is written is seen once it is committed.
type shop struct{ stock map[string]int }

func (s *shop) Begin(context.Context) (route.Tx, error) { return &sale{s, map[string]int{}}, nil }

type sale struct {
	shop  *shop
	taken map[string]int
}

func (s *sale) Commit() error {
	for what, n := range s.taken {
		s.shop.stock[what] -= n
	}
	return nil
}

func (s *sale) Rollback() error { fmt.Println("rolled back"); return nil }

// Both are taken from the stock, or none. The inner block joins the transaction of the outer one.
func ExampleRoute_transacted() {
	s := &shop{stock: map[string]int{"saddle": 5, "camel": 1}}
	take := func(what string) route.ProcessorFunc {
		return func(ctx context.Context, _ *route.Exchange) error {
			tx := route.TxFrom(ctx, s).(*sale)
			if tx.taken[what]++; tx.taken[what] > s.stock[what] {
				return errors.New("no " + what + " is left")
			}
			return nil
		}
	}
	caravans := route.From("direct:caravans").
		Transacted(s, route.Do().
			Process(take("saddle")).
			To("direct:camels"))
	camels := route.From("direct:camels").
		Transacted(s, route.Do().Process(take("camel")))

	running(func(ctx context.Context, engine *route.Engine) {
		for range 2 {
			err := engine.Send(ctx, "direct:caravans", nil)
			fmt.Println("sold:", err == nil, s.stock)
		}
	}, caravans, camels)

	// Output:
	// sold: true map[camel:0 saddle:4]
	// rolled back
	// sold: false map[camel:0 saddle:4]
}
