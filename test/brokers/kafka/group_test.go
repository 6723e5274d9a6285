package kafka_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/mehari-go/mehari/components/kafka"
	"github.com/mehari-go/mehari/route"
)

func TestWhereAGroupBegins(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		options     string
		first, then []string // what comes in the first run, and in a second one
	}{
		{"groupId=e&autoOffsetReset=earliest", []string{"old", "new"}, []string{"between", "newer"}},
		{"groupId=l", []string{"new"}, []string{"between", "newer"}},
		{"autoOffsetReset=earliest", []string{"old", "new"}, []string{"old", "new", "between", "newer"}},
		{"", []string{"new"}, []string{"newer"}},
	} {
		t.Run(tt.options, func(t *testing.T) {
			_, o := cluster(t, kfake.SeedTopics(2, "t"))
			s := sender(t, o)
			send(t, s, "kafka:t", "old")
			for run, want := range [][]string{tt.first, tt.then} {
				var k taken
				a := start(t, o, route.From(route.URI("kafka:t?"+tt.options)).Process(k.process)).subscribed(t)
				send(t, s, "kafka:t", []string{"new", "newer"}[run])
				k.wait(t, len(want))
				if err := a.stop(); err != nil {
					t.Fatal(err)
				}
				if all := k.all(); !slices.Equal(sorted(all), sorted(want)) {
					t.Errorf("run %d: came %v, want %v", run, all, want)
				}
				send(t, s, "kafka:t", "between")
			}
		})
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

// A group that begins at the latest knows where from the start: what is sent before it has
// worked on anything is not jumped over, nor what is in partitions that come later.
func TestLatestIsAPlace(t *testing.T) {
	t.Parallel()
	_, o := cluster(t, kfake.SeedTopics(2, "t"))
	s := sender(t, o)
	send(t, s, "kafka:t", "old")
	hang := make(chan struct{})
	first := start(t, o, route.From("kafka:t?groupId=g").Process(func(context.Context, *route.Exchange) error { <-hang; return errTest })).subscribed(t)
	for i := range 10 {
		send(t, s, "kafka:t", i, route.WithHeader("CamelKafkaPartitionKey", i%2))
	}
	close(hang)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := kadm.NewClient(client(t, o)).CreatePartitions(t.Context(), 1, "t"); err != nil {
		t.Fatal(err)
	}
	send(t, sender(t, o), "kafka:t", "added", route.WithHeader("CamelKafkaPartitionKey", 2))
	var k taken
	start(t, o, route.From("kafka:t?groupId=g").Process(k.process))
	k.wait(t, 11)
	if all := k.all(); len(all) != 11 || slices.Contains(all, "old") {
		t.Errorf("came %v", all)
	}
}

// Partitions that are added while a route runs are read from their beginning.
func TestAddedPartitions(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"", "&groupId=g"} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			_, o := cluster(t, kfake.SeedTopics(1, "t"))
			var k taken
			start(t, o, route.From(route.URI("kafka:t?metadataMaxAge=1s"+options)).Process(k.process)).subscribed(t)
			if _, err := kadm.NewClient(client(t, o)).CreatePartitions(t.Context(), 1, "t"); err != nil {
				t.Fatal(err)
			}
			s := sender(t, o)
			send(t, s, "kafka:t", "added", route.WithHeader("CamelKafkaPartitionKey", 1))
			k.wait(t, 1)
		})
	}
}

// A route that stops stores its place and leaves the group, and what it took in advance is
// with the next member at once: nothing comes twice, and nobody waits for the session to end.
func TestStopHandsOver(t *testing.T) {
	t.Parallel()
	_, o := cluster(t, kfake.SeedTopics(3, "t"))
	s := sender(t, o)
	var k taken
	const from = "kafka:t?groupId=g&autoOffsetReset=earliest&commitInterval=1h&sessionTimeout=4m&concurrentConsumers=3"
	for i := range 300 {
		send(t, s, "kafka:t", i)
	}
	first := start(t, o, route.From(from).Process(func(ctx context.Context, ex *route.Exchange) error {
		if len(k.all()) > 50 {
			time.Sleep(20 * time.Millisecond)
		}
		return k.process(ctx, ex)
	}))
	k.wait(t, 55)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	start(t, o, route.From(from).Process(k.process))
	k.wait(t, 300)
	if n := len(k.all()); n != 300 {
		t.Errorf("%d came, want 300", n)
	}
	if d := time.Since(begun); d > 20*time.Second {
		t.Errorf("the hand-over took %v", d)
	}
}

