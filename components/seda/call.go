package seda

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/mehari-go/mehari/route"
)

// A call is a sender that waits for the outcome of its message.
type call struct {
	ended atomic.Bool // by the outcome, or because the sender has gone
	done  chan error  // has place for one
}

// process gives the item to next. One whose sender has gone is not worked on any more.
func (it item) process(ctx context.Context, next route.Processor) {
	if it.call != nil && it.call.ended.Load() {
		it.ex.Release()
		return
	}
	it.finish(next.Process(ctx, it.ex))
}

// finish tells the sender, if it waits, who then releases the exchange.
func (it item) finish(err error) {
	if it.call != nil && it.call.ended.CompareAndSwap(false, true) {
		it.call.done <- err
		return
	}
	it.ex.Release()
}

// request sends a copy of ex and waits for what becomes of it.
func (e *endpoint) request(ctx context.Context, l *lane, ex *route.Exchange) error {
	it := item{ex.Handover(true), &call{done: make(chan error, 1)}}
	if !l.put(it) {
		if err := e.room(ctx, l, it.ex, func() bool { return l.put(it) }); err != nil {
			it.ex.Release()
			if err == errDiscarded {
				return nil
			}
			return err
		}
	}
	var late <-chan time.Time
	if e.timeout > 0 {
		timer := time.NewTimer(e.timeout)
		defer timer.Stop()
		late = timer.C
	}
	var err error
	select {
	case err := <-it.call.done:
		return it.outcome(ex, err)
	case <-late:
		err = fmt.Errorf("%s: no outcome within %v", e, e.timeout)
	case <-ctx.Done():
		err = fmt.Errorf("%s: no outcome: %w", e, context.Cause(ctx))
	}
	if it.call.ended.CompareAndSwap(false, true) {
		return err // whoever takes the item, or has taken it, releases its exchange
	}
	return it.outcome(ex, <-it.call.done)
}

// outcome makes ex what the copy has become.
func (it item) outcome(ex *route.Exchange, err error) error {
	defer it.ex.Release()
	ex.Body = it.ex.Body
	var names []string
	for name := range ex.Headers() {
		names = append(names, name)
	}
	for _, name := range names {
		ex.RemoveHeader(name)
	}
	for name, value := range it.ex.Headers() {
		ex.SetHeader(name, value)
	}
	for name, value := range it.ex.Properties() {
		ex.SetProperty(name, value)
	}
	return err
}
