package sqlqueue

import (
	"context"
	"time"
)

// renew gives signs of life. What cannot be told is told the next time, or lost.
func (s *settler) renew(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.config.ackWait()/3)
	defer cancel()
	s.mu.Lock()
	rows := make([]*row, 0, len(s.held))
	for _, r := range s.held {
		if !r.early.Load() { // its row is locked
			rows = append(rows, r)
		}
	}
	s.mu.Unlock()
	if s.leads.Load() {
		if leads, err := s.lead(ctx); err == nil && !leads {
			s.logger.Warn("the turn of an ordered queue was lost", "endpoint", s.address)
		}
	}
	if len(rows) == 0 {
		return
	}
	until := time.Now().Add(s.config.ackWait())
	text, args := s.sql.with(s.takes.renew, ids(rows))
	done, err := s.db.ExecContext(ctx, text, args...)
	if err != nil {
		s.logger.Warn("held messages not renewed", "endpoint", s.address, "error", err)
		return
	}
	if n, err := done.RowsAffected(); err == nil && n < int64(len(rows)) {
		return // some are someone else's: those that wait in memory are not given once their time is over
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range rows {
		r.until = until
	}
}

// sweep deletes what was retained for long enough.
func (s *settler) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.config.ackWait())
	defer cancel()
	for {
		done, err := s.db.ExecContext(ctx, s.takes.sweep, s.config.Topic, s.config.Group)
		if err != nil {
			s.logger.Warn("old messages not deleted", "endpoint", s.address, "error", err)
			return
		}
		if n, err := done.RowsAffected(); err != nil || n < sweepLimit {
			return
		}
	}
}
