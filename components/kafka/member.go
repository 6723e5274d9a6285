package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/mehari-go/mehari/route"
)

// member are the options of a client that is in a group.
func (s *subscriber) member() []kgo.Opt {
	session := cmp.Or(s.config.SessionTimeout, defaultSessionTimeout)
	return []kgo.Opt{
		kgo.ConsumerGroup(s.config.GroupID), kgo.ConsumeTopics(s.config.Topic), kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.SessionTimeout(session), kgo.HeartbeatInterval(min(3*time.Second, session/3)), kgo.RebalanceTimeout(s.config.rebalanceTimeout()),
		kgo.AutoCommitMarks(), kgo.AutoCommitInterval(cmp.Or(s.config.CommitInterval, defaultCommitInterval)),
		kgo.BlockRebalanceOnPoll(), // so that nothing comes of a partition that is gone
		kgo.OnPartitionsAssigned(s.assigned), kgo.OnPartitionsRevoked(s.revoked), kgo.OnPartitionsLost(s.lost),
		kgo.AdjustFetchOffsetsFn(s.begin), kgo.AutoCommitCallback(s.committed),
	}
}

func (c *Config) rebalanceTimeout() time.Duration {
	return cmp.Or(c.RebalanceTimeout, defaultRebalanceTimeout)
}

// assigned is called when the group has given partitions. Where to begin in them is not
// known yet.
func (s *subscriber) assigned(_ context.Context, _ *kgo.Client, added map[string][]int32) {
	if len(added[s.config.Topic]) == 0 {
		s.begun()
	}
}

// begin is called with the places of the group in partitions that it has given. A group that
// has none and begins at the latest gets places in all partitions, once and for all: it
// would jump over what is sent until its first commit otherwise, if a partition changes
// hands before, and over what is in partitions that are added to the topic later.
func (s *subscriber) begin(ctx context.Context, places map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	<-s.made
	topic := s.config.Topic
	missing := false
	for _, place := range places[topic] {
		missing = missing || place.EpochOffset().Offset < 0
	}
	if missing && s.config.AutoOffsetReset != Earliest {
		if err := s.beginLatest(ctx, places[topic]); err != nil {
			return nil, fmt.Errorf("places of group %q: %w", s.config.GroupID, err)
		}
	}
	s.begun()
	return places, nil
}

func (s *subscriber) beginLatest(ctx context.Context, places map[int32]kgo.Offset) error {
	topic := s.config.Topic
	admin := kadm.NewClient(s.client)
	all, err := admin.FetchOffsetsForTopics(ctx, s.config.GroupID, topic)
	if err != nil {
		return err
	}
	known := false
	all.Each(func(o kadm.OffsetResponse) { known = known || o.At >= 0 })
	if known {
		for n, place := range places {
			if place.EpochOffset().Offset < 0 {
				places[n] = kgo.NewOffset().AtStart()
			}
		}
		return nil
	}
	ends, err := endsOf(ctx, s.client, topic)
	if err != nil {
		return err
	}
	for n, end := range ends {
		if _, ok := places[n]; ok {
			places[n] = kgo.NewOffset().At(end)
		}
	}
	return s.store(ctx, ends)
}

// store stores places of the group.
func (s *subscriber) store(ctx context.Context, places map[int32]int64) error {
	offsets := map[int32]kgo.EpochOffset{}
	for n, place := range places {
		offsets[n] = kgo.EpochOffset{Epoch: -1, Offset: place}
	}
	var errs []error
	s.client.CommitOffsetsSync(ctx, map[string]map[int32]kgo.EpochOffset{s.config.Topic: offsets},
		func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
			errs = append(errs, refusal(resp, err))
		})
	return errors.Join(errs...)
}

// refusal is why brokers have not stored places.
func refusal(resp *kmsg.OffsetCommitResponse, err error) error {
	if err != nil || resp == nil {
		return err
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("partition %d: %w", p.Partition, err)
			}
		}
	}
	return nil
}

// commit stores the places that are marked. What is not stored comes again.
func (s *subscriber) commit() {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	if err := s.client.CommitMarkedOffsets(ctx); err != nil && s.config.GroupID != "" {
		s.warn(err)
	}
}

// committed is called when the client has stored what is marked, or has tried to.
func (s *subscriber) committed(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, err error) {
	if err := refusal(resp, err); err != nil && !errors.Is(err, context.Canceled) {
		s.warn(err)
	}
}

func (s *subscriber) warn(err error) {
	s.logger.Warn("the place in a topic could not be stored: messages may come again", "topic", s.config.Topic, "group", s.config.GroupID, "error", err)
}

// revoked is called when partitions go to other members. The group waits for it.
func (s *subscriber) revoked(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	s.end(gone[s.config.Topic])
	s.commit()
}

// lost is called when the group may have given partitions to others without waiting.
func (s *subscriber) lost(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	route.ReportSubscribed(s.live, false)
	s.end(gone[s.config.Topic])
}
