//go:build unix

package brokers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/mehari-go/mehari/components/sqlqueue"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

func TestSQLQueue(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *database{
		"sqlite": sqliteDatabase, "postgres": postgresDatabase, "mariadb": mariadbDatabase,
	} {
		t.Run(name, func(t *testing.T) {
			d := start(t)
			db := d.open(t)
			if err := sqlqueue.New(db, sqlqueue.Options{}).Create(t.Context()); err != nil {
				t.Fatal(err)
			}
			t.Run("component", func(t *testing.T) { testSQLQueueComponent(t, d) })
			for _, test := range []struct {
				name string
				run  func(*testing.T, *sql.DB)
			}{
				{"round trip", testSQLQueueRoundTrip},
				{"suite", testSQLQueueSuite},
				{"suite in order", testSQLQueueOrderedSuite},
				{"transaction", testSQLQueueTransaction},
				{"groups", testSQLQueueGroups},
				{"many", testSQLQueueMany},
				{"acknowledge", testSQLQueueAcknowledge},
				{"delay", testSQLQueueDelay},
				{"dead letter", testSQLQueueDeadLetter},
				{"turns", testSQLQueueTurns},
				{"retain", testSQLQueueRetain},
				{"create", testSQLQueueCreate},
				{"strangers", testSQLQueueStrangers},
				{"gives back", testSQLQueueGivesBack},
				{"slow", testSQLQueueSlow},
			} {
				t.Run(test.name, func(t *testing.T) { test.run(t, db) })
			}
			for name, db := range d.others(t) {
				t.Run(name, func(t *testing.T) {
					testSQLQueueRoundTrip(t, db)
					testSQLQueueTransaction(t, db)
					testSQLQueueTurns(t, db)
				})
			}
			t.Run("throughput", func(t *testing.T) { testSQLQueueThroughput(t, d.driver, db) })
			if d.server != nil {
				t.Run("restart", func(t *testing.T) { testSQLQueueRestart(t, d) })
				t.Run("refused", func(t *testing.T) { testSQLQueueRefused(t, d) })
			}
		})
	}
}

func newQueue(db *sql.DB) route.Component { return sqlqueue.New(db, sqlqueue.Options{}) }

func sqlQueue(db *sql.DB, options string) bridge {
	return bridge{
		component: func() route.Component { return newQueue(db) },
		from: func(topic string) route.URI {
			return route.URI("b:" + url.PathEscape(topic) + "?redeliveryDelay=-1ms&pollInterval=50ms" + options)
		},
		to: func(topic string) route.URI { return route.URI("b:" + url.PathEscape(topic)) },
	}
}

// A component has a pool of its own here: connections are goroutines, which are counted.
func testSQLQueueComponent(t *testing.T, d *database) {
	pools := map[route.Component]*sql.DB{}
	routetest.TestComponent(t, routetest.Harness{
		New: func() route.Component {
			db, err := sql.Open(d.driver, d.dsn("", ""))
			if err != nil {
				t.Fatal(err)
			}
			c := newQueue(db)
			pools[c] = db
			return c
		},
		Close: func(c route.Component) {
			if err := pools[c].Close(); err != nil {
				t.Error(err)
			}
		},
		Consumer: "sqlqueue:component?redeliveryDelay=-1ms&pollInterval=20ms", Producer: "sqlqueue:component",
	})
}

func testSQLQueueRoundTrip(t *testing.T, db *sql.DB) {
	roundTrip(t, newQueue(db), "b:round trip ?pollInterval=20ms", "b:round trip ")
}

func testSQLQueueSuite(t *testing.T, db *sql.DB) {
	tests.TestPubSub(t, tests.Features{ConsumerGroups: true, Persistent: true, GuaranteedOrderWithSingleSubscriber: true},
		sqlQueue(db, "").pubSub, func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
			return sqlQueue(db, "&group="+group).pubSub(t)
		})
}

func testSQLQueueOrderedSuite(t *testing.T, db *sql.DB) {
	tests.TestPubSub(t, tests.Features{ConsumerGroups: true, Persistent: true, GuaranteedOrder: true, GuaranteedOrderWithSingleSubscriber: true},
		sqlQueue(db, "&ordered=true").pubSub, func(t *testing.T, group string) (message.Publisher, message.Subscriber) {
			return sqlQueue(db, "&ordered=true&group="+group).pubSub(t)
		})
}

