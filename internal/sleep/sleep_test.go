package sleep_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mehari-go/mehari/internal/sleep"
)

func TestFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		if !sleep.For(ctx, 59*time.Second) || time.Since(begun) != 59*time.Second {
			t.Errorf("after %v", time.Since(begun))
		}
		if sleep.For(ctx, time.Hour) || time.Since(begun) != time.Minute {
			t.Errorf("after %v, though the time was over", time.Since(begun))
		}
	})
}
