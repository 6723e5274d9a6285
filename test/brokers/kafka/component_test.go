package kafka_test

import (
	"io"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/mehari-go/mehari/components/kafka"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestComponent(t *testing.T) {
	_, o := cluster(t, kfake.SeedTopics(3, "t"))
	routetest.TestComponent(t, routetest.Harness{
		New:      func() route.Component { return kafka.New(o) },
		Close:    func(c route.Component) { _ = c.(io.Closer).Close() },
		Consumer: "kafka:t?redeliveryDelay=1ms&groupId=g&autoOffsetReset=earliest",
		Producer: "kafka:t",
	})
}
