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

	"github.com/mehari-go/mehari/internal/sleep"
)

// topicTime is how long brokers may take to tell of a topic, or to make one.
const topicTime = 30 * time.Second

var errNoTopic = errors.New("there is no such topic: make it, or set createTopic=true")

// topic returns the numbers of the partitions of the topic, which it makes if it may.
func (c *Config) topic(ctx context.Context, client *kgo.Client) ([]int32, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, topicTime, fmt.Errorf("the topic has no partitions that can be used after %v", topicTime))
	defer cancel()
	req := kmsg.NewPtrMetadataRequest()
	req.AllowAutoTopicCreation = false
	asked := kmsg.NewMetadataRequestTopic()
	asked.Topic = &c.Topic
	req.Topics = append(req.Topics, asked)
	made := false
	for {
		resp, err := req.RequestWith(ctx, client) // not from the client's memory
		if err != nil {
			return nil, failed(ctx, err)
		}
		if len(resp.Topics) != 1 {
			return nil, fmt.Errorf("asked for a topic, the broker told of %d", len(resp.Topics))
		}
		topic := resp.Topics[0]
		err = kerr.ErrorForCode(topic.ErrorCode)
		switch missing := errors.Is(err, kerr.UnknownTopicOrPartition); {
		case missing && !c.CreateTopic:
			return nil, errNoTopic
		case missing && !made:
			if err := c.create(ctx, client); err != nil {
				return nil, err
			}
			made = true
			continue
		case err != nil && !kerr.IsRetriable(err):
			return nil, err
		case err == nil && led(topic.Partitions):
			var numbers []int32
			for _, p := range topic.Partitions {
				numbers = append(numbers, p.Partition)
			}
			return numbers, nil
		}
		if !sleep.For(ctx, 50*time.Millisecond) { // not all brokers know it yet
			return nil, context.Cause(ctx)
		}
	}
}

// led tells whether all partitions have a leader.
func led(partitions []kmsg.MetadataResponseTopicPartition) bool {
	for _, p := range partitions {
		if p.Leader < 0 {
			return false
		}
	}
	return len(partitions) > 0
}

// create makes the topic. Someone else may be faster.
func (c *Config) create(ctx context.Context, client *kgo.Client) error {
	_, err := kadm.NewClient(client).CreateTopic(ctx, int32(cmp.Or(c.Partitions, -1)), int16(cmp.Or(c.Replication, -1)), nil, c.Topic)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("create topic: %w", failed(ctx, err))
	}
	return nil
}

// failed is err, or why ctx is done if that is the reason.
func failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
