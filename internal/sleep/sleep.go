// Package sleep lets time pass, as long as somebody still wants that.
package sleep

import (
	"context"
	"time"
)

// For waits and tells whether ctx was not done before.
func For(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
