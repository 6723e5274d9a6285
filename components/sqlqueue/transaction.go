package sqlqueue

import (
	"context"
	"database/sql"

	"github.com/mehari-go/mehari/route"
)

// A runner runs statements: a database, or a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// transactionOf returns the transaction of db that a step runs in, or nil if there is none.
func transactionOf(ctx context.Context, db *sql.DB) *sql.Tx {
	for t, tx := range route.Transactions(ctx) {
		if t, ok := t.(interface{ Database() *sql.DB }); ok && t.Database() == db {
			if tx, ok := tx.(*sql.Tx); ok {
				return tx
			}
		}
	}
	return nil
}
