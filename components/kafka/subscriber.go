package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/mehari-go/mehari/route"
)

// A subscriber is one run of a consumer: one client, and in a group one member. What it
// gives comes out of one channel, however often one subscribes.
type subscriber struct {
	options Options
	config  Config
	logger  *slog.Logger
	places  map[int32]kgo.Offset // where one without a group begins
	client  *kgo.Client
	made    chan struct{} // closed when there is a client, which works before it is returned
	limit   int
	live    context.Context
	stop    context.CancelFunc
	out     chan *message.Message
	ready   chan struct{} // closed when it is known where to begin
	isReady sync.Once
	seed    maphash.Seed
	over    chan struct{} // closed when nothing is given any more
	room    chan struct{} // a partition has little left
	all     sync.WaitGroup

	mu         sync.Mutex
	partitions map[int32]*partition
	reason     error // of the end
}

// newSubscriber tells whether the topic can be consumed.
func newSubscriber(ctx context.Context, o Options, cfg Config, logger *slog.Logger) (*subscriber, error) {
	s := &subscriber{
		options: o, config: cfg, logger: logger, limit: cmp.Or(cfg.Prefetch, defaultPrefetch),
		seed: maphash.MakeSeed(), made: make(chan struct{}), out: make(chan *message.Message), ready: make(chan struct{}), over: make(chan struct{}), room: make(chan struct{}, 1),
		partitions: map[int32]*partition{},
	}
	client, err := o.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	numbers, err := s.config.topic(ctx, client)
	if err == nil && cfg.GroupID == "" {
		s.places, err = s.config.places(ctx, client, numbers)
	}
	return s, err
}

// Subscribe implements [message.Subscriber]. When it returns, all that is sent from then on
// comes. It is called by one goroutine.
func (s *subscriber) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	if s.client == nil {
		if err := s.start(ctx); err != nil {
			return nil, err
		}
	}
	return s.out, nil
}

// fetchWait is how long a broker waits for messages, as in Kafka's own clients: a partition
// that is added or has room again is in the next question only.
const fetchWait = 500 * time.Millisecond

func (s *subscriber) start(ctx context.Context) error {
	age := cmp.Or(s.config.MetadataMaxAge, defaultMetadataMaxAge)
	opts := []kgo.Opt{
		kgo.FetchMaxBytes(int32(cmp.Or(s.config.FetchMaxBytes, defaultFetchBytes))),
		kgo.FetchMaxPartitionBytes(int32(cmp.Or(s.config.MaxPartitionFetchBytes, defaultPartitionBytes))),
		kgo.FetchMaxWait(fetchWait), kgo.ConsumeResetOffset(s.config.reset()), kgo.MetadataMaxAge(age),
	}
	if s.config.GroupID == "" {
		opts = append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{s.config.Topic: s.places}))
		s.begun()
	} else {
		opts = append(opts, s.member()...)
	}
	s.live, s.stop = context.WithCancel(ctx)
	client, err := s.options.client(opts...)
	if err != nil {
		s.stop()
		return err
	}
	s.client = client
	close(s.made)
	if s.config.GroupID == "" {
		s.all.Go(s.watch)
	}
	s.all.Go(s.poll)
	select {
	case <-s.ready:
		return nil
	case <-s.over:
		return s.ended()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// begun is called when it is known where to begin, also after the group was lost.
func (s *subscriber) begun() {
	again := true
	s.isReady.Do(func() {
		close(s.ready)
		again = false
	})
	if again && s.live.Err() == nil {
		route.ReportSubscribed(s.live, true)
	}
}

// reset is where to begin.
func (c *Config) reset() kgo.Offset {
	if c.AutoOffsetReset == Earliest {
		return kgo.NewOffset().AtStart()
	}
	return kgo.NewOffset().AtEnd()
}

// poll gives what is fetched to the partitions.
func (s *subscriber) poll() {
	defer close(s.over)
	defer close(s.out)
	for {
		fetches := s.client.PollRecords(s.live, s.limit)
		if s.live.Err() != nil {
			s.client.AllowRebalance()
			break
		}
		err := s.sort(fetches)
		s.client.AllowRebalance()
		if err != nil {
			s.mu.Lock()
			s.reason = err
			s.mu.Unlock()
			break
		}
		s.wait()
	}
	s.stop()
	s.end(slices.Collect(maps.Keys(s.partitions)))
	s.commit()
}

// sort gives each partition what is its own.
func (s *subscriber) sort(fetches kgo.Fetches) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		switch {
		case f.Err == nil:
		case passes(f.Err):
			s.logger.Warn("the client of Kafka goes on after an error", "topic", s.config.Topic, "group", s.config.GroupID, "error", f.Err)
		case err == nil:
			err = fmt.Errorf("fetch: %w", f.Err)
		}
		if len(f.Records) == 0 {
			return
		}
		p := s.partitions[f.Partition]
		if p == nil {
			p = s.newPartition(f.Partition)
			s.partitions[f.Partition] = p
		}
		p.add(f.Records)
	})
	return err
}

