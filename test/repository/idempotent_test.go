//go:build unix

package repository

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mehari-go/mehari/repository/database"
	"github.com/mehari-go/mehari/route"
)

// on runs a test on every database that there is. open opens a connection pool of its own, as a
// replica of a program has, to a database that is empty at first.
func on(t *testing.T, test func(t *testing.T, dialect database.Dialect, open func() *sql.DB)) {
	for dialect, start := range map[database.Dialect]func(*testing.T) (driver, dsn string){
		database.SQLite: sqlite, database.PostgreSQL: postgres, database.MySQL: mysql,
	} {
		t.Run(string(dialect), func(t *testing.T) {
			driver, dsn := start(t)
			test(t, dialect, func() *sql.DB {
				db, err := sql.Open(driver, dsn)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { db.Close() })
				return db
			})
		})
	}
}

func open(t *testing.T, db *sql.DB, processor string, o database.Options) *database.Idempotent {
	t.Helper()
	r, err := database.NewIdempotent(db, processor, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Create(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

func add(t *testing.T, r *database.Idempotent, key string, want bool, wantErr error) {
	t.Helper()
	if ok, err := r.Add(t.Context(), key); ok != want || !errors.Is(err, wantErr) {
		t.Errorf("add %q: %v, %v, want %v, %v", key, ok, err, want, wantErr)
	}
}

func has(t *testing.T, r *database.Idempotent, key string, want bool, wantErr error) {
	t.Helper()
	if ok, err := r.Contains(t.Context(), key); ok != want || !errors.Is(err, wantErr) {
		t.Errorf("contains %q: %v, %v, want %v, %v", key, ok, err, want, wantErr)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func TestIdempotent(t *testing.T) {
	on(t, func(t *testing.T, dialect database.Dialect, pool func() *sql.DB) {
		o := database.Options{Dialect: dialect}
		a, b := open(t, pool(), "orders", o), open(t, pool(), "orders", o)
		other := open(t, pool(), "bills", o)
		ctx := t.Context()
		key := "Bestellung №7 'x' \"y\"; --"
		has(t, a, key, false, nil)
		add(t, a, key, true, nil)
		add(t, b, key, false, route.ErrInProgress)
		has(t, b, key, false, route.ErrInProgress)
		add(t, other, key, true, nil)
		must(t, a.Confirm(ctx, key))
		must(t, a.Confirm(ctx, key))
		must(t, b.Confirm(ctx, key))
		add(t, b, key, false, nil)
		add(t, a, key, false, nil)
		has(t, b, key, true, nil)
		must(t, a.Remove(ctx, key))
		has(t, b, key, false, nil)
		add(t, b, key, true, nil)
		must(t, b.Remove(ctx, key))
		must(t, b.Remove(ctx, key))
		must(t, a.Confirm(ctx, "never added"))
		has(t, b, "never added", true, nil)
		must(t, a.Clear(ctx))
		has(t, b, "never added", false, nil)
		add(t, other, key, false, route.ErrInProgress)

		// Keys are compared as they are.
		for _, k := range []string{"a", "A", "a ", "ä", "a\n", strings.Repeat("x", 255)} {
			add(t, a, k, true, nil)
			must(t, a.Confirm(ctx, k))
		}
		long := strings.Repeat("x", 256)
		if _, err := a.Add(ctx, long); err == nil || err.Error() != "the key has 256 bytes, want at most 255" {
			t.Error(err)
		}
		if _, err := a.Contains(ctx, long); err == nil || a.Confirm(ctx, long) == nil {
			t.Error("a long key is taken")
		}
	})
}

func TestIdempotentInTime(t *testing.T) {
	on(t, func(t *testing.T, dialect database.Dialect, pool func() *sql.DB) {
		db := pool()
		ctx := t.Context()
		// Times are long ago by the rows, not by waiting.
		old := open(t, db, "orders", database.Options{Dialect: dialect, Expiry: time.Hour, Orphan: time.Minute})
		back := func(key string, d time.Duration) {
			t.Helper()
			at := time.Now().UTC().Add(-d).Format("2006-01-02 15:04:05.000")
			if _, err := db.ExecContext(ctx, fmt.Sprintf("UPDATE CAMEL_MESSAGEPROCESSED SET createdAt = '%s' WHERE messageId = '%s'", at, key)); err != nil {
				t.Fatal(err)
			}
		}
		add(t, old, "orphan", true, nil)
		back("orphan", 59*time.Second)
		add(t, old, "orphan", false, route.ErrInProgress)
		back("orphan", 61*time.Second)
		has(t, old, "orphan", false, nil)
		add(t, old, "orphan", true, nil)
		add(t, old, "orphan", false, route.ErrInProgress)

		must(t, old.Confirm(ctx, "done"))
		back("done", 59*time.Minute)
		add(t, old, "done", false, nil)
		has(t, old, "done", true, nil)
		back("done", 61*time.Minute)
		has(t, old, "done", false, nil)
		forever := open(t, db, "orders", database.Options{Dialect: dialect})
		has(t, forever, "done", true, nil)
		if n, err := forever.Prune(ctx); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		add(t, old, "done", true, nil)
		must(t, old.Confirm(ctx, "done"))
		add(t, old, "done", false, nil)

		back("orphan", 61*time.Minute)
		if n, err := old.Prune(ctx); n != 1 || err != nil {
			t.Errorf("%d, %v, want 1", n, err)
		}
		back("done", 61*time.Minute)
		for i := range 1000 { // one of them prunes
			if _, err := old.Add(ctx, fmt.Sprint(i%10)); err != nil && !errors.Is(err, route.ErrInProgress) {
				t.Fatal(err)
			}
		}
		has(t, forever, "done", false, nil)
	})
}

// Of two replicas that add the same keys at the same time one wins each, also those that a dead
// process has left behind.
func TestIdempotentHasOneWinner(t *testing.T) {
	on(t, func(t *testing.T, dialect database.Dialect, pool func() *sql.DB) {
		const keys = 60
		o := database.Options{Dialect: dialect, Orphan: time.Hour}
		left := open(t, pool(), "orders", o)
		for i := range keys / 2 {
			add(t, left, fmt.Sprint(i), true, nil)
		}
		if _, err := pool().ExecContext(t.Context(), "UPDATE CAMEL_MESSAGEPROCESSED SET createdAt = '2020-01-01 00:00:00.000'"); err != nil {
			t.Fatal(err)
		}
		var won [keys]atomic.Int64
		var all sync.WaitGroup
		for range 2 {
			db := pool()
			for range 4 {
				r, err := database.NewIdempotent(db, "orders", o)
				if err != nil {
					t.Fatal(err)
				}
				all.Go(func() {
					must(t, r.Create(t.Context()))
					for i := range keys {
						ok, err := r.Add(t.Context(), fmt.Sprint(i))
						if err != nil && !errors.Is(err, route.ErrInProgress) {
							t.Error(err)
						}
						if ok {
							won[i].Add(1)
							must(t, r.Confirm(t.Context(), fmt.Sprint(i)))
						}
					}
				})
			}
		}
		all.Wait()
		for i := range won {
			if n := won[i].Load(); n != 1 {
				t.Errorf("key %d: %d winners", i, n)
			}
		}
	})
}

// A table of Camel's has one column less.
func TestTableOfCamel(t *testing.T) {
	on(t, func(t *testing.T, dialect database.Dialect, pool func() *sql.DB) {
		db := pool()
		for _, statement := range []string{
			"CREATE TABLE CAMEL_MESSAGEPROCESSED (processorName VARCHAR(255), messageId VARCHAR(100), createdAt TIMESTAMP, PRIMARY KEY (processorName, messageId))",
			"INSERT INTO CAMEL_MESSAGEPROCESSED (processorName, messageId, createdAt) VALUES ('orders', 'old', '2024-05-06 07:08:09')",
			"ALTER TABLE CAMEL_MESSAGEPROCESSED ADD confirmed SMALLINT DEFAULT 1 NOT NULL",
		} {
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		r := open(t, db, "orders", database.Options{Dialect: dialect})
		add(t, r, "old", false, nil)
		add(t, r, "new", true, nil)
		must(t, r.Confirm(t.Context(), "new"))
		add(t, r, "new", false, nil)
	})
}

// A database that is gone is the error of the exchange.
func TestNoDatabase(t *testing.T) {
	on(t, func(t *testing.T, dialect database.Dialect, pool func() *sql.DB) {
		db := pool()
		r, err := database.NewIdempotent(db, "orders", database.Options{Dialect: dialect, Table: "not_there"})
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := r.Add(t.Context(), "a"); ok || err == nil {
			t.Error(ok, err)
		}
		if r.Confirm(t.Context(), "a") == nil || r.Remove(t.Context(), "a") == nil || r.Clear(t.Context()) == nil {
			t.Error("no error without the table")
		}
		if _, err := r.Contains(t.Context(), "a"); err == nil {
			t.Error("no error without the table")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Add(ctx, "a"); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		db.Close()
		if r.Create(t.Context()) == nil {
			t.Error("no error from a closed database")
		}
	})
}
