package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A publisher sends over a client of its own.
type publisher struct {
	client *kgo.Client
	limit  int

	mu   sync.Mutex
	made map[string]bool // topics that are there for certain
}

func newPublisher(ctx context.Context, o Options) (*publisher, error) {
	p := &publisher{limit: cmp.Or(o.MaxMessageBytes, defaultMaxMessageBytes), made: map[string]bool{}}
	opts := []kgo.Opt{
		kgo.RequiredAcks(acks[o.Acks]), kgo.ProducerBatchCompression(codecs[o.Compression]), kgo.ProducerLinger(o.Linger),
		kgo.ProducerBatchMaxBytes(int32(p.limit)), kgo.RecordDeliveryTimeout(cmp.Or(o.DeliveryTimeout, defaultDeliveryTimeout)),
		kgo.RecordPartitioner(partitioner{kgo.StickyKeyPartitioner(nil)}),
	}
	if o.DisableIdempotence || acks[o.Acks] != kgo.AllISRAcks() {
		opts = append(opts, kgo.DisableIdempotentWrite())
	} else {
		opts = append(opts, kgo.AllowIdempotentProduceCancellation()) // or a broker that is gone would hold a route for ever
	}
	var err error
	p.client, err = o.connect(ctx, opts...)
	return p, err
}

// Publish implements [message.Publisher]. It returns when the brokers have the messages, or
// when the context of the first is done: it is not known then whether they have them.
func (p *publisher) Publish(topic string, ms ...*message.Message) error {
	if len(ms) == 0 {
		return nil
	}
	ctx := ms[0].Context()
	results := make(chan error, len(ms))
	for n, m := range ms {
		if err := p.make(m); err != nil {
			return errors.Join(err, p.wait(ctx, n, results))
		}
		p.client.Produce(ctx, encode(topic, m), func(r *kgo.Record, err error) {
			if err != nil {
				err = p.explain(ctx, r, err)
			}
			results <- err
		})
	}
	return p.wait(ctx, len(ms), results)
}

// wait waits for n results. The client itself takes seconds to notice that a context is done
// when the brokers are gone.
func (p *publisher) wait(ctx context.Context, n int, results <-chan error) error {
	var errs []error
	for range n {
		select {
		case err := <-results:
			errs = append(errs, err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return errors.Join(errs...)
}

// make makes the topic of a message if its endpoint says so and nobody has yet.
func (p *publisher) make(m *message.Message) error {
	to, _ := m.Context().Value(sendingKey{}).(*sending)
	if to == nil || !to.config.CreateTopic {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made[to.config.Topic] {
		return nil
	}
	if _, err := to.config.topic(m.Context(), p.client); err != nil {
		return err
	}
	p.made[to.config.Topic] = true
	return nil
}

// explain returns an error of the client in words that tell what to do.
func (p *publisher) explain(ctx context.Context, r *kgo.Record, err error) error {
	switch {
	case errors.Is(err, kerr.MessageTooLarge):
		n := len(r.Key) + len(r.Value)
		for _, h := range r.Headers {
			n += len(h.Key) + len(h.Value)
		}
		return fmt.Errorf("record with %d bytes: want at most %d, which is MaxMessageBytes of the component, and max.message.bytes of the topic: %w", n, p.limit, err)
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return fmt.Errorf("%w: %w", errNoTopic, err)
	}
	return failed(ctx, err)
}

// Close implements [message.Publisher].
func (p *publisher) Close() error {
	p.client.Close()
	return nil
}
