package route

import (
	"context"
	"fmt"
	"reflect"

	"github.com/mehari-go/mehari/language/simple"
)

// Transacted runs body in a transaction: it is committed when body has ended, and rolled back
// when body returns an error or panics. What t has begun already around this step is joined
// instead (Camel: PROPAGATION_REQUIRED), wherever routes lead the exchange within a call; then
// the outermost step commits, and an error within makes it roll back, also where a Try has
// caught it, and return that error. [Route.Rollback], [Route.MarkRollbackOnly] and
// [Route.MarkRollbackOnlyLast] roll back on purpose.
//
// A failed commit is the error of the exchange. Work that goes on after the exchange, such
// as a wire tap, is not in its transaction.
func (c *chain[Self]) Transacted(t Transaction, body *Block) Self {
	return c.add(transactedStep{t, body})
}

// Rollback ends the exchange's way with a [RollbackError], so that every transaction it is in is
// rolled back and its consumer takes it for failed. The text is in the simple language.
func (c *chain[Self]) Rollback(text string) Self { return c.add(rollbackStep{text}) }

// MarkRollbackOnly makes every transaction that the exchange is in end in a rollback, and
// ends the exchange's way, as a success: the consumer takes it for done with. It is for where
// the failure has been dealt with; otherwise [Route.Rollback] is right.
func (c *chain[Self]) MarkRollbackOnly() Self { return c.add(markRollbackStep{false}) }

// MarkRollbackOnlyLast makes the innermost transaction end in a rollback, and ends the
// exchange's way through it, as a success. The steps after that [Route.Transacted] run.
func (c *chain[Self]) MarkRollbackOnlyLast() Self { return c.add(markRollbackStep{true}) }

type transactedStep struct {
	transaction Transaction
	body        *Block
}

func (transactedStep) String() string { return "transacted" }

func (s transactedStep) Build(b *Builder) Processor {
	switch v := reflect.ValueOf(s.transaction); {
	case s.transaction == nil:
		b.Errorf("want a transaction, have nil")
	case !v.Comparable():
		b.Errorf("want a transaction that is comparable, have %T", s.transaction)
	}
	return &transacted{s.transaction, b.filled(s.body)}
}

type transacted struct {
	of   Transaction
	body Processor
}

func (t *transacted) Process(ctx context.Context, ex *Exchange) error {
	if r := transactionOf(ctx, t.of); r != nil {
		err := guarded(ctx, t.body, ex)
		if err != nil {
			r.fail(err)
		}
		return err
	}
	tx, err := t.of.Begin(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("begin: %w", err)
	case tx == nil:
		return fmt.Errorf("begin: %T gives no transaction", t.of)
	}
	r := &transaction{of: t.of, tx: tx, outer: innermost(ctx)}
	return r.end(ex, guarded(context.WithValue(ctx, transactionKey{}, r), t.body, ex))
}

type rollbackStep struct{ text string }

func (s rollbackStep) String() string { return "rollback " + text(s.text) }

func (s rollbackStep) Build(b *Builder) Processor {
	if s.text == "" {
		s.text = "intended"
	}
	if t := b.template(s.text); t != nil {
		return &rollback{t}
	}
	return &pipeline{}
}

type rollback struct{ text *simple.Template }

func (r *rollback) Process(ctx context.Context, ex *Exchange) error {
	text, err := r.text.Append(ctx, nil, (*scope)(ex))
	if err != nil {
		return fmt.Errorf("rollback: %w", err)
	}
	return &RollbackError{string(text)}
}

type markRollbackStep struct{ last bool }

func (s markRollbackStep) String() string {
	if s.last {
		return "mark rollback only, last"
	}
	return "mark rollback only"
}

func (s markRollbackStep) Build(*Builder) Processor { return &markRollback{s.last} }

type markRollback struct{ last bool }

func (m *markRollback) Process(ctx context.Context, ex *Exchange) error {
	r := innermost(ctx)
	if r == nil {
		return errNoTransaction
	}
	for ex.stopped = true; r != nil; r = r.outer {
		r.mark(m.last)
		if m.last {
			break
		}
	}
	return nil
}
