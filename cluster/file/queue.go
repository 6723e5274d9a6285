package file

import (
	"context"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// patience is how long a writer waits for another of the same record. A writer
// holds the lock for microseconds, or for a sync of the disk; one that holds it
// longer is paused, and nobody may depend on it.
const patience = 20 * time.Millisecond

// queue waits for the writers of the record that came before, and returns what
// lets the next one in. Where that takes too long or the lock cannot be had it
// goes on all the same: the lock saves writers from writing in vain, and only the
// rename in swap decides.
func (s *Store) queue(ctx context.Context, key string) (leave func()) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	lock := flock.New(filepath.Join(s.dir, "locks", key))
	_, _ = lock.TryLockContext(ctx, time.Millisecond)
	return func() { _ = lock.Close() }
}
