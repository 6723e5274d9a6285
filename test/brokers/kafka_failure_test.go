//go:build linux

package brokers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/kafka"
	"github.com/mehari-go/mehari/route"
)

func TestKafkaKilledConsumersLoseNothing(t *testing.T) {
	k := kafkaServer(t)
	kafkaTopic(t, k, "kill", 4)
	e := engine(t, route.Components{"kafka": kafka.New(k.options())}, route.From("kafka:unused").AutoStart(false))
	killConsumers(t, "kafka", k.options().Brokers[0], count(20000), func(i int) error { return e.Send(t.Context(), "kafka:kill", i) })
}

// The broker goes away while messages flow, killed, and except in -short mode once more as it
// should, and comes back.
func TestKafkaBrokerRestarts(t *testing.T) {
	k := kafkaServer(t)
	kafkaTopic(t, k, "restart", 4)
	var seen [2000]atomic.Int32
	e := engine(t, route.Components{"kafka": kafka.New(k.options())},
		route.From("kafka:restart?groupId=restart&concurrentConsumers=4").Process(func(_ context.Context, ex *route.Exchange) error {
			var n int
			if _, err := fmt.Sscan(string(ex.Body.([]byte)), &n); err != nil {
				return err
			}
			seen[n].Add(1)
			return nil
		}))
	var restarting sync.WaitGroup
	for n := range seen {
		if stop := map[int]func(){len(seen) / 3: k.kill, 2 * len(seen) / 3: k.stop}[n]; stop != nil && (n < len(seen)/2 || !testing.Short()) {
			restarting.Wait()
			restarting.Go(func() {
				stop()
				if err := k.start(); err != nil {
					t.Error(err)
				}
			})
		}
		eventually(t, func() error { return e.Send(t.Context(), "kafka:restart", n) })
	}
	restarting.Wait()
	eventually(t, func() error {
		var missing []int
		for n := range seen {
			if seen[n].Load() == 0 {
				missing = append(missing, n)
			}
		}
		if len(missing) > 0 {
			return fmt.Errorf("%d did not come, the first is %d", len(missing), missing[0])
		}
		return nil
	})
}

// Who is refused is told so, without the password; the engine goes on. Who is not is let in.
func TestKafkaRefused(t *testing.T) {
	k := kafkaServer(t)
	kafkaTopic(t, k, "login", 1)
	for _, mechanism := range []kafka.Mechanism{kafka.Plain, kafka.ScramSHA256, kafka.ScramSHA512} {
		t.Run(string(mechanism), func(t *testing.T) {
			o := kafka.Options{Brokers: []string{fmt.Sprintf("127.0.0.1:%d", k.sasl)}, Mechanism: mechanism, Username: "user", Password: "wr0ng"}
			b := bridge{component: func() route.Component { return kafka.New(o) }}
			e, stop, err := b.start(route.From("b:login").ID("r"))
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, func() error {
				if s, _ := e.Status().Route("r"); s.LastFailure == nil {
					return errors.New("no failure")
				}
				return nil
			})
			s, _ := e.Status().Route("r")
			failure := fmt.Sprint(s.LastFailure.Err, e.Send(t.Context(), "b:login", 1))
			if strings.Count(failure, "SASL_AUTHENTICATION_FAILED") != 2 || strings.Contains(failure, "wr0ng") || s.Subscribed != nil && *s.Subscribed {
				t.Errorf("have %s", failure)
			}
			stop()
			o.Password = "right"
			got := make(chan any, 1)
			engine(t, route.Components{"b": kafka.New(o)}, route.From("b:login?groupId=g").Process(func(_ context.Context, ex *route.Exchange) error {
				got <- ex.Body
				return nil
			}))
			let := engine(t, route.Components{"b": kafka.New(o)}, route.From("b:login").AutoStart(false))
			if err := let.Send(t.Context(), "b:login", "x"); err != nil {
				t.Fatal(err)
			}
			<-got
		})
	}
}

// Members join and leave while messages flow. Nothing is lost and nothing comes twice, and the
// messages of one key come in their order.
func TestKafkaMembersComeAndGo(t *testing.T) {
	k := kafkaServer(t)
	kafkaTopic(t, k, "members", 6)
	const keys, each = 12, 100
	var mu sync.Mutex
	seen := map[string][]int{}
	member := func() (stop func()) {
		b := kafkaTopics(k, "members", 6)
		e, stop, err := b.start(route.From("b:members?groupId=members&autoOffsetReset=earliest&concurrentConsumers=3&prefetch=5&sessionTimeout=3s").
			Process(func(_ context.Context, ex *route.Exchange) error {
				var n int
				_, err := fmt.Sscan(string(ex.Body.([]byte)), &n)
				key, _ := kafka.Key.Get(ex)
				time.Sleep(time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				seen[key] = append(seen[key], n)
				return err
			}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		if err := subscribed(e); err != nil {
			t.Fatal(err)
		}
		return stop
	}
	e := engine(t, route.Components{"kafka": kafka.New(k.options())}, route.From("kafka:unused").AutoStart(false))
	always := member()
	var sending sync.WaitGroup
	for key := range keys {
		sending.Go(func() {
			for i := range each {
				if err := e.Send(t.Context(), "kafka:members?keyHeader=k", i, route.WithHeader("k", fmt.Sprint("key ", key))); err != nil {
					t.Error(err)
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	for round := range 3 {
		guest := member()
		time.Sleep(300 * time.Millisecond)
		if round == 1 { // the one that was there first goes
			guest, always = always, guest
		}
		guest()
	}
	sending.Wait()
	eventually(t, func() error {
		mu.Lock()
		defer mu.Unlock()
		for key := range keys {
			if n := len(seen[fmt.Sprint("key ", key)]); n < each {
				return fmt.Errorf("of key %d came %d", key, n)
			}
		}
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	for key, of := range seen {
		if len(of) != each || !slices.IsSorted(of) {
			t.Errorf("%s: %v", key, of)
		}
	}
}
