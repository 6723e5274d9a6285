//go:build unix

package brokers

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/route"
)

// A consumer of a group that is killed with kill -9 in mid-stream, again and again, loses
// nothing, and leaves no names in the group. Each is a process of its own, which runs this
// test too and writes what it has worked on to a file.
func TestRedisKilledConsumersLoseNothing(t *testing.T) {
	const from = "redis:kill?consumerGroup=g&maxIdle=1s&claimInterval=100ms&concurrentConsumers=4"
	if address := os.Getenv("MEHARI_KILL_REDIS"); address != "" {
		f, err := os.OpenFile(os.Getenv("MEHARI_KILL_FILE"), os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		e, err := route.New(route.Config{Components: route.Components{"redis": redisAt(address)}, Logger: slog.New(slog.DiscardHandler)},
			route.From(from).Process(func(_ context.Context, ex *route.Exchange) error {
				_, err := fmt.Fprintf(f, "%s\n", ex.Body)
				return err
			}))
		if err != nil {
			t.Fatal(err)
		}
		t.Fatal(e.Run(context.Background()))
	}
	address, c := newRedis(t, "--appendfsync", "no")
	n := count(20000)
	file := filepath.Join(t.TempDir(), "done")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	lines := func() (seen map[string]int, total int) {
		seen = map[string]int{}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			seen[string(line)]++
			total++
		}
		return seen, total
	}
	e := engine(t, route.Components{"redis": redisAt(address)}, route.From("redis:unused").AutoStart(false))
	sending := make(chan time.Duration, 1)
	go func() {
		sending <- inParallel(8, n, func(i int) error { return e.Send(t.Context(), "redis:kill", i) }, t)
	}()
	kills := 0
	var seen map[string]int
	for total := 0; len(seen) < n; kills++ {
		self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRedisKilledConsumersLoseNothing$")
		self.Env = append(os.Environ(), "MEHARI_KILL_REDIS="+address, "MEHARI_KILL_FILE="+file)
		if err := self.Start(); err != nil {
			t.Fatal(err)
		}
		_, before := lines()
		for working := time.Now(); ; time.Sleep(20 * time.Millisecond) {
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
		if len(seen) == n {
			t.Logf("%d messages, all worked on, through %d kills, %d times twice", n, kills+1, total-n)
		}
	}
	<-sending
	if kills < 3 {
		t.Errorf("%d kills only: the consumer is done too early", kills)
	}
	// One that lives takes what the dead have left, and removes their names.
	if err := e.Add(route.From(from).Process(func(context.Context, *route.Exchange) error { return nil })); err != nil {
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
