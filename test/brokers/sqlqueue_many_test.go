//go:build unix

package brokers

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mehari-go/mehari/components/direct"
	msql "github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// Many send in transactions, several at a time and two messages in each, while consumers of three
// groups take them, and come and go: no deadlock, and each group gets each message once.
func testSQLQueueMany(t *testing.T, db *sql.DB) {
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE many (id INTEGER PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	components := func() route.Components {
		return route.Components{"q": newQueue(db), "direct": direct.New(), "sql": msql.New(map[string]*sql.DB{"db": db})}
	}
	var mu sync.Mutex
	seen := map[string]int{}
	consume := func(group string) *route.Route {
		return route.From(route.URI("q:many?concurrentConsumers=2&pollInterval=20ms&group=" + group)).ID(group).Process(func(_ context.Context, ex *route.Exchange) error {
			mu.Lock()
			defer mu.Unlock()
			seen[group+" "+string(ex.Body.([]byte))]++
			return nil
		})
	}
	engine(t, components(), consume("a"), consume("b"), consume("c"))
	second := engine(t, components(), consume("a"), consume("b"), consume("c"))
	e := routetest.Run(t, route.Config{Components: components(), Logger: slog.New(slog.DiscardHandler)},
		route.From("direct:many").Transacted(msql.Transaction(db), route.Do().
			To("sql:insert into many (id) values (:#${body})").
			To("q:many").
			SetBody(route.Simple("again ${body}")).
			To("q:many")))
	const n = 400
	var next, failures atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := next.Add(1); i <= n; i = next.Add(1) {
				if err := e.Send(t.Context(), "direct:many", int(i)); err != nil {
					failures.Add(1)
					t.Log(err)
				}
			}
		})
	}
	for range 5 {
		for group := range strings.FieldsSeq("a b c") {
			if err := second.Stop(t.Context(), group); err != nil {
				t.Error(err)
			}
			if err := second.Start(group); err != nil {
				t.Error(err)
			}
		}
	}
	all.Wait()
	if failures.Load() > 0 {
		t.Errorf("%d transactions failed", failures.Load())
	}
	eventually(t, func() error {
		if left := rows(t, db, "topic = 'many'"); left > 0 {
			return fmt.Errorf("%d rows are left", left)
		}
		return nil
	})
	mu.Lock()
	defer mu.Unlock()
	if len(seen) != 3*2*n {
		t.Errorf("%d came, want %d", len(seen), 3*2*n)
	}
	for what, times := range seen {
		if times != 1 {
			t.Errorf("%s came %d times", what, times)
		}
	}
}
