//go:build unix

package brokers

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/mehari-go/mehari/components/amqp"
	"github.com/mehari-go/mehari/components/awssqs"
	"github.com/mehari-go/mehari/components/kafka"
	"github.com/mehari-go/mehari/components/nats"
	"github.com/mehari-go/mehari/route"
)

// toKill are the consumers that killConsumers kills, by the name of the broker.
var toKill = map[string]func(url string) (route.Component, route.URI){
	"nats": func(url string) (route.Component, route.URI) {
		return nats.NewJetStream(nats.Options{URL: url}), "b:kill?durable=d&ackWait=1s&concurrentConsumers=4"
	},
	"kafka": func(url string) (route.Component, route.URI) {
		return kafka.New(kafka.Options{Brokers: []string{url}}), "b:kill?groupId=kill&autoOffsetReset=earliest&sessionTimeout=1s&commitInterval=100ms&concurrentConsumers=4"
	},
	"googlepubsub": func(address string) (route.Component, route.URI) {
		return pubSubAt(address), "b:kill?concurrentConsumers=4"
	},
	"redis": func(address string) (route.Component, route.URI) { return redisAt(address), "b:" + killRedis },
	"awssqs": func(url string) (route.Component, route.URI) {
		return awssqs.New(queues(url)), "b:kill?visibilityTimeout=3s&concurrentConsumers=4"
	},
	"amqp": func(url string) (route.Component, route.URI) {
		return amqp.New(amqp.Options{URL: url}), "b:default?queue=kill&concurrentConsumers=4"
	},
}

func TestKilledConsumersLoseNothing(t *testing.T) {
	_, url := natsServer(t, server.Options{})
	e := engine(t, route.Components{"js": nats.NewJetStream(nats.Options{URL: url})},
		route.From("js:kill?createStream=true&durable=unused").AutoStart(false))
	if err := e.Send(t.Context(), "js:kill?createStream=true", 0); err != nil {
		t.Fatal(err)
	}
	n := count(20000)
	killConsumers(t, "nats", url, n, func(i int) error {
		if i == 0 { // it has been sent
			return nil
		}
		return e.Send(t.Context(), "js:kill", i)
	})
}

// A consumer that is killed with kill -9 in mid-stream, again and again, loses nothing of the
// n messages that are sent. Each is a process of its own that writes what it has worked on to a
// file.
func killConsumers(t *testing.T, broker, url string, n int, send func(i int) error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "done")
	lines := func() (seen map[string]int, total int) {
		seen = map[string]int{}
		f, err := os.Open(file)
		if err != nil {
			return seen, 0
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); total++ {
			seen[s.Text()]++
		}
		return seen, total
	}
	sending := make(chan time.Duration, 1)
	go func() { sending <- inParallel(8, n, send, t) }()
	kills := 0
	for {
		self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
		self.Env = append(os.Environ(), "MEHARI_KILL_BROKER="+broker, "MEHARI_KILL_URL="+url, "MEHARI_KILL_FILE="+file)
		self.Stderr = os.Stderr
		if err := self.Start(); err != nil {
			t.Fatal(err)
		}
		_, before := lines()
		working := time.Now()
		var seen map[string]int
		var total int
		for {
			time.Sleep(20 * time.Millisecond)
			if seen, total = lines(); len(seen) == n || kills < 5 && total > before+n/10 {
				break
			}
			if time.Since(working) > 2*time.Minute {
				t.Fatalf("%d of %d after 2m", len(seen), n)
			}
		}
		if err := self.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = self.Wait()
		kills++
		if len(seen) == n {
			t.Logf("%d messages, all worked on, through %d kills, %d times twice", n, kills, total-n)
			break
		}
	}
	<-sending
	if kills < 3 {
		t.Errorf("%d kills only: the consumer is done too early", kills)
	}
}

// consumeUntilKilled is what the process to be killed does.
func consumeUntilKilled(broker, url, file string) {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	component, from := toKill[broker](url)
	e, err := route.New(route.Config{Components: route.Components{"b": component}, Logger: slog.New(slog.DiscardHandler)},
		route.From(from).Process(func(_ context.Context, ex *route.Exchange) error {
			_, err := fmt.Fprintf(f, "%s\n", ex.Body)
			return err
		}))
	if err != nil {
		panic(err)
	}
	panic(e.Run(context.Background()))
}

// atEnd are called when all tests have ended, for servers that they share.
var atEnd []func()

func TestMain(m *testing.M) {
	if broker := os.Getenv("MEHARI_KILL_BROKER"); broker != "" {
		consumeUntilKilled(broker, os.Getenv("MEHARI_KILL_URL"), os.Getenv("MEHARI_KILL_FILE"))
	}
	code := m.Run()
	for _, end := range atEnd {
		end()
	}
	os.Exit(code)
}
