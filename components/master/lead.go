package master

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/route"
)

// A campaign is one call of Consume: it leads term after term.
type campaign struct {
	*endpoint
	intake context.Context // ends when the route stops
	next   route.Processor
	leave  context.CancelFunc // the cluster, as far as this lock is concerned

	mu      sync.Mutex
	leading bool
}

// stop leaves, unless this replica leads: then lead does, when nothing is in flight.
func (c *campaign) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.leading {
		c.leave()
	}
}

// become tells whether this replica leads, and reports false where it need not begin.
func (c *campaign) become(leading bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	stopped := c.intake.Err() != nil
	c.leading = leading && !stopped
	if stopped {
		c.leave()
	}
	return !stopped
}

// lead runs the delegate for one term.
func (c *campaign) lead(ctx context.Context, term cluster.Term) error {
	defer func() {
		if !c.become(false) {
			<-ctx.Done() // because of leave: the term did not end by itself
		}
		c.report(route.Leadership{})
	}()
	if !c.become(true) {
		return nil
	}
	c.report(route.Leadership{Leading: true, Token: term.Token()})

	work, giveUp := context.WithCancelCause(term.Context())
	defer giveUp(nil)
	defer endsWith(route.Work(c.intake), giveUp)()
	intake, stop := context.WithCancelCause(route.WithCursors(c.intake, termCursors{&c.ledger, term}))
	defer stop(nil)
	defer endsWith(ctx, stop)()
	c.consume(route.WithWork(intake, guard{work, term}), term)
	return nil
}

// endsWith calls cancel with the cause of ctx when that is done.
func endsWith(ctx context.Context, cancel context.CancelCauseFunc) (stop func() bool) {
	return context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
}

// consume runs the delegate, which is made once, until ctx is done.
func (c *campaign) consume(ctx context.Context, term cluster.Term) {
	next := stamped{c.next, c.lock, term.Token()}
	var delegate route.Consumer
	for failures := 0; ctx.Err() == nil; failures++ {
		begun := time.Now()
		err := c.try(ctx, &delegate, next)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, route.ErrDone) { // for others too: it keeps the lock
			<-ctx.Done()
			return
		}
		if err == nil {
			err = errors.New("the consumer ended")
		}
		if time.Since(begun) > time.Minute {
			failures = 0
		}
		wait := c.backoff().After(failures)
		c.report(route.Leadership{Leading: true, Token: term.Token(), Err: err})
		c.logger().Warn("leading, but the consumer ended early: starting it anew", "token", term.Token(), "wait", wait, "error", err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
			c.report(route.Leadership{Leading: true, Token: term.Token()})
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// try makes the delegate, if that is not done, and runs it.
func (c *campaign) try(ctx context.Context, delegate *route.Consumer, next route.Processor) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if *delegate == nil {
		if *delegate, err = c.consumer(); err != nil {
			return err
		}
	}
	return (*delegate).Consume(ctx, next)
}

func (c *campaign) backoff() route.Backoff {
	b := c.retry
	if b.Max == 0 {
		b.Max = 30 * time.Second
	}
	return b
}

func (c *campaign) report(l route.Leadership) {
	l.Lock = c.lock
	route.ReportLeadership(c.intake, l)
}

// A guard is a context that is over when the term is, by the clock: before anybody has
// cancelled it, after a pause.
type guard struct {
	context.Context
	term cluster.Term
}

func (g guard) Err() error {
	if err := g.Context.Err(); err != nil {
		return err
	}
	if !g.term.Valid() {
		return cluster.ErrLost
	}
	return nil
}

// stamped puts the term into the exchanges.
type stamped struct {
	next  route.Processor
	lock  string
	token any // a uint64
}

func (s stamped) Process(ctx context.Context, ex *route.Exchange) error {
	Lock.Set(ex, s.lock)
	ex.SetProperty(Token.Name(), s.token)
	return s.next.Process(ctx, ex)
}