// passes tells whether the client gets over an error by itself: it joins a group again that it
// has lost, under its old name if it can, which a new client would have to wait for.
func passes(err error) bool {
	if _, ok := errors.AsType[*kgo.ErrDataLoss](err); ok { // by the brokers
		return true
	}
	group, ok := errors.AsType[*kgo.ErrGroupSession](err)
	if !ok {
		return false
	}
	code, ok := errors.AsType[*kerr.Error](group.Err)
	return !ok || code.Retriable || errors.Is(code, kerr.UnknownMemberID) || errors.Is(code, kerr.IllegalGeneration)
}

// roomTime is how long a partition that is full holds up the others. What the client has
// fetched of one that is paused it fetches again, and so there is no hurry to pause.
const roomTime = 100 * time.Millisecond

// wait returns when no partition is full, or those that are do not fetch any more.
func (s *subscriber) wait() {
	full := s.full()
	if len(full) == 0 {
		return
	}
	timer := time.NewTimer(roomTime)
	defer timer.Stop()
	for len(full) > 0 {
		select {
		case <-s.room:
		case <-s.live.Done():
			return
		case <-timer.C:
			for _, p := range full {
				p.pause()
			}
			return
		}
		full = s.full()
	}
}

func (s *subscriber) full() []*partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	var full []*partition
	for _, p := range s.partitions {
		if p.isFull() {
			full = append(full, p)
		}
	}
	return full
}

// end lets partitions finish what is worked on, and forgets them.
func (s *subscriber) end(numbers []int32) {
	s.mu.Lock()
	var ending []*partition
	for _, n := range numbers {
		if p := s.partitions[n]; p != nil {
			delete(s.partitions, n)
			p.stop()
			ending = append(ending, p)
		}
	}
	s.mu.Unlock()
	if len(ending) == 0 {
		return
	}
	late := make(chan struct{})
	timer := time.AfterFunc(s.config.rebalanceTimeout()/2, func() { close(late) })
	defer timer.Stop()
	for _, p := range ending {
		p.end(late)
	}
}

// ended tells why the subscription has ended, once.
func (s *subscriber) ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	reason := s.reason
	s.reason = nil
	return reason
}

// leaveTime is how long the last words to the brokers may take.
const leaveTime = 5 * time.Second

// Close implements [message.Subscriber]. It leaves the group, so that its other members get
// the partitions at once. It tells why the subscription has ended if something was wrong.
func (s *subscriber) Close() error {
	if s.client == nil {
		return nil
	}
	s.stop()
	<-s.over
	s.all.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	_ = s.client.LeaveGroupContext(ctx) // brokers that are gone find out by themselves
	s.client.CloseAllowingRebalance()
	return s.ended()
}
