//go:build unix

package brokers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mehari-go/mehari/components/sqlqueue"
	"github.com/mehari-go/mehari/route"
)

// Two consumers share a queue. One of them is killed with kill -9 again and again, and the other
// is asleep for a while, so that it loses what it holds: nothing is lost. Each is a process of its own that writes what it has worked on to a file.
func TestSQLQueueKilled(t *testing.T) {
	d := postgresDatabase(t)
	db := d.open(t)
	queue := sqlqueue.New(db, sqlqueue.Options{})
	if err := queue.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	n := count(20000)
	e := engine(t, route.Components{"q": queue})
	file := filepath.Join(t.TempDir(), "done")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	start := func() *exec.Cmd {
		self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSQLQueueKilledConsumer$")
		self.Env = append(os.Environ(), "MEHARI_QUEUE_DSN="+d.dsn("", ""), "MEHARI_QUEUE_FILE="+file)
		self.Stderr = os.Stderr
		if err := self.Start(); err != nil {
			t.Fatal(err)
		}
		return self
	}
	kill := func(c *exec.Cmd) {
		if err := c.Process.Kill(); err != nil {
			t.Error(err)
		}
		_ = c.Wait() // killed
	}
	lines := func() []string {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(text))
	}
	sending := make(chan time.Duration, 1)
	go func() {
		sending <- inParallel(8, n, func(i int) error { return e.Send(t.Context(), "q:kill", i) }, t)
	}()
	steady, victim := start(), start()
	kills := 0
	for ; kills < 4; kills++ {
		begun := len(lines())
		eventually(t, func() error {
			if done := len(lines()); done < begun+n/30 && done < n {
				return errors.New("nothing is done")
			}
			return nil
		})
		kill(victim)
		victim = start()
	}
	for _, signal := range []os.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := steady.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond)
	}
	defer kill(steady)
	defer kill(victim)
	t.Logf("%d sent in %v", n, <-sending)
	seen := map[string]int{}
	for end := time.Now().Add(3 * time.Minute); len(seen) < n && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		clear(seen)
		for _, line := range lines() {
			seen[line]++
		}
	}
	if len(seen) != n {
		t.Fatalf("%d of %d were worked on", len(seen), n)
	}
	twice := 0
	for _, times := range seen {
		twice += times - 1
	}
	t.Logf("%d messages, all worked on, through %d kills, %d times twice", n, kills, twice)
	eventually(t, func() error {
		if left := rows(t, db, "topic = 'kill'"); left != 0 {
			return fmt.Errorf("%d rows are left", left)
		}
		return nil
	})
}

// TestSQLQueueKilledConsumer is what the processes of TestSQLQueueKilled do.
func TestSQLQueueKilledConsumer(t *testing.T) {
	dsn := os.Getenv("MEHARI_QUEUE_DSN")
	if dsn == "" {
		t.Skip("it is a process of TestSQLQueueKilled")
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(os.Getenv("MEHARI_QUEUE_FILE"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	e, err := route.New(route.Config{Components: route.Components{"q": sqlqueue.New(db, sqlqueue.Options{})}, Logger: slog.New(slog.DiscardHandler)},
		route.From("q:kill?ackWait=1s&concurrentConsumers=4&batchSize=50&pollInterval=50ms").Process(func(_ context.Context, ex *route.Exchange) error {
			_, err := fmt.Fprintf(f, "%s\n", ex.Body)
			return err
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Fatal(e.Run(context.Background()))
}
