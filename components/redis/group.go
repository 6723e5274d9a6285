package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	client "github.com/redis/go-redis/v9"
)

// A source is what a subscriber reads from.
type source interface {
	// open finds the place in the stream from which on everything comes.
	open(ctx context.Context) error

	// read waits, not for ever, for n entries at most.
	read(ctx context.Context, n int) ([]entry, error)

	// tell tells the server what has become of entries.
	tell(ctx context.Context, n news) error

	// isShared tells whether others can take what is given back.
	isShared() bool

	// leave is called when nothing is read any more.
	leave(ctx context.Context)
}

// News are what the server is told, in IDs of entries.
type news struct {
	done    []string // are acknowledged
	back    []string // are given back
	working []string // give a sign of life
}

// A group is a member of a consumer group.
type group struct {
	client client.UniversalClient
	config Config
	logger *slog.Logger
	name   string // of the consumer
	from   string // where the group begins

	claimed, swept time.Time // when it was last done
	cursor         string    // where claiming goes on
}

const (
	// ours is how the names of our consumers begin.
	ours = "mehari-"

	// returned is the consumer that has what was given back, until another one takes it.
	returned = ours + "returned"

	// beginning is the ID before all others.
	beginning = "0-0"

	// longAgo is the idle time of what was given back.
	longAgo = 24 * time.Hour
)

func newGroup(c client.UniversalClient, cfg Config, logger *slog.Logger) *group {
	host, _ := os.Hostname() // it is there for humans
	return &group{client: c, config: cfg, logger: logger, name: fmt.Sprintf("%s%s-%s", ours, host, rand.Text()[:8]), cursor: beginning}
}

func (g *group) open(ctx context.Context) (err error) {
	if g.from, err = begin(ctx, g.client, g.config); err != nil {
		return err
	}
	return g.create(ctx)
}

// begin returns the ID after which consuming begins.
func begin(ctx context.Context, c client.UniversalClient, cfg Config) (string, error) {
	last, err := c.XRevRangeN(ctx, cfg.Stream, "+", "-", 1).Result() // an error, if it is no stream
	if err != nil || len(last) == 0 || cfg.Start == StartBegin {
		return beginning, err
	}
	return last[0].ID, nil
}

// create makes the group if there is none.
func (g *group) create(ctx context.Context) error {
	err := g.client.XGroupCreateMkStream(ctx, g.config.Stream, g.config.ConsumerGroup, g.from).Err()
	if client.HasErrorPrefix(err, "BUSYGROUP") {
		return nil
	}
	return err
}

// read implements source. A group that has vanished, with its stream or the server's
// memory, begins anew where it did when the consumer started.
func (g *group) read(ctx context.Context, n int) ([]entry, error) {
	entries, err := g.take(ctx, n)
	if client.HasErrorPrefix(err, "NOGROUP") {
		g.logger.Warn("a consumer group is gone, and begins anew", "stream", g.config.Stream, "group", g.config.ConsumerGroup, "after", g.from)
		if err = g.create(ctx); err == nil {
			entries, err = g.take(ctx, n)
		}
	}
	return entries, err
}

func (g *group) take(ctx context.Context, n int) ([]entry, error) {
	if time.Since(g.claimed) >= g.config.ClaimInterval {
		if entries, err := g.claim(ctx, n); err != nil || len(entries) > 0 {
			return entries, err
		}
	}
	streams, err := g.client.XReadGroup(ctx, &client.XReadGroupArgs{
		Group: g.config.ConsumerGroup, Consumer: g.name, Streams: []string{g.config.Stream, ">"}, Count: int64(n), Block: g.config.BlockTime,
	}).Result()
	return entriesOf(streams, err, 1)
}

// entriesOf returns what was read, which is nothing when the time is up.
func entriesOf(streams []client.XStream, err error, delivered int64) ([]entry, error) {
	if errors.Is(err, client.Nil) {
		return nil, nil
	}
	var entries []entry
	for _, s := range streams {
		for _, m := range s.Messages {
			entries = append(entries, entry{m, delivered})
		}
	}
	return entries, err
}

