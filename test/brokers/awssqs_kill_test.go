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

	"github.com/mehari-go/mehari/components/awssqs"
	"github.com/mehari-go/mehari/route"
)

// Consumers of a queue of SQS that are killed with kill -9 in mid-stream lose nothing.
func TestKilledSQSConsumersLoseNothing(t *testing.T) {
	if url := os.Getenv("MEHARI_KILL_SQS"); url != "" {
		consumeSQSUntilKilled(url, os.Getenv("MEHARI_KILL_FILE"))
	}
	url := newElasticMQ(t, false).url()
	n := count(600)
	e := engine(t, route.Components{"sqs": awssqs.New(queues(url))}, route.From("sqs:kill?autoCreateQueue=true").AutoStart(false))
	if err := e.Send(t.Context(), "sqs:kill?autoCreateQueue=true", 0); err != nil {
		t.Fatal(err)
	}
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
	go func() {
		sending <- inParallel(8, n-1, func(i int) error { return e.Send(t.Context(), "sqs:kill", i+1) }, t)
	}()
	kills := 0
	for {
		self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledSQSConsumersLoseNothing$")
		self.Env = append(os.Environ(), "MEHARI_KILL_SQS="+url, "MEHARI_KILL_FILE="+file)
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

// consumeSQSUntilKilled is what the process to be killed does.
func consumeSQSUntilKilled(url, file string) {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	e, err := route.New(route.Config{Components: route.Components{"sqs": awssqs.New(queues(url))}, Logger: slog.New(slog.DiscardHandler)},
		route.From("sqs:kill?visibilityTimeout=3s&concurrentConsumers=4").Process(func(_ context.Context, ex *route.Exchange) error {
			_, err := fmt.Fprintf(f, "%s\n", ex.Body)
			return err
		}))
	if err != nil {
		panic(err)
	}
	panic(e.Run(context.Background()))
}
