package sqlqueue

import (
	"fmt"
	"time"
)

// A retry says when to settle again after a failure.
type retry struct {
	*settler
	timer *time.Timer
	wait  time.Duration
	since time.Time // of the first failure
}

func newRetry(s *settler) *retry {
	r := &retry{settler: s, timer: time.NewTimer(time.Hour)}
	r.timer.Stop()
	return r
}

// after plans it. A table that does not answer for as long as AckWait is the end.
func (r *retry) after(err error) {
	if err == nil {
		r.wait = 0
		return
	}
	if r.wait == 0 {
		r.since = time.Now()
		r.logger.Warn("outcomes not stored, trying again", "endpoint", r.address, "error", err)
	}
	if time.Since(r.since) > r.config.ackWait() {
		r.fail(fmt.Errorf("outcomes not stored: %w", err))
	}
	r.wait = min(max(retryTime, 2*r.wait), time.Second)
	r.timer.Reset(r.wait)
}
