package redis

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/redis/go-redis/v9"

	"github.com/mehari-go/mehari/internal/sleep"
)

// commandTime is how long the server may take for a command.
const commandTime = 5 * time.Second

// A subscriber is a consumer of a stream, with a client of its own. All its subscriptions
// share what it reads, and so all get from one channel.
type subscriber struct {
	config  Config
	source  source
	quit    func() error // closes the client
	logger  *slog.Logger
	closing chan struct{}
	once    sync.Once

	mu   sync.Mutex
	hand *hand // nil before the first subscription
}

var _ message.Subscriber = (*subscriber)(nil)

func newSubscriber(c client.UniversalClient, cfg Config, logger *slog.Logger) *subscriber {
	var from source = &everyone{client: c, config: cfg}
	if cfg.ConsumerGroup != "" {
		from = newGroup(c, cfg, logger)
	}
	return &subscriber{config: cfg, source: from, quit: sync.OnceValue(c.Close), logger: logger, closing: make(chan struct{})}
}

// Subscribe implements [message.Subscriber]. When it returns, all that is sent comes.
func (s *subscriber) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hand == nil {
		within, cancel := context.WithTimeout(ctx, 2*commandTime)
		defer cancel()
		if err := s.source.open(within); err != nil {
			return nil, err
		}
		s.hand = newHand(s)
		s.hand.start(ctx)
	}
	return s.hand.out, nil
}

// Close implements [message.Subscriber]. Its error is that which has ended the subscription.
func (s *subscriber) Close() error {
	s.once.Do(func() { close(s.closing) })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hand == nil {
		return s.quit()
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	select {
	case <-s.hand.ended:
	case <-ctx.Done(): // without a client it ends soon
	}
	err := s.quit()
	<-s.hand.ended
	return errors.Join(s.hand.err, err)
}

// A batch is what was read.
type batch struct {
	entries []entry
	err     error
}

// readAll reads as many entries as it is asked for, until asks is closed.
func (s *subscriber) readAll(ctx context.Context, asks <-chan int, batches chan<- batch) {
	pause := leastPause
	for n := range asks {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.BlockTime+commandTime)
		entries, err := s.source.read(within, n)
		cancel()
		if err == nil {
			pause = leastPause
		} else if sleep.For(ctx, pause) {
			pause = min(2*pause, mostPause)
		}
		batches <- batch{entries, err}
	}
}

// tellAll tells the server all news until there are no more.
func (s *subscriber) tellAll(ctx context.Context, all <-chan news, told chan<- error) {
	pause := leastPause
	for n := range all {
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), commandTime)
		err := s.source.tell(within, n)
		cancel()
		if err == nil {
			pause = leastPause
		} else if sleep.For(ctx, pause) {
			pause = min(2*pause, mostPause)
		}
		told <- err
	}
}

// The pauses after an error of the server.
const (
	leastPause = 50 * time.Millisecond
	mostPause  = time.Second
)
