package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/mehari-go/mehari/route"
)

// Options are those of [NewIdempotent].
type Options struct {
	Dialect Dialect // must be given

	// Table is the name of the table, which may begin with that of a schema; "" means
	// CAMEL_MESSAGEPROCESSED.
	Table string

	// Expiry is how long a key is known; 0 means for ever. Keys that are older are deleted
	// from time to time, after every thousandth Add of a process.
	Expiry time.Duration

	// Orphan is how long after Add a key that is neither confirmed nor removed is taken for
	// that of a message whose process has died; 0 means 10m. It must be longer than an
	// exchange may take: after that the same message can pass a second time.
	Orphan time.Duration
}

// Idempotent is a [route.IdempotentRepository] in a table. Of the processes that add the same key
// at the same time one is told that it is new. The others get [route.ErrInProgress] until it
// is confirmed: they cannot know whether that process will finish. In Camel they get to know
// that it is a duplicate, and the message is lost if that process dies.
//
// Times are those of the processes, in UTC; their clocks must agree to a small part of Expiry
// and Orphan.
type Idempotent struct {
	db        *sql.DB
	processor string
	options   Options
	sql       statements
	adds      atomic.Int64
}

var _ route.IdempotentRepository = (*Idempotent)(nil)

const (
	maxKey     = 255 // bytes, of a key and of the name of a processor
	pruneEvery = 1000
	// attempts is how often Add looks again at a row that came and went while it looked.
	attempts = 5
)

var tableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$`)

// NewIdempotent returns a repository of the keys of one processor, a name that tells those who
// share a table apart, in a table that [Idempotent.Create] makes. It does no I/O.
func NewIdempotent(db *sql.DB, processor string, options Options) (*Idempotent, error) {
	if options.Table == "" {
		options.Table = "CAMEL_MESSAGEPROCESSED"
	}
	if options.Orphan == 0 {
		options.Orphan = 10 * time.Minute
	}
	var errs []error
	if db == nil {
		errs = append(errs, errors.New("want a *sql.DB, have nil"))
	}
	if processor == "" || len(processor) > maxKey {
		errs = append(errs, fmt.Errorf("want the name of a processor with 1 to %d bytes, have %q", maxKey, processor))
	}
	if !options.Dialect.known() {
		errs = append(errs, fmt.Errorf("want a dialect such as database.PostgreSQL, have %q", options.Dialect))
	}
	if !tableName.MatchString(options.Table) {
		errs = append(errs, fmt.Errorf("want the name of a table, have %q", options.Table))
	}
	if options.Expiry < 0 || options.Orphan < 0 {
		errs = append(errs, fmt.Errorf("want times that are not negative, have Expiry %v, Orphan %v", options.Expiry, options.Orphan))
	}
	if errs != nil {
		return nil, fmt.Errorf("idempotent repository: %w", errors.Join(errs...))
	}
	return &Idempotent{db: db, processor: processor, options: options, sql: options.Dialect.statements(options.Table)}, nil
}

// Create makes the table if it is not there. To a table that Camel has made add the column
// itself:
//
//	ALTER TABLE CAMEL_MESSAGEPROCESSED ADD confirmed SMALLINT DEFAULT 1 NOT NULL
func (r *Idempotent) Create(ctx context.Context) error {
	_, err := r.db.ExecContext(ctx, r.sql.create)
	if err != nil { // another process may have made it at the same time
		if _, _, missing := r.find(ctx, ""); missing == nil {
			return nil
		}
	}
	return err
}

// Add implements [route.IdempotentRepository].
func (r *Idempotent) Add(ctx context.Context, key string) (bool, error) {
	if err := check(key); err != nil {
		return false, err
	}
	if r.adds.Add(1)%pruneEvery == 0 {
		if _, err := r.Prune(ctx); err != nil {
			return false, err
		}
	}
	for range attempts {
		added, failed := r.change(ctx, r.sql.insert, r.processor, key, now(), 0)
		if added {
			return true, nil
		}
		orphaned, expired := r.horizons()
		taken, err := r.change(ctx, r.sql.takeOver, now(), r.processor, key, orphaned, expired)
		switch {
		case taken:
			return true, nil
		case err != nil:
			return false, errors.Join(failed, err)
		}
		there, confirmed, err := r.find(ctx, key)
		switch {
		case err != nil:
			return false, errors.Join(failed, err)
		case confirmed:
			return false, nil
		case there:
			return false, route.ErrInProgress
		case failed != nil:
			return false, failed
		}
	}
	return false, fmt.Errorf("%w: its key came and went %d times", route.ErrInProgress, attempts)
}

// Contains implements [route.IdempotentRepository].
func (r *Idempotent) Contains(ctx context.Context, key string) (bool, error) {
	if err := check(key); err != nil {
		return false, err
	}
	there, confirmed, err := r.find(ctx, key)
	if there && !confirmed {
		return false, route.ErrInProgress
	}
	return confirmed, err
}

// Confirm implements [route.IdempotentRepository].
func (r *Idempotent) Confirm(ctx context.Context, key string) error {
	if err := check(key); err != nil {
		return err
	}
	for range attempts {
		if done, err := r.change(ctx, r.sql.confirm, now(), r.processor, key); done || err != nil {
			return err
		}
		added, failed := r.change(ctx, r.sql.insert, r.processor, key, now(), 1)
		if added {
			return nil
		}
		_, confirmed, err := r.find(ctx, key)
		switch {
		case confirmed:
			return nil
		case failed != nil || err != nil:
			return errors.Join(failed, err)
		}
	}
	return fmt.Errorf("not confirmed: the key came and went %d times", attempts)
}

// Remove implements [route.IdempotentRepository].
func (r *Idempotent) Remove(ctx context.Context, key string) error {
	_, err := r.change(ctx, r.sql.remove, r.processor, key)
	return err
}

// Clear removes all keys of the processor.
func (r *Idempotent) Clear(ctx context.Context) error {
	_, err := r.change(ctx, r.sql.clear, r.processor)
	return err
}

// Prune deletes the keys of the processor that have expired and returns how many there were.
func (r *Idempotent) Prune(ctx context.Context) (int64, error) {
	if r.options.Expiry == 0 {
		return 0, nil
	}
	_, expired := r.horizons()
	done, err := r.db.ExecContext(ctx, r.sql.prune, r.processor, expired)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// find tells whether a key is there, and whether it is confirmed.
func (r *Idempotent) find(ctx context.Context, key string) (there, confirmed bool, err error) {
	orphaned, expired := r.horizons()
	var n int
	err = r.db.QueryRowContext(ctx, r.sql.find, r.processor, key, orphaned, expired).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return false, false, nil
	}
	return err == nil, err == nil && n != 0, err
}

// change runs a statement and tells whether it has changed a row.
func (r *Idempotent) change(ctx context.Context, statement string, args ...any) (bool, error) {
	done, err := r.db.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// horizons are the times before which keys are orphaned, and have expired.
func (r *Idempotent) horizons() (orphaned, expired string) {
	at := time.Now()
	orphaned, expired = timeText(at.Add(-r.options.Orphan)), timeText(time.Unix(0, 0))
	if r.options.Expiry > 0 {
		expired = timeText(at.Add(-r.options.Expiry))
	}
	return orphaned, expired
}

func now() string { return timeText(time.Now()) }

// timeText is how every dialect reads a time, and SQLite, which keeps it as text, compares it.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

func check(key string) error {
	if len(key) > maxKey {
		return fmt.Errorf("the key has %d bytes, want at most %d", len(key), maxKey)
	}
	return nil
}
