package redis

import (
	"context"

	client "github.com/redis/go-redis/v9"
)

// everyone reads a stream without a group: the server knows nothing of it.
type everyone struct {
	client client.UniversalClient
	config Config
	last   string // ID that was read
}

func (e *everyone) open(ctx context.Context) (err error) {
	e.last, err = begin(ctx, e.client, e.config)
	return err
}

func (e *everyone) read(ctx context.Context, n int) ([]entry, error) {
	streams, err := e.client.XRead(ctx, &client.XReadArgs{Streams: []string{e.config.Stream, e.last}, Count: int64(n), Block: e.config.BlockTime}).Result()
	entries, err := entriesOf(streams, err, 0)
	if len(entries) > 0 {
		e.last = entries[len(entries)-1].ID
	}
	return entries, err
}

func (e *everyone) tell(context.Context, news) error { return nil }

func (e *everyone) isShared() bool { return false }

func (e *everyone) leave(context.Context) {}
