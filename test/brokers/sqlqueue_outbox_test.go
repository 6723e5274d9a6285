//go:build unix

package brokers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/mehari-go/mehari/components/direct"
	"github.com/mehari-go/mehari/components/nats"
	msql "github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/components/sqlqueue"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// The transactional outbox, end to end: replicas insert orders and send each to a queue in one
// transaction, of which every tenth is rolled back, and one of them at a time carries the queue
// over to JetStream. They are killed with kill -9 at random moments. In the end JetStream has a
// message for each order that is in the table, in the order of each writer, and none for others.
func TestSQLQueueOutbox(t *testing.T) {
	d := postgresDatabase(t)
	_, url := natsServer(t, server.Options{})
	db := d.open(t)
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE orders (id VARCHAR(50) PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	if err := sqlqueue.New(db, sqlqueue.Options{}).Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got collected
	engine(t, route.Components{"js": nats.NewJetStream(nats.Options{URL: url})},
		route.From("js:orders?createStream=true&durable=d").Process(got.Process))

	replica := func(name string, writes bool) *exec.Cmd {
		self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSQLQueueOutboxReplica$")
		self.Env = append(os.Environ(), "MEHARI_OUTBOX_REPLICA="+name, "MEHARI_OUTBOX_DSN="+d.dsn("", ""), "MEHARI_OUTBOX_NATS="+url, "MEHARI_OUTBOX_WRITES="+strconv.FormatBool(writes))
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
	kills := 40
	if testing.Short() {
		kills = 5
	}
	running := []*exec.Cmd{replica("r0", true), replica("r1", true)}
	for n := range kills {
		before := len(got.list())
		eventually(t, func() error { // killed at work
			if len(got.list()) < before+20 {
				return errors.New("nothing comes")
			}
			return nil
		})
		time.Sleep(rand.N(300 * time.Millisecond))
		victim := rand.N(len(running))
		kill(running[victim])
		running[victim] = replica(fmt.Sprintf("r%d", n+2), true)
	}
	for _, c := range running {
		kill(c)
	}
	last := replica("last", false)
	defer kill(last)

	var want []string
	eventually(t, func() error {
		var orders, queued int
		if err := db.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM orders), (SELECT COUNT(*) FROM mehari_queue)").Scan(&orders, &queued); err != nil {
			return err
		}
		if list := got.list(); queued > 0 || len(list) < orders {
			return fmt.Errorf("%d of %d came, %d wait", len(list), orders, queued)
		}
		return nil
	})
	rows, err := db.QueryContext(t.Context(), "SELECT id FROM orders")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		want = append(want, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	list := got.list()
	latest := map[string]int{}
	for _, id := range list {
		writer, number, _ := strings.Cut(id, "/")
		n, err := strconv.Atoi(number)
		if err != nil || n <= latest[writer] {
			t.Errorf("%s comes after %d: %v", id, latest[writer], err)
		}
		latest[writer] = n
	}
	slices.Sort(want)
	slices.Sort(list)
	if !slices.Equal(list, want) {
		t.Errorf("%d messages for %d orders", len(list), len(want))
	}
	t.Logf("%d orders, through %d kills: each has its message, once, in the order of its writer", len(want), kills+len(running))
}

// TestSQLQueueOutboxReplica is what the processes of TestSQLQueueOutbox do.
func TestSQLQueueOutboxReplica(t *testing.T) {
	name := os.Getenv("MEHARI_OUTBOX_REPLICA")
	if name == "" {
		t.Skip("it is a process of TestSQLQueueOutbox")
	}
	db, err := sql.Open("pgx", os.Getenv("MEHARI_OUTBOX_DSN"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := route.New(
		route.Config{
			Components: route.Components{
				"direct": direct.New(), "sql": msql.New(map[string]*sql.DB{"shop": db}),
				"sqlqueue": sqlqueue.New(db, sqlqueue.Options{}), "js": nats.NewJetStream(nats.Options{URL: os.Getenv("MEHARI_OUTBOX_NATS")}),
			},
			Logger: slog.New(slog.DiscardHandler),
		},
		route.From("direct:order").Transacted(msql.Transaction(db), route.Do().
			To("sql:insert into orders (id) values (:#${body})").
			To("sqlqueue:outbox").
			Process(func(_ context.Context, ex *route.Exchange) error {
				if strings.HasSuffix(ex.Body.(string), "3") {
					return errors.New("rolled back")
				}
				return nil
			})),
		route.From("sqlqueue:outbox?ordered=true&ackWait=1s&pollInterval=50ms").To("js:orders?deduplicate=true"),
	)
	if err != nil {
		t.Fatal(err)
	}
	if writes := os.Getenv("MEHARI_OUTBOX_WRITES"); writes == "true" {
		for w := range 4 {
			go func() {
				for n := 1; ; n++ {
					_ = e.Send(context.Background(), "direct:order", fmt.Sprintf("%s.%d/%d", name, w, n)) // every tenth fails
					time.Sleep(20 * time.Millisecond)                                                     // the other route is to keep up
				}
			}()
		}
	}
	t.Fatal(e.Run(context.Background()))
}

// What is sent within a transaction is there when that is committed, and never if it is rolled
// back; what is sent within one of another database is there at once.
func testSQLQueueTransaction(t *testing.T, db *sql.DB) {
	var got collected
	fail := errors.New("fails")
	boom := func(context.Context, *route.Exchange) error { return fail }
	var waits atomic.Bool
	seen := make(chan struct{})
	look := func(context.Context, *route.Exchange) error {
		if !waits.Load() {
			return nil
		}
		select {
		case <-seen:
		case <-time.After(20 * time.Second):
		}
		return nil
	}
	e := routetest.Run(t, route.Config{Components: route.Components{"q": newQueue(db), "direct": direct.New()}, Logger: slog.New(slog.DiscardHandler)},
		route.From("q:transaction?pollInterval=1h").Process(got.Process).Process(func(context.Context, *route.Exchange) error {
			if waits.Load() {
				close(seen)
			}
			return nil
		}),
		route.From("direct:commit").Transacted(msql.Transaction(db), route.Do().To("direct:inner").To("q:transaction")),
		route.From("direct:inner").Transacted(msql.Transaction(db), route.Do().To("q:transaction")),
		route.From("direct:rollback").Transacted(msql.Transaction(db), route.Do().To("q:transaction").Process(boom)),
		route.From("direct:own").Transacted(own{db}, route.Do().To("q:transaction").Process(boom)),
		route.From("direct:stranger").Transacted(stranger{}, route.Do().To("q:transaction").Process(look).Process(boom)),
	)
	give := func(to, body string, want error) {
		t.Helper()
		if err := e.Send(t.Context(), route.URI("direct:"+to), body); !errors.Is(err, want) {
			t.Errorf("%s: %v", to, err)
		}
	}
	give("rollback", "1", fail)
	give("own", "2", fail)
	give("commit", "3", nil) // and the bell rings when the exchange is done: there is no poll for an hour
	got.wait(t, "3", "3")
	waits.Store(true)
	give("stranger", "4", fail)
	got.wait(t, "3", "3", "4")
}

// own is a transaction that tells its database.
type own struct{ db *sql.DB }

func (o own) Begin(ctx context.Context) (route.Tx, error) { return o.db.BeginTx(ctx, nil) }
func (o own) Database() *sql.DB                           { return o.db }

// stranger is one that has nothing to do with a database.
type stranger struct{}

func (stranger) Begin(context.Context) (route.Tx, error) { return nothing{}, nil }

type nothing struct{}

func (nothing) Commit() error   { return nil }
func (nothing) Rollback() error { return nil }
