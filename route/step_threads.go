package route

import (
	"cmp"
	"context"
	"fmt"
)

// ThreadsOptions are the options of [Route.Threads].
type ThreadsOptions struct {
	Size         int // how many exchanges are in the body at a time; 0 means 10
	MaxQueueSize int // how many wait for that; 0 means 1000, less than 0 none

	// Rejected tells what becomes of an exchange that finds no place to wait; the zero value
	// is ThreadsCallerRuns.
	Rejected ThreadsRejected
}

// ThreadsRejected tells what [Route.Threads] does with an exchange that finds no place.
type ThreadsRejected uint8

// The policies. By ThreadsCallerRuns whoever brings the exchange works on it as well, so
// that it brings no other meanwhile; by ThreadsBlock it waits for a place; by ThreadsAbort it
// gets a [*RejectedError].
const (
	ThreadsCallerRuns ThreadsRejected = iota
	ThreadsBlock
	ThreadsAbort
)

// A RejectedError says that there was no place for an exchange.
type RejectedError struct {
	Size  int // as many are worked on at a time
	Queue int // and as many wait
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("rejected: %d exchanges are worked on and %d wait already", e.Size, e.Queue)
}

const (
	defaultThreads = 10
	defaultQueue   = 1000
	maxThreads     = 10_000
	maxQueue       = 1_000_000
)

// Threads runs body in a bounded number of goroutines of the route.
//
// Where somebody waits for a reply, the exchange itself goes through body, and on after it.
// Where nobody does, a copy goes through body, and the exchange goes on after it at once,
// as it was. Then the consumer hears that the message is done with, and acknowledges it,
// before body has run: what body fails at is only logged, and what has not run when the
// process dies is lost. A route that stops waits for what is in body and in the queue, as
// long as the drain time.
func (c *chain[Self]) Threads(body *Block, options ...ThreadsOptions) Self {
	return c.add(threadsStep{body, options})
}

type threadsStep struct {
	body    *Block
	options []ThreadsOptions
}

func (s threadsStep) String() string {
	n := defaultThreads
	if len(s.options) > 0 {
		n = cmp.Or(s.options[0].Size, n)
	}
	return fmt.Sprintf("threads %d", n)
}

func (s threadsStep) Build(b *Builder) Processor {
	o := only(b, s.options)
	o.Size = cmp.Or(o.Size, defaultThreads)
	o.MaxQueueSize = max(0, cmp.Or(o.MaxQueueSize, defaultQueue))
	if o.Size < 0 || o.Size > maxThreads {
		b.Errorf("want a Size from 1 to %d, have %d", maxThreads, o.Size)
	}
	if o.MaxQueueSize > maxQueue {
		b.Errorf("want a MaxQueueSize of at most %d, have %d", maxQueue, o.MaxQueueSize)
	}
	if o.Rejected > ThreadsAbort {
		b.Errorf("want Rejected to be route.ThreadsCallerRuns, ThreadsBlock or ThreadsAbort, have %d", o.Rejected)
	}
	t := &threads{ThreadsOptions: o, body: b.filled(s.body)}
	t.done = func(*Exchange, error) { t.room.leave() }
	return t
}

type threads struct {
	ThreadsOptions
	body Processor
	room line // for those in the body and in the queue
	pool line // for those in the body
	done func(*Exchange, error)
}

func (t *threads) Process(ctx context.Context, ex *Exchange) error {
	if ok, _ := t.room.enter(t.Size + t.MaxQueueSize); !ok {
		switch t.Rejected {
		case ThreadsAbort:
			return &RejectedError{t.Size, t.MaxQueueSize}
		case ThreadsCallerRuns:
			return t.run(ctx, ex)
		}
		if err := t.room.wait(ctx, ex, t.Size+t.MaxQueueSize, false); err != nil {
			return err
		}
	}
	place := t.pool.join(t.Size)
	if !ex.reply {
		ex.Handover(false).spawn(ctx, ProcessorFunc(func(ctx context.Context, c *Exchange) error {
			return t.inPool(ctx, c, place)
		}), t.done)
		return nil
	}
	defer t.room.leave()
	return t.inPool(ctx, ex, place)
}

// run runs the body in the goroutine of the caller.
func (t *threads) run(ctx context.Context, ex *Exchange) error {
	if ex.reply {
		return t.body.Process(ctx, ex)
	}
	c := ex.trial()
	defer c.Release()
	return guarded(ctx, t.body, c)
}

func (t *threads) inPool(ctx context.Context, ex *Exchange, place *turn) error {
	if err := t.pool.await(ctx, place, t.Size); err != nil {
		return err
	}
	defer t.pool.leave()
	return t.body.Process(ctx, ex)
}
