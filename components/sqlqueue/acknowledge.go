package sqlqueue

import (
	"context"
	"errors"

	"github.com/mehari-go/mehari/route"
)

// origin is the row that an exchange came from.
var origin = route.NewProperty[*row]("CamelSqlQueueRow")

// Acknowledge acknowledges the message that an exchange came from, as a part of the transaction of the
// same database that it is in. What else is done in that transaction is so done exactly once:
//
//	route.From("sqlqueue:orders").
//		Transacted(sql.Transaction(db), route.Do().
//			To("sql:update stock set n = n - 1 where item = :#item").
//			Process(sqlqueue.Acknowledge))
//
// It is an error, by which the transaction is rolled back, that the message is someone else's by
// now, or was acknowledged before; that there is no such transaction; and that the exchange did not
// come from a queue. From then on, signs of life are no longer given for the message: it should be
// the last step of the transaction.
func Acknowledge(ctx context.Context, ex *route.Exchange) error {
	r, ok := origin.Get(ex)
	if !ok {
		return errors.New("acknowledge: the exchange did not come from sqlqueue")
	}
	tx := transactionOf(ctx, r.of.db)
	if tx == nil {
		return errors.New("acknowledge: want it within a transaction of the queue's database")
	}
	r.early.Store(true)
	text, args := r.of.sql.with(r.of.takes.settle, []int64{r.id})
	done, err := tx.ExecContext(ctx, text, args...)
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		err = errors.New("acknowledge: the message was held for too long, and is someone else's")
	}
	return err
}
