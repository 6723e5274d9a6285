package direct

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mehari-go/mehari/internal/nearest"
	"github.com/mehari-go/mehari/route"
)

// A target is what the endpoints of one name share.
type target struct {
	callee atomic.Pointer[callee] // nil where nobody consumes

	mu sync.Mutex
	up chan struct{} // closed when a consumer comes
}

// open makes c the consumer. If there is one already it returns that.
func (t *target) open(c *callee) (other *callee) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if other := t.callee.Load(); other != nil {
		return other
	}
	t.callee.Store(c)
	close(t.up)
	return nil
}

// close ends the calls of c. It returns when the last one has.
func (t *target) close(c *callee) {
	if c.calls.Add(closed) != closed {
		<-c.idle
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.callee.Store(nil)
	t.up = make(chan struct{})
	close(c.gone)
}

// await waits for a consumer and enters it. It returns nil if there is none in time.
func (t *target) await(ctx context.Context, wait time.Duration) (*callee, int64, error) {
	if wait == 0 {
		return nil, 0, nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		t.mu.Lock()
		c, up := t.callee.Load(), t.up
		t.mu.Unlock()
		if c != nil {
			if calls := c.enter(); calls > 0 {
				return c, calls, nil
			}
			up = c.gone
		}
		select {
		case <-up:
		case <-timer.C:
			return nil, 0, nil
		case <-ctx.Done():
			return nil, 0, context.Cause(ctx)
		}
	}
}

// A callee is a consumer from its start to its end.
type callee struct {
	next  route.Processor
	route string
	place route.Position

	// calls is how many are in it, plus closed once no more may come.
	calls atomic.Int64
	idle  chan struct{} // told when the last call has returned
	gone  chan struct{} // closed when another may come
}

const closed = 1 << 62

func (c *callee) String() string {
	if c.route == "" {
		return "code outside of routes"
	}
	return fmt.Sprintf("route %q at %s", c.route, c.place)
}

// enter returns how many calls there are with this one, or 0 if c takes no more.
func (c *callee) enter() int64 {
	n := c.calls.Add(1)
	if n > closed {
		c.leave()
		return 0
	}
	return n
}

func (c *callee) leave() {
	if c.calls.Add(-1) == closed {
		select {
		case c.idle <- struct{}{}:
		default: // one that came too late has left before
		}
	}
}

// A direct endpoint that calls itself, by whatever way, would overflow the stack, which
// ends the process. Whether calls are nested shows in the stack; to look there is slow,
// so it is done only where there are many calls at once: every checkEvery-th.
const (
	checkEvery = 256
	maxFrames  = 8192 // a call is about six frames, and a stack may have a gigabyte
)

func tooDeep() bool {
	var pc [1]uintptr
	return runtime.Callers(maxFrames, pc[:]) > 0
}

// hint tells which names there are instead.
func (c *component) hint(name string) string {
	var have []string
	for other, t := range c.targets.All() {
		if t.callee.Load() != nil {
			have = append(have, other)
		}
	}
	slices.Sort(have)
	return nearest.Hint(name, have)
}
