package kafka_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/mehari-go/mehari/components/kafka"
	"github.com/mehari-go/mehari/route"
)

// Partitions are worked on at the same time, and each in its order.
func TestPartitionsInParallel(t *testing.T) {
	t.Parallel()
	_, o := cluster(t, kfake.SeedTopics(4, "t"))
	var mu sync.Mutex
	seen := map[int32][]string{}
	var now, most atomic.Int32
	together := make(chan struct{})
	a := start(t, o, route.From("kafka:t?groupId=g&concurrentConsumers=4").Process(func(_ context.Context, ex *route.Exchange) error {
		if n := now.Add(1); n == 4 && most.Swap(4) < 4 {
			close(together)
		}
		defer now.Add(-1)
		select {
		case <-together:
		case <-time.After(30 * time.Second):
		}
		p, _ := kafka.Partition.Get(ex)
		mu.Lock()
		defer mu.Unlock()
		seen[p] = append(seen[p], string(ex.Body.([]byte)))
		return nil
	})).subscribed(t)
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprint(i))
		for p := range 4 {
			send(t, a, "kafka:t", i, route.WithHeader("CamelKafkaPartitionKey", p))
		}
	}
	eventually(t, func() error {
		mu.Lock()
		defer mu.Unlock()
		for p := range int32(4) {
			if !slices.Equal(seen[p], want) {
				return fmt.Errorf("partition %d has %v", p, seen[p])
			}
		}
		return nil
	})
	if most.Load() != 4 {
		t.Error("the partitions were not worked on together")
	}
}

// Messages of one partition are worked on at the same time where their keys are different,
// and those of one key in their order, failures included. What is behind one that is not
// done is not committed.
func TestKeysInParallel(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"CamelKafkaKey", "ID"} {
		t.Run(header, func(t *testing.T) {
			_, o := cluster(t, kfake.SeedTopics(1, "t"))
			var mu sync.Mutex
			seen := map[string][]string{}
			held := make(chan struct{})
			var failed atomic.Int32
			a := start(t, o, route.From(route.URI("kafka:t?groupId=g&redeliveryDelay=1ms&commitInterval=100ms&concurrentConsumers=16&keyHeader="+header)).
				Process(func(_ context.Context, ex *route.Exchange) error {
					key, _ := kafka.Key.Get(ex)
					body := string(ex.Body.([]byte))
					if key == "held" {
						<-held
					}
					if strings.HasSuffix(body, "3") && failed.Add(1)%3 != 0 {
						return errTest
					}
					mu.Lock()
					defer mu.Unlock()
					seen[key] = append(seen[key], body)
					return nil
				})).subscribed(t)
			release := sync.OnceFunc(func() { close(held) })
			defer release()
			send(t, a, "kafka:t?keyHeader=id", "first", route.WithHeader("id", "before"))
			send(t, a, "kafka:t?keyHeader=id", "held", route.WithHeader("id", "held"))
			var want []string
			keys := []string{"a", "b", "c", "d", "e", "f", "g"}
			for i := range 20 {
				want = append(want, fmt.Sprint(i))
				for _, key := range keys {
					send(t, a, "kafka:t?keyHeader=id", i, route.WithHeader("id", key))
				}
			}
			eventually(t, func() error {
				mu.Lock()
				defer mu.Unlock()
				done := 0
				for _, key := range keys {
					if slices.Equal(seen[key], want) {
						done++
					} else if len(seen[key]) > 0 && !slices.Equal(seen[key], want[:len(seen[key])]) {
						return fmt.Errorf("%s: %v", key, seen[key])
					}
				}
				if done < len(keys)-2 { // one or two may share the lane of the one that is held
					return fmt.Errorf("%d keys are through: %v", done, seen)
				}
				return nil
			})
			eventually(t, func() error {
				if at := place(t, o, "g", "t", 0); at != 1 {
					return fmt.Errorf("committed up to %d, want 1", at)
				}
				return nil
			})
			release()
			eventually(t, func() error {
				if at := place(t, o, "g", "t", 0); at != int64(2+20*len(keys)) {
					return fmt.Errorf("committed up to %d, want all", at)
				}
				return nil
			})
			mu.Lock()
			defer mu.Unlock()
			for _, key := range keys {
				if !slices.Equal(seen[key], want) {
					t.Errorf("%s: %v", key, seen[key])
				}
			}
		})
	}
}

// A message that cannot succeed holds up its partition, and no other.
func TestPoisonHoldsUpItsPartition(t *testing.T) {
	t.Parallel()
	_, o := cluster(t, kfake.SeedTopics(2, "t"))
	var k taken
	var poison atomic.Bool
	poison.Store(true)
	a := start(t, o, route.From("kafka:t?groupId=g&prefetch=5&redeliveryDelay=2ms&concurrentConsumers=2").Process(func(ctx context.Context, ex *route.Exchange) error {
		if string(ex.Body.([]byte)) == "poison" && poison.Load() {
			return errTest
		}
		return k.process(ctx, ex)
	})).subscribed(t)
	const n = 60
	send(t, a, "kafka:t", "poison", route.WithHeader("CamelKafkaPartitionKey", 0))
	for i := range n {
		send(t, a, "kafka:t", fmt.Sprint("behind ", i), route.WithHeader("CamelKafkaPartitionKey", 0))
		send(t, a, "kafka:t", fmt.Sprint("beside ", i), route.WithHeader("CamelKafkaPartitionKey", 1))
	}
	k.wait(t, n)
	for _, body := range k.all() {
		if !strings.HasPrefix(body, "beside") {
			t.Errorf("%s came", body)
		}
	}
	poison.Store(false)
	k.wait(t, 2*n+1)
	if bodies := k.all(); len(bodies) != 2*n+1 {
		t.Errorf("%d came, want %d", len(bodies), 2*n+1)
	}
}
