//go:build unix

package brokers

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/mehari-go/mehari/route"
)

const killRedis = "kill?consumerGroup=g&maxIdle=1s&claimInterval=100ms&concurrentConsumers=4"

// A consumer of a group that is killed loses nothing, and leaves no names in the group.
func TestRedisKilledConsumersLoseNothing(t *testing.T) {
	address, c := newRedis(t, "--appendfsync", "no")
	e := engine(t, route.Components{"redis": redisAt(address)}, route.From("redis:unused").AutoStart(false))
	killConsumers(t, "redis", address, count(20000), func(i int) error { return e.Send(t.Context(), "redis:kill", i) })
	// One that lives takes what the dead have left, and removes their names.
	if err := e.Add(route.From("redis:" + killRedis).Process(func(context.Context, *route.Exchange) error { return nil })); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		var names []string
		for _, consumer := range consumersOf(t, c, "kill", "g") {
			names = append(names, consumer.Name)
		}
		if len(names) != 1 {
			return fmt.Errorf("the consumers are %s", strings.Join(names, ", "))
		}
		return nil
	})
}
