package nats

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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
	subject  string // of requests for messages
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
		MaxAckPending: cfg.MaxAckPending,
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
	p.subject = fmt.Sprintf("$JS.API.CONSUMER.MSG.NEXT.%s.%s", p.stream.CachedInfo().Config.Name, p.consumer.CachedInfo().Name)
	return p, nil
}

// fetchTime is how long the server waits for messages before it is asked again.
const fetchTime = 5 * time.Second

// Subscribe implements [message.Subscriber].
func (p *puller) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	inFlight := max(1, p.config.MaxInFlight)
	most := max(inFlight, cmp.Or(p.config.Prefetch, defaultPrefetch))
	l := &lane{
		puller: p, ctx: ctx, most: most, inFlight: inFlight,
		more:    make(chan *client.Msg, 3*most+16), // what is asked for, and what an answer lost on its way may bring
		out:     make(chan *message.Message),
		settled: make(chan *client.Msg, inFlight), ended: make(chan struct{}), over: make(chan struct{}),
		given: map[*client.Msg]bool{},
	}
	var err error
	if l.sub, err = p.conn.ChanSubscribe(p.conn.NewInbox(), l.more); err != nil {
		return nil, err
	}
	l.sub.SetClosedHandler(func(string) { close(l.ended) })
	p.all.Go(l.run)
	return l.out, nil
}

// A lane asks the server for messages and gives them, in their order. All that it has taken
// tells the server that it is alive, so that nobody else gets it however long it has to wait.
//
// It asks by itself, as ADR-13 of NATS has it, and not by the client's Fetch: that forgets
// what has arrived already when its context ends, which nobody then gets before AckWait.
type lane struct {
	*puller
	ctx            context.Context
	most, inFlight int
	sub            *client.Subscription
	more           chan *client.Msg
	out            chan *message.Message
	settled        chan *client.Msg // those given of which the server has been told
	ended          chan struct{}    // closed when the subscription has
	over           chan struct{}    // closed when nobody waits for those given any more
	settling       sync.WaitGroup

	asked int           // what the server may still send for the last request
	held  []*client.Msg // not given yet
	given map[*client.Msg]bool
}

func (l *lane) run() {
	defer close(l.out)
	defer l.giveBack()
	alive := time.NewTicker(l.wait / 3)
	defer alive.Stop()
	late := time.NewTimer(0) // the answer to a request, which may be lost
	defer late.Stop()
	again := l.conn.StatusChanged(client.CONNECTED)
	defer l.conn.RemoveStatusListener(again)
	var next *message.Message // that of the first one held
	var done context.CancelFunc
	defer func() {
		if done != nil {
			done()
		}
	}()
	for {
		if taken := len(l.held) + len(l.given); l.asked == 0 && taken <= l.most/2 {
			if l.ask(l.most-taken) != nil {
				return
			}
			late.Reset(fetchTime + time.Second)
		}
		if next == nil && len(l.held) > 0 && len(l.given) < l.inFlight {
			next, done = l.message(l.held[0])
		}
		var give chan<- *message.Message
		if next != nil {
			give = l.out
		}
		select {
		case msg := <-l.more:
			wait, err := l.take(msg)
			if err != nil {
				return
			}
			if wait > 0 {
				late.Reset(wait)
			}
		case give <- next:
			msg, m, over := l.held[0], next, done
			l.held[0] = nil
			l.held = l.held[1:]
			l.given[msg] = true
			next, done = nil, nil
			l.settling.Go(func() { l.settle(msg, m, over) })
		case msg := <-l.settled:
			delete(l.given, msg)
		case <-alive.C:
			for _, msg := range l.held {
				_ = msg.InProgress()
			}
			for msg := range l.given {
				_ = msg.InProgress()
			}
		case <-late.C:
			l.asked = 0
		case <-again: // the request went with the connection
			l.asked = 0
		case <-l.ended:
			return
		case <-l.ctx.Done():
			return
		}
	}
}

// ask requests messages.
func (l *lane) ask(n int) error {
	request, err := json.Marshal(map[string]int64{"batch": int64(n), "expires": int64(fetchTime)})
	if err != nil {
		return err
	}
	l.asked = n
	return l.conn.PublishRequest(l.subject, l.sub.Subject, request)
}

// take holds a message, or heeds what the server says about the request. A time is how long
// to wait before the next request; an error ends the subscription.
func (l *lane) take(msg *client.Msg) (wait time.Duration, err error) {
	status, description := msg.Header.Get("Status"), msg.Header.Get("Description")
	switch {
	case status == "" || len(msg.Data) > 0:
		l.asked = max(0, l.asked-1)
		l.held = append(l.held, msg)
	case status == "100": // a sign of life
	case status == "404" || status == "408": // nothing more came in its time
		l.asked = 0
	case status == "400" || strings.EqualFold(description, "Consumer Deleted"):
		return 0, fmt.Errorf("%s %s", status, description)
	default: // such as a new leader, or nobody who answers
		return 250 * time.Millisecond, nil
	}
	return 0, nil
}

// message makes a message with a context that ends when the server has been told of it.
func (l *lane) message(msg *client.Msg) (*message.Message, context.CancelFunc) {
	m := decode(msg.Header, msg.Data)
	o := origin{subject: msg.Subject}
	if md, err := msg.Metadata(); err == nil {
		o.stream, o.sequence, o.delivered = md.Stream, md.Sequence.Stream, md.NumDelivered
	}
	ctx, done := context.WithCancel(context.WithValue(l.ctx, originKey{}, o))
	m.SetContext(ctx)
	return m, done
}

// settle tells the server what has become of a message that was given. Where nobody says, the
// server gives it to someone else after AckWait.
func (l *lane) settle(msg *client.Msg, m *message.Message, done context.CancelFunc) {
	defer done()
	select {
	case <-m.Acked():
		if l.config.AckAsync {
			_ = msg.Ack() // what is lost comes again
			break
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(l.ctx), 5*time.Second)
		defer cancel()
		_ = msg.AckSync(client.Context(ctx))
	case <-m.Nacked():
		_ = msg.Nak()
	case <-l.over:
	}
	l.settled <- msg
}

// giveBack returns what was taken in advance at once, with what is still on its way: the
// server would wait for AckWait otherwise.
func (l *lane) giveBack() {
	_ = l.sub.Drain() // what the server has sent comes before the end
	within := time.AfterFunc(2*time.Second, func() { close(l.over) })
	defer within.Stop()
	l.settling.Wait()
	select {
	case <-l.ended:
	case <-l.over: // the server is not there
	}
	for len(l.more) > 0 {
		_, _ = l.take(<-l.more)
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
