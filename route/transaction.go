package route

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
)

// A Transaction begins the transactions of [Route.Transacted], such as those of one
// database. Values must be comparable: equal ones share a transaction.
//
// With package database/sql one is written so:
//
//	type DB struct{ *sql.DB }
//
//	func (db DB) Begin(ctx context.Context) (route.Tx, error) { return db.BeginTx(ctx, nil) }
//
// The steps within find what has begun by [TxFrom]:
//
//	tx := route.TxFrom(ctx, db).(*sql.Tx)
type Transaction interface {
	// Begin begins a transaction. It may be called by many goroutines at once. The context
	// is not done before the transaction ends, unless the time of the exchange is over.
	Begin(ctx context.Context) (Tx, error)
}

// A Tx is a transaction that has begun. It ends with the first call of one of its methods,
// also where that returns an error.
type Tx interface {
	// Commit makes what was done last.
	Commit() error

	// Rollback undoes it.
	Rollback() error
}

// TxFrom returns the transaction of t that a step runs in, or nil if there is none. It is the
// step's as long as its call lasts; in blocks that run at the same time it is shared.
func TxFrom(ctx context.Context, t Transaction) Tx {
	if r := transactionOf(ctx, t); r != nil {
		return r.tx
	}
	return nil
}

// Transactions yields the transactions that a step runs in, from the innermost outwards: for a
// component that knows its own by their type, whatever they were begun with.
func Transactions(ctx context.Context) iter.Seq2[Transaction, Tx] {
	return func(yield func(Transaction, Tx) bool) {
		for r := innermost(ctx); r != nil; r = r.outer {
			if !r.isOver() && !yield(r.of, r.tx) {
				return
			}
		}
	}
}

type transactionKey struct{}

// A transaction is one that runs.
type transaction struct {
	of    Transaction
	tx    Tx
	outer *transaction // of another Transaction, or nil

	mu     sync.Mutex
	ended  bool
	cause  error // of a block that has joined and failed
	marked bool  // rollback only
	last   bool  // by MarkRollbackOnlyLast
}

// innermost returns the transaction that ctx is in, or nil.
func innermost(ctx context.Context) *transaction {
	r, _ := ctx.Value(transactionKey{}).(*transaction)
	for r != nil && r.isOver() {
		r = r.outer
	}
	return r
}

func transactionOf(ctx context.Context, t Transaction) *transaction {
	for r := innermost(ctx); r != nil; r = r.outer {
		if r.of == t && !r.isOver() {
			return r
		}
	}
	return nil
}

func (r *transaction) isOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ended
}

// fail tells that a block which has joined has failed.
func (r *transaction) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cause == nil {
		r.cause = err
	}
}

func (r *transaction) mark(last bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marked, r.last = true, r.last || last
}

// end commits or rolls back. err is that of the block.
func (r *transaction) end(ex *Exchange, err error) error {
	r.mu.Lock()
	r.ended = true
	commit, last := err == nil && r.cause == nil && !r.marked, r.last
	r.mu.Unlock()
	if last {
		ex.stopped = false // it ended the way through the block only
	}
	if commit {
		if err := safely(r.tx.Commit); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
		return nil
	}
	if err == nil && r.cause != nil {
		err = fmt.Errorf("rolled back because a block within has failed: %w", r.cause)
	}
	if failed := safely(r.tx.Rollback); failed != nil {
		return joined(err, fmt.Errorf("rollback: %w", failed))
	}
	return err
}

// safely calls f; a panic is an error.
func safely(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = newPanicError(p)
		}
	}()
	return f()
}

// A RollbackError is the error of [Route.Rollback].
type RollbackError struct {
	Text string // what the step was given
}

func (e *RollbackError) Error() string { return "rollback: " + e.Text }

var errNoTransaction = errors.New("there is no transaction: want it within Transacted")

// outlived is the context of an exchange for what goes on after it, for which its
// transactions are over.
type outlived struct{ context.Context }

func (o outlived) Value(key any) any {
	if key == (transactionKey{}) {
		return nil
	}
	return o.Context.Value(key)
}
