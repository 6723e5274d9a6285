package seda

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/mehari-go/mehari/route"
)

// A crew works on the messages of one reader. As many of its goroutines as the reader has
// workers take messages. One whose exchange pauses does not count, so that another one
// takes messages in its place. When it goes on it counts again, and does so at once: those
// that work meanwhile may wait for something that its exchange holds. As long as too many
// are at work no message is taken.
type crew struct {
	reader *reader
	ctx    context.Context
	next   route.Processor
	drains bool // when it is to stop
	all    sync.WaitGroup
	idle   atomic.Int32 // goroutines that sleep, or are about to

	mu   sync.Mutex
	left *int // how many messages to take after the end of ctx; nil before it
}

// run returns when the crew is done, after the end of ctx.
//
// When ctx is cancelled without a cause of its own, as it is when a route stops, the crew
// works on what is in the queue by then too, if it drains, as long as exchanges in flight
// may take to finish.
func (c *crew) run() {
	for range c.reader.workers {
		c.all.Go(c.work)
	}
	c.all.Wait()
}

// work is a goroutine that counts as one at work.
func (c *crew) work() {
	w, r := &worker{crew: c}, c.reader
	for !c.tooMany() {
		it, ok := c.take()
		switch {
		case ok:
			it.ex.SetWorker(w)
			it.process(c.ctx, c.next)
		case c.ctx.Err() != nil || !below(&c.idle, int32(r.workers)):
			r.active.Add(-1)
			return
		default:
			r.active.Add(-1)
			r.lane.sleep(c.ctx)
			c.idle.Add(-1)
			r.active.Add(1)
		}
	}
}

// tooMany tells whether more are at work than should be, and then takes the caller away.
func (c *crew) tooMany() bool {
	for n := c.reader.active.Load(); n > int32(c.reader.workers); n = c.reader.active.Load() {
		if c.reader.active.CompareAndSwap(n, n-1) {
			return true
		}
	}
	return false
}

// below adds one to n, if it is below most then.
func below(n *atomic.Int32, most int32) bool {
	for v := n.Load(); v < most; v = n.Load() {
		if n.CompareAndSwap(v, v+1) {
			return true
		}
	}
	return false
}

// take returns the next message, if there is one that is to be worked on.
func (c *crew) take() (item, bool) {
	if c.ctx.Err() == nil {
		return c.reader.lane.take()
	}
	if !c.drains || !errors.Is(context.Cause(c.ctx), context.Canceled) || route.Work(c.ctx).Err() != nil {
		return item{}, false
	}
	c.mu.Lock()
	if c.left == nil {
		c.left = new(c.reader.lane.len())
	}
	*c.left--
	over := *c.left < 0
	c.mu.Unlock()
	if over {
		return item{}, false
	}
	return c.reader.lane.take()
}

// A worker is a goroutine of a crew.
type worker struct {
	crew *crew
	away bool
}

// Leave implements [route.Worker]. Where too many are away already it does nothing, and
// the worker waits with its exchange.
func (w *worker) Leave() {
	c, r := w.crew, w.crew.reader
	if w.away || !below(&r.away, int32(r.lane.size)) {
		return
	}
	w.away = true
	r.active.Add(-1)
	if !r.lane.rouse() && below(&r.active, int32(r.workers)) {
		c.all.Go(c.work)
	}
}

// Return implements [route.Worker].
func (w *worker) Return() {
	if w.away {
		w.away = false
		w.crew.reader.active.Add(1)
		w.crew.reader.away.Add(-1)
	}
}
