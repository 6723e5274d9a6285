package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

// A CustomService is work that has nothing to do with routes and that only one pod
// may do at a time.
type CustomService struct{ logger *slog.Logger }

// Run is the service on the pod that leads: it starts with the leadership, stops
// with it, and another pod starts only after it has returned.
func (s CustomService) Run(ctx context.Context, t cluster.Term) error {
	s.logger.InfoContext(ctx, "CustomService has been started on the master pod")
	defer s.logger.InfoContext(ctx, "CustomService has been stopped on the master pod")
	work := time.NewTicker(100 * time.Millisecond)
	defer work.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-work.C:
			if t.Valid() { // a context ends late where the process was paused
				s.logger.DebugContext(ctx, "CustomService works")
			}
		}
	}
}
