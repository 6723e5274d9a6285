package kafka

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A consumer without a group gets all partitions.

// places returns where it begins in each.
func (c *Config) places(ctx context.Context, client *kgo.Client, numbers []int32) (map[int32]kgo.Offset, error) {
	places := map[int32]kgo.Offset{}
	for _, n := range numbers {
		places[n] = kgo.NewOffset().AtStart()
	}
	if c.AutoOffsetReset == Earliest {
		return places, nil
	}
	ends, err := endsOf(ctx, client, c.Topic)
	if err != nil {
		return nil, err
	}
	for n, end := range ends {
		places[n] = kgo.NewOffset().At(end)
	}
	return places, nil
}

// endsOf returns where the partitions of a topic end.
func endsOf(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, topicTime)
	defer cancel()
	listed, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ends of the partitions: %w", failed(ctx, err))
	}
	ends := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends, nil
}

// watch takes partitions that are added to the topic, from their beginning.
func (s *subscriber) watch() {
	ticker := time.NewTicker(cmp.Or(s.config.MetadataMaxAge, defaultMetadataMaxAge))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.live.Done():
			return
		}
		ctx, cancel := context.WithTimeout(s.live, topicTime)
		numbers, err := s.config.topic(ctx, s.client)
		cancel()
		if err != nil {
			continue // the next time
		}
		added := map[int32]kgo.Offset{}
		for _, n := range numbers {
			if _, ok := s.places[n]; !ok {
				s.places[n] = kgo.NewOffset().AtStart()
				added[n] = s.places[n]
			}
		}
		s.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{s.config.Topic: added})
	}
}
