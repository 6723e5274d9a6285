package seda

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mehari-go/mehari/route"
)

// A crew works on the messages of one reader. As many of its goroutines as the reader has
// workers have a turn, and only those take messages and lead exchanges. A goroutine whose
// exchange pauses leaves its turn to another one and waits for a turn afterwards.
type crew struct {
	reader *reader
	ctx    context.Context
	next   route.Processor
	drains bool // when it is to stop
	all    sync.WaitGroup

	waiting atomic.Int32 // goroutines that want to return
	mu      sync.Mutex
	free    int             // turns that nobody has
	queue   []chan struct{} // of those who wait, first come, first served
	left    *int            // how many messages to take after the end of ctx; nil before it
}

func newCrew(ctx context.Context, r *reader, next route.Processor, drains bool) *crew {
	return &crew{reader: r, ctx: ctx, next: next, drains: drains}
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

// work has a turn and takes messages.
func (c *crew) work() {
	w := &worker{crew: c}
	for {
		if c.waiting.Load() > 0 && c.pass() {
			return // the one who returns goes on in this one's place
		}
		it, ok := c.take()
		switch {
		case ok:
			it.ex.SetWorker(w)
			it.process(c.ctx, c.next)
		case c.ctx.Err() == nil:
			c.reader.lane.sleep(c.ctx, &c.waiting)
		default:
			if !c.pass() {
				c.mu.Lock()
				c.free++
				c.mu.Unlock()
			}
			return
		}
	}
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

// pass gives a turn to the first of those who wait, if there is one.
func (c *crew) pass() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		return false
	}
	close(c.queue[0])
	c.queue = slices.Delete(c.queue, 0, 1)
	c.waiting.Add(-1)
	return true
}

// A worker is a goroutine of a crew.
type worker struct {
	crew *crew
	away bool
}

// Leave implements [route.Worker]. Where too many are away already it does nothing, and
// the worker waits with its exchange.
func (w *worker) Leave() {
	c := w.crew
	if int(c.reader.away.Add(1)) > int(c.reader.lane.size) {
		c.reader.away.Add(-1)
		return
	}
	w.away = true
	if !c.pass() {
		c.all.Go(c.work)
	}
}

// Return implements [route.Worker].
func (w *worker) Return() {
	if !w.away {
		return
	}
	w.away = false
	c := w.crew
	defer c.reader.away.Add(-1)
	c.mu.Lock()
	if c.free > 0 {
		c.free--
		c.mu.Unlock()
		return
	}
	turn := make(chan struct{})
	c.queue = append(c.queue, turn)
	c.waiting.Add(1)
	c.mu.Unlock()
	c.reader.lane.rouse()
	<-turn
}
