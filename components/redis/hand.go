package redis

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/mehari-go/mehari/route"
)

// A hand has the messages that a subscriber has taken, until the server knows what has
// become of them. One goroutine owns it.
type hand struct {
	*subscriber
	ctx   context.Context
	out   chan *message.Message
	ended chan struct{}
	err   error // of the subscription, when it has ended

	all      map[string]*held // by ID
	waiting  []*held          // to be given, the first one first
	given    int
	outcomes chan *held

	reading  bool // somebody is
	telling  bool
	next     news      // to be told
	underway news      // being told
	asked    time.Time // when it was begun to be told
	failing  time.Time
	failed   error
}

// A held message.
type held struct {
	entry
	alive   time.Time        // when the server has last heard of it
	message *message.Message // nil before it is given
	done    context.CancelFunc
	outcome outcome
}

type outcome int

const (
	untold outcome = iota
	acked
	nacked
)

func newHand(s *subscriber) *hand {
	return &hand{subscriber: s, out: make(chan *message.Message), ended: make(chan struct{}), all: map[string]*held{}, outcomes: make(chan *held)}
}

// start gives messages until ctx is done, or the server does not answer for too long.
func (h *hand) start(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	h.ctx = ctx
	var helpers sync.WaitGroup
	asks, batches := make(chan int), make(chan batch)
	all, told := make(chan news), make(chan error)
	helpers.Go(func() { h.readAll(ctx, asks, batches) })
	helpers.Go(func() { h.tellAll(ctx, all, told) })
	go func() {
		defer close(h.ended)
		defer helpers.Wait()
		h.err = h.run(asks, batches, all, told)
		cancel()
		h.finish(asks, batches, all, told)
	}()
}

// run returns when the subscription ends.
func (h *hand) run(asks chan<- int, batches <-chan batch, all chan<- news, told <-chan error) error {
	alive := time.NewTicker(h.config.MaxIdle / 3)
	defer alive.Stop()
	for {
		h.drop()
		var ask chan<- int
		room := h.config.Prefetch - len(h.waiting) - len(h.next.done) - len(h.underway.done)
		if !h.reading && room > h.config.Prefetch/2 {
			ask = asks
		}
		var give chan<- *message.Message
		var first *message.Message
		if len(h.waiting) > 0 {
			give, first = h.out, h.begin(h.waiting[0])
		}
		var tell chan<- news
		if !h.telling && len(h.next.done)+len(h.next.back)+len(h.next.working) > 0 {
			tell = all
		}
		select {
		case ask <- room:
			h.reading = true
		case b := <-batches:
			h.reading = false
			h.take(b.entries)
			if err := h.note(b.err); err != nil {
				return err
			}
		case give <- first:
			h.watch(h.shift())
		case m := <-h.outcomes:
			h.settle(m)
		case tell <- h.next:
			h.telling, h.underway, h.next, h.asked = true, h.next, news{}, time.Now()
		case err := <-told:
			h.hear(err)
		case <-alive.C:
			h.next.working = h.ids()
		case <-h.ctx.Done():
			return nil
		}
	}
}

// take adds what was read. What it has already was claimed by itself, in a time when the
// server heard no sign of life.
func (h *hand) take(entries []entry) {
	for _, e := range entries {
		if _, ok := h.all[e.ID]; ok {
			continue
		}
		m := &held{entry: e, alive: time.Now()}
		h.all[e.ID] = m
		h.waiting = append(h.waiting, m)
	}
}

// drop forgets what waits and has given no sign of life for so long, with this process
// halted or the server away, that others may have taken it over.
func (h *hand) drop() {
	for h.source.isShared() && len(h.waiting) > 0 && time.Since(h.waiting[0].alive) > h.config.MaxIdle {
		m := h.shift()
		delete(h.all, m.ID)
		if m.done != nil {
			m.done()
		}
	}
}

