package awssqs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A taker is a subscriber of a queue.
type taker struct {
	client     *sqs.Client
	closeIdle  func()
	config     Config
	queue      queue
	url        string
	wait       int           // in seconds
	visibility time.Duration // of what is taken
	taking     context.Context
	all        sync.WaitGroup

	mu     sync.Mutex
	failed error // why a subscription has ended
}

// newTaker finds the queue, or makes it. When ctx is done, nothing more is taken.
func newTaker(ctx context.Context, o Options, cfg Config, q queue) (*taker, error) {
	t := &taker{
		config: cfg, queue: q, taking: ctx,
		wait: cmp.Or(cfg.WaitTimeSeconds, defaultWait), visibility: cmp.Or(cfg.VisibilityTimeout, defaultVisibility),
	}
	t.client, t.closeIdle = o.open()
	if err := t.find(ctx); err != nil {
		t.closeIdle()
		return nil, err
	}
	return t, nil
}

func (t *taker) find(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if t.url, err = t.queue.find(ctx, t.client, &t.config); err != nil || t.queue.url == "" {
		return err
	}
	// Nobody has been asked yet whether there is a queue at the URL.
	_, err = t.client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: aws.String(t.url), AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn},
	})
	if err != nil {
		return fmt.Errorf("queue %q: %w", t.url, err)
	}
	return nil
}

// Subscribe implements [message.Subscriber].
func (t *taker) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	l := &lane{
		taker: t, ctx: ctx, out: make(chan *message.Message),
		received: make(chan batch, 1), settled: make(chan outcome),
	}
	l.settler = newSettler(t)
	t.all.Go(l.run)
	return l.out, nil
}

// A batch is what one request has taken.
type batch struct {
	messages []types.Message
	err      error
}

// first is for how long messages are invisible when they are taken, until there is a sign of
// life. What SQS gives to a request that was called off is invisible for that time.
func (t *taker) first() time.Duration { return min(t.visibility, 10*time.Second) }

// receive takes messages, if there are any soon.
func (t *taker) receive(ctx context.Context) batch {
	within, cancel := context.WithTimeout(ctx, time.Duration(t.wait)*time.Second+15*time.Second)
	defer cancel()
	out, err := t.client.ReceiveMessage(within, &sqs.ReceiveMessageInput{
		QueueUrl:                    aws.String(t.url),
		MaxNumberOfMessages:         int32(cmp.Or(t.config.MaxMessagesPerPoll, defaultPoll)), //nolint:gosec // 10 at most
		VisibilityTimeout:           int32(t.first() / time.Second),                          //nolint:gosec // 10 at most
		WaitTimeSeconds:             int32(t.wait),                                           //nolint:gosec // 20 at most
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	})
	switch {
	case ctx.Err() != nil && err != nil:
		return batch{}
	case err != nil:
		return batch{err: err}
	}
	return batch{messages: out.Messages}
}

// fail remembers why a subscription ends.
func (t *taker) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == nil {
		t.failed = fmt.Errorf("queue %q: %w", t.queue.name, err)
	}
}

// Close implements [message.Subscriber]. It returns why a subscription has ended by itself.
func (t *taker) Close() error {
	t.all.Wait()
	t.closeIdle()
	t.mu.Lock()
	defer t.mu.Unlock()
	if errors.Is(t.failed, context.Canceled) {
		return nil
	}
	return t.failed
}