// collected is what routes have got.
type collected struct {
	mu   sync.Mutex
	seen []string
}

func (c *collected) Process(_ context.Context, ex *route.Exchange) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = append(c.seen, string(ex.Body.([]byte)))
	return nil
}

func (c *collected) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.seen)
}

// wait waits for texts, in any order, and nothing else.
func (c *collected) wait(t *testing.T, want ...string) {
	t.Helper()
	eventually(t, func() error {
		if got := c.list(); len(got) < len(want) {
			return fmt.Errorf("%q came, want %q", got, want)
		}
		return nil
	})
	got := slices.Sorted(slices.Values(c.list()))
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q came, want %q", got, want)
	}
}

func send(t *testing.T, e *route.Engine, to route.URI, body any, options ...route.SendOption) {
	t.Helper()
	if err := e.Send(t.Context(), to, body, options...); err != nil {
		t.Fatal(err)
	}
}

func rows(t *testing.T, db *sql.DB, where string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM mehari_queue WHERE "+where).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Each group gets every message, and those who share a group share its messages. What is sent while
// there is no group waits for a consumer without one.
func testSQLQueueGroups(t *testing.T, db *sql.DB) {
	var first, second, none collected
	e := engine(t, route.Components{"q": newQueue(db)})
	send(t, e, "q:groups", "before")
	e = engine(t, route.Components{"q": newQueue(db)},
		route.From("q:groups?group=a").Process(first.Process),
		route.From("q:groups?group=a").Process(first.Process),
		route.From("q:groups?group=B&concurrentConsumers=3").Process(second.Process))
	send(t, e, "q:groups", "1")
	send(t, e, "q:groups", "2")
	first.wait(t, "1", "2")
	second.wait(t, "1", "2")
	e = engine(t, route.Components{"q": newQueue(db)}, route.From("q:groups").Process(none.Process))
	send(t, e, "q:groups", "3")
	none.wait(t, "before", "3")
	first.wait(t, "1", "2", "3")
	second.wait(t, "1", "2", "3")
	eventually(t, func() error {
		if n := rows(t, db, "topic = 'groups'"); n != 0 {
			return fmt.Errorf("%d rows are left", n)
		}
		return nil
	})
}

func testSQLQueueDelay(t *testing.T, db *sql.DB) {
	var got collected
	var waited atomic.Int64
	e := engine(t, route.Components{"q": newQueue(db)}, route.From("q:delay?pollInterval=20ms").
		Process(func(_ context.Context, ex *route.Exchange) error {
			if sent, _ := sqlqueue.Sent.Get(ex); string(ex.Body.([]byte)) == "2" {
				waited.Store(time.Since(sent).Milliseconds())
			}
			return nil
		}).Process(got.Process))
	send(t, e, "q:delay?delay=1h", "never")
	send(t, e, "q:delay?delay=1h", "2", route.WithHeader("CamelSqlQueueDelay", "700ms"))
	send(t, e, "q:delay", "1")
	got.wait(t, "1", "2")
	if list := got.list(); list[0] != "1" || waited.Load() < 650 {
		t.Errorf("%q came, the second after %d ms", list, waited.Load())
	}
	for _, d := range []any{"soon", -time.Second} {
		if err := e.Send(t.Context(), "q:delay", "x", route.WithHeader("CamelSqlQueueDelay", d)); err == nil || !strings.Contains(err.Error(), `header "CamelSqlQueueDelay"`) {
			t.Errorf("a delay of %v: %v", d, err)
		}
	}
}

// What fails again and again does not keep the others back, and ends in another queue.
func testSQLQueueDeadLetter(t *testing.T, db *sql.DB) {
	var good, dead collected
	var tries, told atomic.Int64
	e := engine(t, route.Components{"q": newQueue(db)},
		route.From("q:poison?maxDeliver=3&redeliveryDelay=1ms&pollInterval=20ms").Process(func(ctx context.Context, ex *route.Exchange) error {
			if string(ex.Body.([]byte)) == "bad" {
				n, _ := sqlqueue.Delivered.Get(ex)
				told.Store(int64(n))
				tries.Add(1)
				return errors.New("poison")
			}
			return good.Process(ctx, ex)
		}),
		route.From("q:poison.dead?pollInterval=20ms").Process(dead.Process))
	for _, body := range []string{"1", "bad", "2", "3"} {
		send(t, e, "q:poison", body)
	}
	good.wait(t, "1", "2", "3")
	dead.wait(t, "bad")
	if tries.Load() != 3 || told.Load() != 3 {
		t.Errorf("it was given %d times, the last time told %d, want 3", tries.Load(), told.Load())
	}
}

// Of several that consume in order one works at a time, and a message that fails keeps all back.
func testSQLQueueTurns(t *testing.T, db *sql.DB) {
	var got collected
	var working, failures atomic.Int64
	consume := func() *route.Engine {
		return engine(t, route.Components{"q": newQueue(db)},
			route.From("q:turns?ordered=true&batchSize=7&pollInterval=20ms&redeliveryDelay=1ms&ackWait=2s").ID("r").Process(func(ctx context.Context, ex *route.Exchange) error {
				defer working.Add(-1)
				if working.Add(1) > 1 {
					t.Error("two work at the same time")
				}
				if string(ex.Body.([]byte)) == "5" && failures.Add(1) < 4 {
					return errors.New("not yet")
				}
				time.Sleep(time.Millisecond)
				return got.Process(ctx, ex)
			}))
	}
	first := consume()
	second := consume()
	const n = 100
	var want []string
	for i := range n {
		if i == n/2 { // who had the turn gives it away
			if err := first.Stop(t.Context(), "r"); err != nil {
				t.Error(err)
			}
		}
		send(t, second, "q:turns", fmt.Sprint(i))
		want = append(want, fmt.Sprint(i))
	}
	eventually(t, func() error {
		if len(got.list()) < n {
			return fmt.Errorf("%d of %d came", len(got.list()), n)
		}
		return nil
	})
	if list := got.list(); !slices.Equal(list, want) {
		t.Errorf("they came as %q", list)
	}
}

// Tables can be made by many at a time, and where they are.
func testSQLQueueCreate(t *testing.T, db *sql.DB) {
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 2 {
				if err := sqlqueue.New(db, sqlqueue.Options{Table: "made_by_many"}).Create(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var got collected
	q := sqlqueue.New(db, sqlqueue.Options{Table: "made_on_demand", CreateTables: true})
	e := engine(t, route.Components{"q": q}, route.From("q:a").AutoStart(false).ID("r").Process(got.Process))
	send(t, e, "q:a", "1")
	if err := e.Start("r"); err != nil {
		t.Fatal(err)
	}
	got.wait(t, "1")
	e = engine(t, route.Components{"q": sqlqueue.New(db, sqlqueue.Options{Table: "made_for_consumers", CreateTables: true})}, route.From("q:a").Process(got.Process))
	send(t, e, "q:a", "2")
	got.wait(t, "1", "2")
	e = engine(t, route.Components{"q": sqlqueue.New(db, sqlqueue.Options{Table: "not_made"})})
	if err := e.Send(t.Context(), "q:a", "1"); err == nil || !strings.Contains(err.Error(), "not_made") {
		t.Errorf("have %v, want the name of a table", err)
	}
}

// What others have written into the table is taken as it can be understood.
func testSQLQueueStrangers(t *testing.T, db *sql.DB) {
	for i, headers := range []string{`{"text":"a","number":7,"list":[1,"b"],"camelSqlQueueId":"9"}`, "", "not JSON"} {
		if _, err := db.ExecContext(t.Context(), fmt.Sprintf("INSERT INTO mehari_queue (topic, group_name, uuid, headers, body, sent, due) VALUES ('strangers', '', '%d', '%s', 'x', 0, 0)", i, headers)); err != nil {
			t.Fatal(err)
		}
	}
	got := make(chan string, 3)
	engine(t, route.Components{"q": newQueue(db)}, route.From("q:strangers").Process(func(_ context.Context, ex *route.Exchange) error {
		uuid := ex.Header("CamelMessageUUID")
		for _, name := range []string{"CamelMessageUUID", "CamelSqlQueueId", "CamelSqlQueueDelivered", "CamelSqlQueueSent"} {
			ex.RemoveHeader(name)
		}
		got <- fmt.Sprintf("%v %q %v", uuid, ex.Body, maps.Collect(ex.Headers()))
		return nil
	}))
	for _, want := range []string{`0 "x" map[list:[1,"b"] number:7 text:a]`, `1 "x" map[]`, `2 "x" map[headers:not JSON]`} {
		select {
		case have := <-got:
			if have != want {
				t.Errorf("have %s\nwant %s", have, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("nothing comes")
		}
	}
}

func testSQLQueueRetain(t *testing.T, db *sql.DB) {
	var got collected
	e := engine(t, route.Components{"q": newQueue(db)}, route.From("q:retain?retain=1h").ID("r").Process(got.Process))
	send(t, e, "q:retain", "1")
	send(t, e, "q:retain", "2")
	got.wait(t, "1", "2")
	if err := e.Stop(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if n := rows(t, db, "topic = 'retain' AND done > 0 AND holder = ''"); n != 2 {
		t.Errorf("%d rows are done, want 2", n)
	}
	if err := e.Start("r"); err != nil {
		t.Fatal(err)
	}
	send(t, e, "q:retain", "3")
	got.wait(t, "1", "2", "3")
	eventually(t, func() error {
		if n := rows(t, db, "topic = 'retain' AND done > 0"); n != 3 {
			return fmt.Errorf("%d rows are done", n)
		}
		return nil
	})
	time.Sleep(10 * time.Millisecond)
	engine(t, route.Components{"q": newQueue(db)}, route.From("q:retain?retain=1ms")) // it deletes what is older
	eventually(t, func() error {
		if n := rows(t, db, "topic = 'retain'"); n != 0 {
			return fmt.Errorf("%d rows are left", n)
		}
		return nil
	})
}

// What was taken in advance is given back when a route stops, not after AckWait, and counts as
// not given.
func testSQLQueueGivesBack(t *testing.T, db *sql.DB) {
	var n, again atomic.Int64
	e := engine(t, route.Components{"q": newQueue(db)},
		route.From("q:back?batchSize=100&ackWait=10m&concurrentConsumers=3").ID("first").Process(func(context.Context, *route.Exchange) error {
			if n.Add(1) > 5 {
				time.Sleep(50 * time.Millisecond)
			}
			return nil
		}),
		route.From("q:back?ackWait=10m").ID("second").AutoStart(false).Process(func(_ context.Context, ex *route.Exchange) error {
			if d, _ := sqlqueue.Delivered.Get(ex); d != 1 {
				again.Add(1)
			}
			n.Add(1)
			return nil
		}))
	for i := range 300 {
		send(t, e, "q:back", i)
	}
	if err := e.Stop(t.Context(), "first"); err != nil {
		t.Fatal(err)
	}
	if held := rows(t, db, "topic = 'back' AND holder <> ''"); held != 0 {
		t.Errorf("%d rows are held by nobody", held)
	}
	if err := e.Start("second"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if n.Load() != 300 || rows(t, db, "topic = 'back'") != 0 {
			return fmt.Errorf("%d of 300 came", n.Load())
		}
		return nil
	})
	if again.Load() > 3 { // each worker may have been given one as the route stopped
		t.Errorf("%d came that had been given before", again.Load())
	}
}

// What is worked on for longer than AckWait does not come twice, nor what waits behind it.
func testSQLQueueSlow(t *testing.T, db *sql.DB) {
	var got collected
	components := route.Components{"q": newQueue(db)}
	consume := func() *route.Route {
		return route.From("q:slow?ackWait=1s&batchSize=2&pollInterval=20ms").Process(func(ctx context.Context, ex *route.Exchange) error {
			err := got.Process(ctx, ex)
			time.Sleep(1300 * time.Millisecond)
			return err
		})
	}
	e := engine(t, components, route.From("q:unused"))
	for i := range 2 {
		send(t, e, "q:slow", i)
	}
	engine(t, components, consume(), consume())
	eventually(t, func() error {
		if n := rows(t, db, "topic = 'slow'"); n != 0 {
			return fmt.Errorf("%d rows are left", n)
		}
		return nil
	})
	got.wait(t, "0", "1")
}
