package amqp_test

import (
	"fmt"

	"github.com/mehari-go/mehari/components/amqp"
	"github.com/mehari-go/mehari/route"
)

// A route that takes orders from a queue and sends those that fail to another, and the URI of
// its endpoint, which can be written instead.
func Example() {
	billing := amqp.Config{
		Exchange: "orders", ExchangeType: amqp.Topic, Queue: "billing", RoutingKey: "order.#",
		DeadLetterQueue: "billing.dead", ConcurrentConsumers: 4,
	}
	_, err := route.New(route.Config{
		Components: route.Components{"amqp": amqp.New(amqp.Options{URL: "amqp://one,amqp://two", Username: "billing"})},
	}, route.From(billing.URI()).To("amqp:default?queue=audit"))
	fmt.Println(billing.URI(), err)
	// Output:
	// amqp:orders?concurrentConsumers=4&deadLetterQueue=billing.dead&exchangeType=topic&queue=billing&routingKey=order.%23 <nil>
}
