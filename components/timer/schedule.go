package timer

import (
	"context"
	"time"

	"github.com/mehari-go/mehari/internal/sleep"
)

// A schedule tells when to tick. Ticks that are in time follow the schedule and not the
// clock, so that small delays do not add up.
type schedule struct {
	period    time.Duration
	fixedRate bool
	due       time.Time
	fired     time.Time
	late      bool // the last tick had to wait for the one before, or for the process
}

// wait waits until the next tick is due and tells whether it is: ctx may be done first.
func (s *schedule) wait(ctx context.Context) bool {
	d := time.Until(s.due)
	if d > 0 && !sleep.For(ctx, d) {
		return false
	}
	s.fired = time.Now()
	s.late = d < 0 || s.fired.Sub(s.due) >= s.period
	return true
}

// maxCatchUp is how many missed ticks a fixed rate makes up for.
const maxCatchUp = 10

// advance sets when the next tick is due. It returns how many ticks a fixed rate has
// given up.
//
// With a fixed rate they are due at whole periods from the first one. Otherwise the one
// after a late one is due a period after that, as java.util.Timer.schedule has it.
func (s *schedule) advance(now time.Time) (missed int64) {
	if !s.fixedRate && s.late {
		s.due = s.fired.Add(s.period)
		return 0
	}
	s.due = s.due.Add(s.period)
	if behind := int64(now.Sub(s.due) / max(s.period, 1)); s.fixedRate && behind > maxCatchUp {
		missed = behind - maxCatchUp
		s.due = s.due.Add(time.Duration(missed) * s.period)
	}
	return missed
}
