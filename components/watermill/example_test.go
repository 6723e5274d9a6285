package watermill_test

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/components/watermill"
	"github.com/mehari-go/mehari/route"
)

// A publisher and a subscriber, here of a broker in memory, become endpoints.
func Example() {
	broker := new(memory)
	orders := watermill.New(watermill.Of(publisher{broker}, &subscriber{memory: broker, closing: make(chan struct{})}))

	done := make(chan struct{})
	e, err := route.New(route.Config{Components: route.Components{"orders": orders}, Logger: slog.New(slog.DiscardHandler)},
		route.From("orders:incoming").SetHeader("checked", true).To("orders:checked"),
		route.From("orders:checked").Process(func(_ context.Context, ex *route.Exchange) error {
			id, _ := watermill.UUID.Get(ex)
			fmt.Printf("%s: %s, checked: %v\n", id, ex.Body, ex.Header("checked"))
			close(done)
			return nil
		}))
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- e.Run(ctx) }()
	if err := (publisher{broker}).Publish("incoming", message.NewMessage("order-1", []byte("two tons of grain"))); err != nil {
		fmt.Println(err)
	}
	<-done
	stop()
	fmt.Println(<-ended)
	// Output:
	// order-1: two tons of grain, checked: true
	// <nil>
}
