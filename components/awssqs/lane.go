package awssqs

import (
	"context"
	"slices"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A lane is one subscription: it takes messages and gives them, as many at a time as there
// is room for. Two messages of one group of a FIFO queue are never given at a time. All that it
// has taken is kept invisible to others until it is settled.
type lane struct {
	*taker
	*settler
	ctx      context.Context // of the subscription
	out      chan *message.Message
	received chan batch
	settled  chan outcome

	asking   bool // a request is on its way
	stopping bool // nothing is taken or given any more
	given    int
	held     []*held // the oldest first
}

// held is a message that was taken and is not settled.
type held struct {
	*message.Message
	receipt string
	group   string // "" in a queue that is no FIFO queue
	done    context.CancelFunc
	given   bool

	since time.Time // when it was made invisible
	span  time.Duration
}

// An outcome is what has become of a message that was given.
type outcome struct {
	*held
	acked, nacked bool
}

// maxUnsettled is for how many messages SQS has to be told the outcome before it is asked for
// more.
const maxUnsettled = 100

// shortWait is for how many seconds a request may wait that is awaited at the stop.
const shortWait = 2

func (l *lane) run() {
	defer close(l.out)
	defer l.settler.close()
	alive := time.NewTicker(l.first() / 3)
	defer alive.Stop()
	// What SQS answers to a request that was called off is invisible until its time is over.
	// So one that ends soon is awaited.
	asking, cancel := context.WithCancel(context.WithoutCancel(l.ctx))
	defer cancel()
	if l.wait <= shortWait {
		cancel = func() {}
	}
	stop := l.taking.Done()
	for {
		if !l.asking && !l.stopping && !l.waiting() && l.backlog() < maxUnsettled {
			l.asking = true
			go func() { l.received <- l.receive(asking) }() // there is room, and it is taken below
		}
		if l.stopping && !l.asking && len(l.held) == 0 {
			return
		}
		var out chan *message.Message
		next := l.next()
		var m *message.Message
		if next != nil {
			out, m = l.out, next.Message
		}
		select {
		case b := <-l.received:
			l.asking = false
			l.take(b)
		case out <- m:
			l.give(next)
		case o := <-l.settled:
			l.settle(o)
		case <-l.progress:
		case err := <-l.errors:
			l.fail(err)
			l.stop()
			cancel()
		case <-alive.C:
			l.keep()
		case <-stop:
			stop = nil
			l.stop()
			cancel()
		case <-l.ctx.Done():
			l.stop()
			cancel()
			for l.given > 0 || l.asking { // both end soon
				select {
				case o := <-l.settled:
					l.settle(o)
				case b := <-l.received:
					l.asking = false
					l.take(b)
				}
			}
			return
		}
	}
}

// waiting tells whether there is a message that was not given yet.
func (l *lane) waiting() bool { return len(l.held) > l.given }

// next returns the message that is to be given now, or nil.
func (l *lane) next() *held {
	if l.stopping {
		return nil
	}
	for i, h := range l.held {
		blocked := func(before *held) bool { return before.group == h.group && h.group != "" }
		if !h.given && !slices.ContainsFunc(l.held[:i], blocked) {
			return h
		}
	}
	return nil
}

// take keeps what has come.
func (l *lane) take(b batch) {
	if b.err != nil && !l.stopping {
		l.fail(b.err)
		l.stop()
	}
	now := time.Now()
	for _, received := range b.messages {
		m, o := decode(received, l.config.SNSEnvelope)
		ctx, done := context.WithCancel(context.WithValue(l.ctx, originKey{}, o))
		m.SetContext(ctx)
		l.held = append(l.held, &held{
			Message: m, receipt: aws.ToString(received.ReceiptHandle), done: done, since: now, span: l.first(),
			group: received.Attributes[string(types.MessageSystemAttributeNameMessageGroupId)],
		})
	}
	if l.stopping {
		l.stop()
	}
}

// keep gives signs of life.
func (l *lane) keep() {
	now := time.Now()
	for _, h := range l.held {
		if now.Sub(h.since) >= h.span/4 {
			h.since, h.span = now, l.visibility
			l.enqueue(order{receipt: h.receipt, visible: l.visibility})
		}
	}
}

// give watches over a message that is with the consumer.
func (l *lane) give(h *held) {
	h.given = true
	l.given++
	go func() { // it ends before run does
		select {
		case <-h.Acked():
		case <-h.Nacked():
		case <-l.ctx.Done():
		}
		l.settled <- outcome{h, isClosed(h.Acked()), isClosed(h.Nacked())}
	}()
}

// settle tells SQS what has become of a message. One that nobody has settled before the
// subscription ends is left alone: it comes again after its time.
func (l *lane) settle(o outcome) {
	l.given--
	l.held = slices.DeleteFunc(l.held, func(h *held) bool { return h == o.held })
	switch {
	case o.acked:
		l.enqueue(order{receipt: o.receipt, remove: true, after: o.done})
	case o.nacked:
		if o.group != "" { // what is behind it in its group is not to overtake it
			l.giveBack(func(h *held) bool { return h.group == o.group })
		}
		l.enqueue(order{receipt: o.receipt, visible: l.config.NackVisibilityTimeout, after: o.done})
	default:
		o.done()
	}
}

// stop gives nothing any more.
func (l *lane) stop() {
	l.stopping = true
	l.giveBack(func(*held) bool { return true })
}

// giveBack makes what waits visible to others, the youngest first, so that they take no
// message of a group before an older one.
func (l *lane) giveBack(which func(*held) bool) {
	for _, h := range slices.Backward(l.held) {
		if !h.given && which(h) {
			l.enqueue(order{receipt: h.receipt, after: h.done})
		}
	}
	l.held = slices.DeleteFunc(l.held, func(h *held) bool { return !h.given && which(h) })
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