func (h *hand) shift() *held {
	m := h.waiting[0]
	h.waiting[0] = nil
	h.waiting = h.waiting[1:]
	return m
}

// note returns an error if the server does not answer for so long that others have taken
// over what is in hand. Without a group there are none, and the place would be lost.
func (h *hand) note(err error) error {
	switch {
	case err == nil && h.failed != nil:
		h.failed = nil
		h.logger.Info("the server of a stream is back", "stream", h.config.Stream)
		route.ReportSubscribed(h.ctx, true)
	case err != nil && h.failed == nil:
		h.failing, h.failed = time.Now(), err
		h.logger.Warn("a stream cannot be read", "stream", h.config.Stream, "error", err)
		route.ReportSubscribed(h.ctx, false)
	case err != nil && h.source.isShared() && time.Since(h.failing) > h.config.MaxIdle:
		return fmt.Errorf("read: %w", err)
	}
	return nil
}

// begin makes a message of what is to be given.
func (h *hand) begin(m *held) *message.Message {
	if m.message == nil {
		m.message = decode(m.entry)
		var ctx context.Context
		ctx, m.done = context.WithCancel(context.WithValue(h.ctx, entryKey{}, m.entry))
		m.message.SetContext(ctx)
	}
	return m.message
}

// watch waits for the outcome of a message that was given. It ends with the subscriber at
// the latest.
func (h *hand) watch(m *held) {
	h.given++
	go func() {
		select {
		case <-m.message.Acked():
		case <-m.message.Nacked():
		case <-h.closing:
		}
		m.outcome = outcomeOf(m.message)
		h.outcomes <- m
	}()
}

func outcomeOf(m *message.Message) outcome {
	select {
	case <-m.Acked():
		return acked
	case <-m.Nacked():
		return nacked
	default:
		return untold
	}
}

// settle notes the outcome of a message. What is still open when the subscriber is closed is
// left alone: it comes again when it has been idle for long enough.
func (h *hand) settle(m *held) {
	h.given--
	if m.outcome == acked {
		h.next.done = append(h.next.done, m.ID)
		return
	}
	m.done()
	if m.outcome == nacked && !h.source.isShared() {
		m.message = nil
		h.waiting = append(h.waiting, m)
		return
	}
	delete(h.all, m.ID)
	if m.outcome == nacked {
		h.next.back = append(h.next.back, m.ID)
	}
}

// hear notes whether the server has heard the news. Signs of life are renewed anyway.
func (h *hand) hear(err error) {
	h.telling = false
	if err != nil {
		h.next.done = append(h.underway.done, h.next.done...)
		h.next.back = append(h.underway.back, h.next.back...)
		h.underway = news{}
		return
	}
	for _, id := range h.underway.working {
		if m := h.all[id]; m != nil {
			m.alive = h.asked
		}
	}
	for _, id := range h.underway.done {
		h.all[id].done()
		delete(h.all, id)
	}
	h.underway = news{}
}

// ids returns those of all that is in hand.
func (h *hand) ids() []string {
	ids := make([]string, 0, len(h.all))
	for id := range h.all {
		ids = append(ids, id)
	}
	return ids
}

// finish gives back what was not worked on, and tells the rest.
func (h *hand) finish(asks chan<- int, batches <-chan batch, all chan<- news, told <-chan error) {
	close(h.out)
	close(asks)
	for h.given > 0 || h.reading {
		select {
		case m := <-h.outcomes:
			h.settle(m)
		case b := <-batches:
			h.reading = false
			h.take(b.entries)
		}
	}
	if h.telling {
		h.hear(<-told)
	}
	for _, m := range h.waiting {
		h.next.back = append(h.next.back, m.ID)
		if m.done != nil {
			m.done()
		}
	}
	all <- h.next
	<-told
	close(all)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.ctx), commandTime)
	defer cancel()
	h.source.leave(ctx)
	for _, m := range h.all {
		if m.done != nil {
			m.done()
		}
	}
}