// claim takes over what others have left, until it has some or has seen all.
func (g *group) claim(ctx context.Context, n int) ([]entry, error) {
	g.sweep(ctx)
	for {
		messages, next, deleted, err := g.client.XAutoClaimWithDeleted(ctx, &client.XAutoClaimArgs{
			Stream: g.config.Stream, Group: g.config.ConsumerGroup, Consumer: g.name, MinIdle: g.config.MaxIdle, Start: g.cursor, Count: int64(n),
		}).Result()
		if err != nil {
			g.cursor = beginning
			return nil, err
		}
		if len(deleted) > 0 {
			g.logger.Warn("messages were trimmed or deleted before anyone acknowledged them", "stream", g.config.Stream, "group", g.config.ConsumerGroup, "ids", deleted)
		}
		if g.cursor = next; next == beginning {
			g.claimed = time.Now()
		}
		if len(messages) > 0 {
			return g.count(ctx, messages)
		}
		if next == beginning {
			return nil, nil
		}
	}
}

// count finds out how often messages were given.
func (g *group) count(ctx context.Context, messages []client.XMessage) ([]entry, error) {
	counts := make([]*client.XPendingExtCmd, len(messages))
	_, err := g.client.Pipelined(ctx, func(p client.Pipeliner) error {
		for i, m := range messages {
			counts[i] = p.XPendingExt(ctx, &client.XPendingExtArgs{Stream: g.config.Stream, Group: g.config.ConsumerGroup, Start: m.ID, End: m.ID, Count: 1})
		}
		return nil
	})
	if err != nil {
		return nil, err // they come again
	}
	var entries []entry
	for i, m := range messages {
		if m.Values == nil {
			continue // deleted, as Redis 6 shows it
		}
		e := entry{XMessage: m}
		if c := counts[i].Val(); len(c) == 1 {
			e.delivered = c[0].RetryCount
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// tell implements source.
func (g *group) tell(ctx context.Context, n news) error {
	_, err := g.client.Pipelined(ctx, func(p client.Pipeliner) error {
		if len(n.done) > 0 {
			p.XAck(ctx, g.config.Stream, g.config.ConsumerGroup, n.done...)
		}
		if len(n.working) > 0 { // but not what another one has just taken over
			p.Do(ctx, g.xclaim(g.name, g.config.MaxIdle/6, n.working, "justid")...)
		}
		if len(n.back) > 0 {
			p.Do(ctx, g.xclaim(returned, 0, n.back, "idle", longAgo.Milliseconds(), "justid")...)
		}
		return nil
	})
	return err
}

// xclaim is the command that makes entries those of a consumer.
func (g *group) xclaim(consumer string, minIdle time.Duration, ids []string, options ...any) []any {
	args := []any{"xclaim", g.config.Stream, g.config.ConsumerGroup, consumer, minIdle.Milliseconds()}
	for _, id := range ids {
		args = append(args, id)
	}
	return append(args, options...)
}

// forget removes a consumer from its group, unless it has something: that would be lost.
const forget = `
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1`

func (g *group) forget(ctx context.Context, name string) error {
	return g.client.Eval(ctx, forget, []string{g.config.Stream}, g.config.ConsumerGroup, name).Err()
}

// leave implements source. A name that stays does no harm: others sweep it away.
func (g *group) leave(ctx context.Context) { _ = g.forget(ctx, g.name) }

func (g *group) isShared() bool { return true }

// sweep removes consumers of ours that have died. One that lives after all is made again by
// the server when it reads.
func (g *group) sweep(ctx context.Context) {
	if time.Since(g.swept) < g.config.MaxIdle {
		return
	}
	g.swept = time.Now()
	consumers, err := g.client.XInfoConsumers(ctx, g.config.Stream, g.config.ConsumerGroup).Result()
	if err != nil {
		return
	}
	for _, c := range consumers {
		if strings.HasPrefix(c.Name, ours) && c.Name != g.name && c.Pending == 0 && c.Idle > 3*g.config.MaxIdle {
			_ = g.forget(ctx, c.Name)
		}
	}
}
