package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A puller is a subscriber of a stream, over a connection of its own.
type puller struct {
	conn     *client.Conn
	config   JetStreamConfig
	stream   jetstream.Stream
	consumer jetstream.Consumer
	wait     time.Duration
	all      sync.WaitGroup
}

// newPuller connects and finds the stream and the consumer, or makes the latter.
func newPuller(ctx context.Context, o Options, cfg JetStreamConfig) (_ *puller, err error) {
	conn, err := o.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			conn.Close()
		}
	}()
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	p := &puller{conn: conn, config: cfg, wait: cmp.Or(cfg.AckWait, defaultAckWait)}
	if p.stream, err = cfg.stream(ctx, js); err != nil {
		return nil, err
	}
	wanted := jetstream.ConsumerConfig{
		Durable: cfg.Durable, FilterSubject: cfg.Subject, DeliverPolicy: policies[cfg.DeliverPolicy],
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: p.wait, MaxDeliver: cmp.Or(cfg.MaxDeliver, -1),
	}
	if cfg.Durable == "" {
		wanted.InactiveThreshold = max(time.Minute, 2*p.wait)
		p.consumer, err = p.stream.CreateConsumer(ctx, wanted)
	} else {
		p.consumer, err = p.stream.CreateOrUpdateConsumer(ctx, wanted)
	}
	if err != nil {
		return nil, fmt.Errorf("consumer %q: %w", cfg.Durable, err)
	}
	return p, nil
}

// fetchTime is how long the server waits for messages before it is asked again.
const fetchTime = 5 * time.Second

// Subscribe implements [message.Subscriber].
func (p *puller) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	out := make(chan *message.Message)
	p.all.Go(func() {
		defer close(out)
		alive := time.NewTicker(p.wait / 3)
		defer alive.Stop()
		for ctx.Err() == nil && p.batch(ctx, out, alive.C) {
		}
	})
	return out, nil
}

// batch fetches messages and gives them. It tells whether there may be more.
func (p *puller) batch(ctx context.Context, out chan<- *message.Message, alive <-chan time.Time) bool {
	within, cancel := context.WithTimeout(ctx, fetchTime) // the server ends a little earlier
	defer cancel()
	batch, err := p.consumer.Fetch(cmp.Or(p.config.Prefetch, defaultPrefetch), jetstream.FetchContext(within))
	if err != nil {
		return false
	}
	l := lane{puller: p, ctx: ctx, more: batch.Messages(), alive: alive, out: out}
	l.run()
	return batch.Error() == nil || errors.Is(batch.Error(), context.DeadlineExceeded)
}

// A lane gives the messages of one batch, one after the other. All that it has taken tells
// the server that it is alive, so that nobody else gets it however long it has to wait.
type lane struct {
	*puller
	ctx   context.Context
	more  <-chan jetstream.Msg
	alive <-chan time.Time
	out   chan<- *message.Message

	held   []jetstream.Msg // the first is the one at work
	atWork *message.Message
	done   context.CancelFunc // of the context of the one at work
	given  bool               // it is with the consumer
}

func (l *lane) run() {
	for l.more != nil || len(l.held) > 0 {
		if l.atWork == nil && len(l.held) > 0 {
			l.begin(l.held[0])
		}
		var give chan<- *message.Message
		var acked, nacked <-chan struct{}
		if l.given {
			acked, nacked = l.atWork.Acked(), l.atWork.Nacked()
		} else if l.atWork != nil {
			give = l.out
		}
		select {
		case msg, ok := <-l.more:
			if !ok {
				l.more = nil
				continue
			}
			l.held = append(l.held, msg)
		case give <- l.atWork:
			l.given = true
		case <-acked:
			l.ack(l.held[0])
			l.next()
		case <-nacked:
			_ = l.held[0].Nak() // what is lost comes again
			l.next()
		case <-l.alive:
			for _, msg := range l.held {
				_ = msg.InProgress()
			}
		case <-l.ctx.Done():
			l.giveBack()
			return
		}
	}
}

// begin makes a message of the first one held.
func (l *lane) begin(msg jetstream.Msg) {
	l.atWork = decode(msg.Headers(), msg.Data())
	o := origin{subject: msg.Subject()}
	if md, err := msg.Metadata(); err == nil {
		o.stream, o.sequence, o.delivered = md.Stream, md.Sequence.Stream, md.NumDelivered
	}
	var ctx context.Context
	ctx, l.done = context.WithCancel(context.WithValue(l.ctx, originKey{}, o))
	l.atWork.SetContext(ctx)
}

// ack tells the server that a message is done with.
func (l *lane) ack(msg jetstream.Msg) {
	if l.config.AckAsync {
		_ = msg.Ack() // what is lost comes again
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), 5*time.Second)
	defer cancel()
	_ = msg.DoubleAck(ctx)
}

// next is done with the message at work.
func (l *lane) next() {
	l.done()
	l.atWork, l.given = nil, false
	l.held[0] = nil
	l.held = l.held[1:]
}

// giveBack returns what was taken in advance at once: the server would wait for AckWait
// otherwise. What the consumer has is left alone: the server gives it to someone else after AckWait.
func (l *lane) giveBack() {
	if l.given {
		l.next()
	}
	if l.done != nil {
		l.done()
	}
	if l.more != nil {
		for msg := range l.more { // it ends with the context
			l.held = append(l.held, msg)
		}
	}
	for _, msg := range l.held {
		_ = msg.Nak()
	}
}

// Close implements [message.Subscriber].
func (p *puller) Close() error {
	p.all.Wait()
	var errs []error
	if p.config.Durable == "" {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := p.stream.DeleteConsumer(ctx, p.consumer.CachedInfo().Name); err != nil && p.conn.IsConnected() {
			errs = append(errs, err)
		}
	}
	if p.conn.IsConnected() {
		errs = append(errs, p.conn.FlushTimeout(2*time.Second))
	}
	p.conn.Close()
	return errors.Join(errs...)
}
