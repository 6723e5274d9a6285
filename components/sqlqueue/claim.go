package sqlqueue

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
)

// found tells whether there is something to claim.
func (s *settler) found(ctx context.Context) (bool, error) {
	var one int
	err := s.db.QueryRowContext(ctx, s.takes.peek, s.config.Topic, s.config.Group).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// claimed claims rows and returns them in their order.
func (s *settler) claimed(ctx context.Context) (rows []*row, err error) {
	if s.sql.dialect != MySQL {
		rows, err = s.query(ctx, s.db)
	} else {
		rows, err = s.locked(ctx)
	}
	slices.SortFunc(rows, func(a, b *row) int { return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.id, b.id)) })
	return rows, err
}

// locked claims rows where an update cannot return them.
func (s *settler) locked(ctx context.Context) ([]*row, error) {
	tx, err := s.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted}) // locks no gaps
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	rows, err := s.query(ctx, tx)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	text, args := s.sql.with(s.takes.mark, ids(rows))
	if _, err := tx.ExecContext(ctx, text, args...); err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	return rows, nil
}

func (s *settler) query(ctx context.Context, on runner) (list []*row, err error) {
	rows, err := on.QueryContext(ctx, s.takes.claim, s.config.Topic, s.config.Group)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r := &row{of: s}
		if err := rows.Scan(&r.id, &r.due, &r.uuid, &r.headers, &r.body, &r.sent, &r.deliveries); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// lead tells whether it is this subscriber's turn to take the messages of an ordered group.
func (s *settler) lead(ctx context.Context) (bool, error) {
	done, err := s.db.ExecContext(ctx, s.takes.lead, s.config.Topic, s.config.Group)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	s.leads.Store(err == nil && n > 0)
	return n > 0, err
}

func ids(rows []*row) []int64 {
	list := make([]int64, len(rows))
	for i, r := range rows {
		list[i] = r.id
	}
	return list
}
