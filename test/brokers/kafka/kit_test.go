// Package kafka_test tests components/kafka on brokers that run within the test.
package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mehari-go/mehari/components/kafka"
	"github.com/mehari-go/mehari/route"
)

// cluster runs brokers in this process. test/brokers has a real one.
func cluster(t testing.TB, opts ...kfake.Opt) (*kfake.Cluster, kafka.Options) {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, kafka.Options{Brokers: c.ListenAddrs(), ConnectTimeout: 5 * time.Second, Client: []kgo.Opt{kgo.FetchMaxWait(20 * time.Millisecond)}}
}

// client is one that knows nothing of us.
func client(t testing.TB, o kafka.Options, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(o.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// An application is an engine that the test ends when it likes.
type application struct {
	*route.Engine
	stop func() error
}

// start runs routes whose endpoints have the scheme kafka.
func start(t testing.TB, o kafka.Options, routes ...*route.Route) application {
	t.Helper()
	e, err := route.New(route.Config{
		Components: route.Components{"kafka": kafka.New(o)}, Logger: slog.New(slog.DiscardHandler), Poison: true,
		Restart: route.Backoff{Delay: 20 * time.Millisecond, Max: 100 * time.Millisecond}, Drain: 10 * time.Second,
	}, routes...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	stop := sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return application{e, stop}
}

// subscribed waits until all routes are.
func (a application) subscribed(t testing.TB) application {
	t.Helper()
	eventually(t, func() error {
		for _, r := range a.Status().Routes {
			if r.AutoStart && (r.Subscribed == nil || !*r.Subscribed) {
				return fmt.Errorf("%s is not subscribed: %+v", r.ID, r.LastFailure)
			}
		}
		return nil
	})
	return a
}

// sender is an application that sends.
func sender(t testing.TB, o kafka.Options) application {
	t.Helper()
	return start(t, o, route.From("kafka:unused").AutoStart(false).To("kafka:unused"))
}

func send(t testing.TB, a application, to route.URI, body any, options ...route.SendOption) {
	t.Helper()
	if err := a.Send(t.Context(), to, body, options...); err != nil {
		t.Error(err)
	}
}

func eventually(t testing.TB, check func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if err = check(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

// taken is what routes have worked on.
type taken struct {
	mu     sync.Mutex
	bodies []string
	count  map[string]int
}

func (k *taken) process(_ context.Context, ex *route.Exchange) error {
	body, _ := ex.Body.([]byte)
	k.add(string(body))
	return nil
}

func (k *taken) add(body string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.count == nil {
		k.count = map[string]int{}
	}
	k.bodies = append(k.bodies, body)
	k.count[body]++
}

func (k *taken) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.bodies...)
}

// wait waits for n different messages.
func (k *taken) wait(t testing.TB, n int) {
	t.Helper()
	eventually(t, func() error {
		k.mu.Lock()
		defer k.mu.Unlock()
		if len(k.count) < n {
			return fmt.Errorf("%d of %d came", len(k.count), n)
		}
		return nil
	})
}

// place returns where a group is in a partition, -1 where it is nowhere.
func place(t testing.TB, o kafka.Options, group, topic string, partition int32) int64 {
	t.Helper()
	all, err := kadm.NewClient(client(t, o)).FetchOffsets(t.Context(), group)
	if err != nil {
		t.Fatal(err)
	}
	at, ok := all.Lookup(topic, partition)
	if !ok {
		return -1
	}
	return at.At
}

var errTest = errors.New("not today")
