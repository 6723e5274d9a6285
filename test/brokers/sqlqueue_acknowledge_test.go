//go:build unix

package brokers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mehari-go/mehari/components/direct"
	msql "github.com/mehari-go/mehari/components/sql"
	"github.com/mehari-go/mehari/components/sqlqueue"
	"github.com/mehari-go/mehari/route"
	"github.com/mehari-go/mehari/route/routetest"
)

// What is acknowledged within a transaction is done with it, and not if it is rolled back. The
// second one of those who hold a message for too long is refused.
func testSQLQueueAcknowledge(t *testing.T, db *sql.DB) {
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE effects (id INTEGER)"); err != nil {
		t.Fatal(err)
	}
	effects := func() (n int) {
		t.Helper()
		if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM effects").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	var rollbacks, tries atomic.Int64
	e := routetest.Run(t, route.Config{
		Components: route.Components{"q": newQueue(db), "sql": msql.New(map[string]*sql.DB{"db": db}), "direct": direct.New()},
		Logger:     slog.New(slog.DiscardHandler),
	},
		route.From("q:once?pollInterval=20ms&redeliveryDelay=1ms&concurrentConsumers=3").ID("r").
			Transacted(msql.Transaction(db), route.Do().
				To("sql:insert into effects (id) values (:#${body})").
				Process(sqlqueue.Acknowledge).
				Process(func(context.Context, *route.Exchange) error {
					if tries.Add(1)%3 == 0 {
						rollbacks.Add(1)
						return errors.New("rolled back")
					}
					return nil
				})),
		route.From("direct:lost").Process(sqlqueue.Acknowledge),
		route.From("q:outside").Process(func(ctx context.Context, ex *route.Exchange) error {
			if err := sqlqueue.Acknowledge(ctx, ex); err == nil || !strings.Contains(err.Error(), "want it within a transaction") {
				t.Error(err)
			}
			return nil
		}),
		route.From("q:late").Process(func(ctx context.Context, ex *route.Exchange) error { // someone else has taken it
			id, _ := sqlqueue.ID.Get(ex)
			_, err := db.ExecContext(ctx, fmt.Sprintf("UPDATE mehari_queue SET holder = 'else' WHERE id = %d", id))
			return err
		}).Try(route.Do().Transacted(msql.Transaction(db), route.Do().
			To("sql:insert into effects (id) values (1000)").Process(sqlqueue.Acknowledge)),
			route.Catch[error]().Process(func(context.Context, *route.Exchange) error { tries.Store(-1); return nil })),
	)
	const n = 60
	for i := range n {
		send(t, e, "q:once", i)
	}
	eventually(t, func() error {
		if left := rows(t, db, "topic = 'once'"); left > 0 {
			return fmt.Errorf("%d rows are left", left)
		}
		return nil
	})
	if effects() != n || rollbacks.Load() < n/3 {
		t.Errorf("%d effects of %d messages, %d rolled back", effects(), n, rollbacks.Load())
	}
	if err := e.Send(t.Context(), "direct:lost", 1); err == nil || !strings.Contains(err.Error(), "did not come from sqlqueue") {
		t.Error(err)
	}
	send(t, e, "q:outside", 1)
	send(t, e, "q:late", 1)
	eventually(t, func() error {
		if rows(t, db, "topic = 'outside'") > 0 || tries.Load() != -1 {
			return errors.New("they are not done")
		}
		return nil
	})
	if effects() != n {
		t.Error("a transaction was committed whose message is someone else's")
	}
}
