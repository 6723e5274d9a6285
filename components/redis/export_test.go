package redis

import (
	"context"
	"log/slog"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/redis/go-redis/v9"
)

// For tests.
var (
	PackMap   = packMap
	UnpackMap = unpackMap
)

func Decode(id string, fields map[string]any) *message.Message {
	return decode(entry{XMessage: client.XMessage{ID: id, Values: fields}})
}

// A Fake is a source of a test.
type Fake struct {
	Read   func(n int) (ids []string, err error)
	Tell   func(done, back, working []string) error
	Shared bool
	Left   bool
}

func (f *Fake) open(context.Context) error { return nil }
func (f *Fake) isShared() bool             { return f.Shared }
func (f *Fake) leave(context.Context)      { f.Left = true }

func (f *Fake) tell(_ context.Context, n news) error { return f.Tell(n.done, n.back, n.working) }

func (f *Fake) read(_ context.Context, n int) (entries []entry, err error) {
	ids, err := f.Read(n)
	for _, id := range ids {
		entries = append(entries, entry{XMessage: client.XMessage{ID: id}})
	}
	return entries, err
}

func NewSubscriber(f *Fake, c Config) message.Subscriber {
	return &subscriber{config: c.withDefaults(), source: f, quit: func() error { return nil }, logger: slog.New(slog.DiscardHandler), closing: make(chan struct{})}
}
