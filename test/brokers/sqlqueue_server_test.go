//go:build unix

package brokers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mehari-go/mehari/route"
)

// The server is killed while messages flow, and comes back: nothing is lost, and what comes
// twice is what was at work.
func testSQLQueueRestart(t *testing.T, d *database) {
	db := d.open(t)
	var seen [1000]atomic.Int64
	e := engine(t, route.Components{"q": newQueue(db)},
		route.From("q:restart?ackWait=2s&concurrentConsumers=4").ID("r").Process(func(_ context.Context, ex *route.Exchange) error {
			var n int
			if _, err := fmt.Sscan(string(ex.Body.([]byte)), &n); err != nil {
				return err
			}
			seen[n].Add(1)
			return nil
		}))
	for n := range seen {
		if n == len(seen)/3 || n == 2*len(seen)/3 {
			with := d.server.end
			if n > len(seen)/2 && d.driver == "mysql" { // PostgreSQL's children outlive kill -9 for a moment
				with = syscall.SIGKILL
			}
			d.server.stop(t, with)
			if err := e.Send(t.Context(), "q:restart", n); err == nil {
				t.Error("sent without a server")
			}
			time.Sleep(100 * time.Millisecond)
			d.server.start(t)
		}
		eventually(t, func() error { return e.Send(t.Context(), "q:restart", n) })
	}
	eventually(t, func() error {
		for n := range seen {
			if seen[n].Load() == 0 {
				return fmt.Errorf("%d did not come", n)
			}
		}
		if n := rows(t, db, "topic = 'restart'"); n != 0 {
			return fmt.Errorf("%d rows are left", n)
		}
		return nil
	})
	twice := 0
	for n := range seen {
		twice += int(seen[n].Load()) - 1
	}
	t.Logf("%d messages came again", twice)
}

// Who is refused, and who finds no server, is told so without the password, and the engine goes on.
func testSQLQueueRefused(t *testing.T, d *database) {
	check := func(what string) {
		db, err := sql.Open(d.driver, d.dsn("stranger", "wr0ng"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		e, stop, err := sqlQueue(db, "").start(route.From("b:x").ID("r"))
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		eventually(t, func() error {
			if s, _ := e.Status().Route("r"); s.LastFailure == nil {
				return errors.New("no failure")
			}
			return nil
		})
		s, _ := e.Status().Route("r")
		failure := fmt.Sprint(s.LastFailure.Err, "\n", e.Send(t.Context(), "b:x", 1))
		if !strings.Contains(failure, what) || strings.Contains(failure, "wr0ng") || s.Subscribed != nil && *s.Subscribed {
			t.Errorf("have %s\nwant %q", failure, what)
		}
	}
	check(map[string]string{"pgx": "password authentication failed", "mysql": "Access denied"}[d.driver])
	d.server.stop(t, d.server.end)
	check("refused")
	d.server.start(t)
}
