package sql

import (
	"context"
	"database/sql"
	"errors"

	"github.com/mehari-go/mehari/route"
)

// Transaction begins transactions of db for [route.Route.Transacted], with options if there
// are some. What endpoints of this package whose data source is db do within is part of the
// transaction; so can be what other steps do, with route.TxFrom(ctx, t).(*sql.Tx).
//
// Values with the same db and options are equal, and share a transaction. Within others a
// transaction of the same db begins on a connection of its own.
//
// What it returns has a method Database() *sql.DB, which returns db: by that other components,
// such as components/sqlqueue, know a transaction of their database. A [route.Transaction] of
// yours whose transactions are a *sql.Tx can have it too.
func Transaction(db *sql.DB, options ...sql.TxOptions) route.Transaction {
	t := transaction{db: db}
	if len(options) > 0 {
		t.options = options[0]
	}
	t.several = len(options) > 1
	return t
}

type transaction struct {
	db      *sql.DB
	options sql.TxOptions
	several bool // options
}

// Database tells whose transactions they are.
func (t transaction) Database() *sql.DB { return t.db }

// Begin implements [route.Transaction].
func (t transaction) Begin(ctx context.Context) (route.Tx, error) {
	switch {
	case t.db == nil:
		return nil, errors.New("want a *sql.DB, have nil")
	case t.several:
		return nil, errors.New("want one sql.TxOptions, have several")
	}
	tx, err := t.db.BeginTx(ctx, &t.options)
	if err != nil {
		return nil, err
	}
	return tx, nil
}

// A runner runs statements: a database, or a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// in returns the transaction of db that a step runs in, or db.
func in(ctx context.Context, db *sql.DB) runner {
	for t, tx := range route.Transactions(ctx) {
		if t, ok := t.(interface{ Database() *sql.DB }); ok && t.Database() == db {
			if tx, ok := tx.(*sql.Tx); ok {
				return tx
			}
		}
	}
	return db
}
