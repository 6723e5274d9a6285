//go:build unix

package brokers

import (
	"testing"

	"github.com/mehari-go/mehari/components/awssqs"
	"github.com/mehari-go/mehari/route"
)

// Consumers of a queue of SQS that are killed with kill -9 in mid-stream lose nothing.
func TestKilledSQSConsumersLoseNothing(t *testing.T) {
	url := newElasticMQ(t, false).url()
	e := engine(t, route.Components{"sqs": awssqs.New(queues(url))}, route.From("sqs:kill?autoCreateQueue=true").AutoStart(false))
	if err := e.Send(t.Context(), "sqs:kill?autoCreateQueue=true", 0); err != nil {
		t.Fatal(err)
	}
	killConsumers(t, "awssqs", url, count(600), func(i int) error {
		if i == 0 { // it has been sent
			return nil
		}
		return e.Send(t.Context(), "sqs:kill", i)
	})
}