// Members come and go while messages flow. Nothing is lost, nothing comes twice where the
// messages of a partition are worked on one after the other, and the messages of one key come
// in their order.
func TestMembersComeAndGo(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"", "&keyHeader=CamelKafkaKey"} {
		t.Run(options, func(t *testing.T) { comeAndGo(t, options) })
	}
}

func comeAndGo(t *testing.T, options string) {
	t.Parallel()
	_, o := cluster(t, kfake.SeedTopics(6, "t"))
	s := sender(t, o)
	const keys, each = 10, 40
	var mu sync.Mutex
	seen := map[string][]int{}
	working := map[string]bool{}
	member := func() application {
		return start(t, o, route.From(route.URI("kafka:t?groupId=g&autoOffsetReset=earliest&concurrentConsumers=3&prefetch=4"+options)).
			Process(func(_ context.Context, ex *route.Exchange) error {
				key, _ := kafka.Key.Get(ex)
				var n int
				_, err := fmt.Sscan(string(ex.Body.([]byte)), &n)
				mu.Lock()
				if working[key] {
					t.Errorf("%s is worked on twice at a time", key)
				}
				working[key] = true
				mu.Unlock()
				time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				working[key] = false
				seen[key] = append(seen[key], n)
				return err
			}))
	}
	var sending sync.WaitGroup
	for k := range keys {
		sending.Go(func() {
			for i := range each {
				send(t, s, "kafka:t?keyHeader=k", i, route.WithHeader("k", fmt.Sprint("key ", k)))
				time.Sleep(time.Duration(rand.IntN(6)) * time.Millisecond)
			}
		})
	}
	count := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, of := range seen {
			n += len(slices.Compact(slices.Sorted(slices.Values(of))))
		}
		return n
	}
	always := member()
	for round := range 4 {
		guest := member().subscribed(t)
		eventually(t, func() error {
			if n := count(); n < (round+1)*keys*each/6 {
				return fmt.Errorf("%d came", n)
			}
			return nil
		})
		if round == 1 { // the one that was there first goes
			guest, always = always, guest
		}
		if err := guest.stop(); err != nil {
			t.Fatal(err)
		}
	}
	sending.Wait()
	eventually(t, func() error {
		if n := count(); n < keys*each {
			return fmt.Errorf("%d of %d came", n, keys*each)
		}
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	for key, of := range seen {
		if repeats := len(of) - each; repeats > 0 {
			t.Logf("%s: %d came twice", key, repeats)
			if options == "" {
				t.Errorf("%s: %v", key, of)
			}
		}
		for i, n := range of { // a repeat begins again where the other member was
			if i > 0 && n > of[i-1]+1 {
				t.Errorf("%s: %v", key, of)
			}
		}
	}
}

// What does not finish while partitions change hands is not waited for beyond half of the
// rebalance timeout, and is not committed: it comes again.
func TestRebalanceDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	_, o := cluster(t, kfake.SeedTopics(2, "t"))
	s := sender(t, o)
	hang := make(chan struct{})
	defer close(hang)
	var k taken
	const from = "kafka:t?groupId=g&autoOffsetReset=earliest&rebalanceTimeout=1s&sessionTimeout=1s&concurrentConsumers=2"
	started := make(chan struct{}, 2)
	start(t, o, route.From(from).Process(func(context.Context, *route.Exchange) error {
		started <- struct{}{}
		<-hang
		return nil
	}))
	for p := range 2 {
		send(t, s, "kafka:t", fmt.Sprint("slow ", p), route.WithHeader("CamelKafkaPartitionKey", p))
		<-started
	}
	start(t, o, route.From(from).Process(k.process))
	k.wait(t, 1) // one of the partitions
	if at := place(t, o, "g", "t", 0) + place(t, o, "g", "t", 1); at > 0 {
		t.Errorf("places are %d in total, and no more than one is done", at)
	}
}
