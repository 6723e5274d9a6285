package route

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mehari-go/mehari/internal/convert"
)

// completedBy tells what completes a group, "" for nothing.
func (a *aggregator) completedBy(ctx context.Context, ex *Exchange, size int) (string, error) {
	if flag(ex, CompleteCurrentGroup) {
		return CompletedByStrategy, nil
	}
	if a.when != nil {
		if ok, err := a.when(ctx, ex); err != nil {
			return "", err
		} else if ok {
			return CompletedByPredicate, nil
		}
	}
	if a.Size == nil {
		return "", nil
	}
	v, err := a.size.get(ctx, ex)
	if err != nil || v == nil {
		return "", err
	}
	most, ok := v.(int)
	if !ok {
		if most, err = convert.As[int](v); err != nil {
			return "", fmt.Errorf("Size: %w", err)
		}
	}
	if most > 0 && size >= most {
		return CompletedBySize, nil
	}
	return "", nil
}

// timeoutOf tells how long the group that ex is in waits for one more, 0 for as before.
func (a *aggregator) timeoutOf(ctx context.Context, ex *Exchange) (time.Duration, error) {
	if a.Timeout == nil {
		return 0, nil
	}
	v, err := a.timeout.get(ctx, ex)
	if err != nil || v == nil {
		return 0, err
	}
	d, err := asDuration(v)
	if err != nil {
		err = fmt.Errorf("Timeout: %w", err)
	}
	return d, err
}

// close makes an open group a completed one, which is the exchange ex, and owns that.
func (a *aggregator) close(ctx context.Context, g *Group, ex *Exchange, size int, by string) (completed, error) {
	flag(ex, CompleteCurrentGroup)
	AggregatedKey.Set(ex, g.Key)
	AggregatedCompletedBy.Set(ex, by)
	if g.Timeout > 0 {
		AggregatedTimeout.Set(ex, g.Timeout)
	}
	ex.reply, ex.quiet, ex.id = false, false, exchangeID{0, serial.Add(1)}
	c := completed{ex: ex}
	if a.recoverable != nil {
		c.id = newGroupID()
		g.take(ex, size)
		AggregatedSize.Set(ex, size)
		g.CompletedBy = by
	}
	if err := a.remove(ctx, g, c.id); err != nil {
		ex.Release()
		return completed{}, err
	}
	return c, nil
}

// remove takes a group from the open ones. Where it has an id, it is a completed one then.
func (a *aggregator) remove(ctx context.Context, g *Group, id string) (err error) {
	a.mu.Lock()
	e := a.open[g.Key]
	if e != nil { // first, because somebody may begin another one at once
		a.due.remove(e)
		delete(a.open, g.Key)
	}
	if id != "" {
		a.processed[id] = false
	}
	a.mu.Unlock()
	switch {
	case id != "":
		err = a.recoverable.Complete(ctx, id, g)
	case g.Version > 0:
		err = a.groups.Remove(ctx, g)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if err == nil {
		a.closed.add(g.Key)
		return nil
	}
	delete(a.processed, id)
	if e != nil && a.open[g.Key] == nil {
		a.open[g.Key] = e
		if e.deadline > 0 {
			a.due.push(e)
		}
	}
	return err
}

// newGroupID returns an id that sorts by the time.
func newGroupID() string {
	return fmt.Sprintf("%016x-%08x-%s", time.Now().UnixNano(), serial.Add(1), rand.Text())
}

// discardFailed drops a group whose strategy has failed.
func (a *aggregator) discardFailed(ctx context.Context, key string, old *Group, cause error) error {
	size := 1
	if old != nil {
		size += old.Size
		if err := a.remove(ctx, old, ""); err != nil {
			return err
		}
	}
	a.run.engine.logger.WarnContext(ctx, "group discarded: its strategy failed", "route", a.run.id, "key", key, "exchanges", size, "error", cause)
	return nil
}

// completeAll completes all groups but the one with a key, also those that are in the
// repository from before a start.
func (a *aggregator) completeAll(ctx context.Context, host *Exchange, except, by string) error {
	err := a.restore(ctx)
	for _, key := range a.keys() {
		if key != except {
			err = errors.Join(err, a.complete(ctx, host, key, by))
		}
	}
	return err
}

// keys returns those of the open groups.
func (a *aggregator) keys() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	keys := make([]string, 0, len(a.open))
	for key := range a.open {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// complete completes and processes the group with a key, if there is one.
func (a *aggregator) complete(ctx context.Context, host *Exchange, key, by string) error {
	c, err := a.closeOpen(ctx, key, by)
	if err == nil && c.ex != nil {
		a.process(ctx, host, c)
	}
	return err
}

// closeOpen makes the group with a key a completed one. Where somebody else was faster its
// ex is nil.
func (a *aggregator) closeOpen(ctx context.Context, key, by string) (completed, error) {
	stripe, err := a.lock(ctx, key)
	if err != nil {
		return completed{}, err
	}
	defer unlock(stripe)
	a.mu.Lock()
	e := a.open[key]
	gone := e == nil || by == CompletedByTimeout && (e.deadline == 0 || e.deadline > a.now())
	a.mu.Unlock()
	if gone {
		return completed{}, nil
	}
	g, err := a.groups.Get(ctx, key)
	if err != nil {
		return completed{}, err
	}
	if g == nil {
		a.lost(e)
		return completed{}, nil
	}
	if by == CompletedByTimeout && a.DiscardOnTimeout {
		if err = a.remove(ctx, g, ""); err == nil {
			a.run.engine.logger.DebugContext(ctx, "group discarded: its time is over", "route", a.run.id, "key", key, "exchanges", g.Size)
		}
	} else {
		var c completed
		if c, err = a.close(ctx, g, g.exchange(a.run), g.Size, by); err == nil {
			return c, nil
		}
	}
	if a.OptimisticLocking && errors.Is(err, ErrConflict) {
		err = nil
	}
	return completed{}, err
}

// process leads a completed group through the body, for host, which has completed it.
func (a *aggregator) process(ctx context.Context, host *Exchange, c completed) {
	if a.places == nil {
		c.ex.flight = host.flight
		err := guarded(outlived{ctx}, a.body, c.ex)
		a.processedOne(ctx, c, err)
		c.ex.Release()
		return
	}
	select {
	case a.places <- struct{}{}:
		c.ex.spawn(ctx, a.body, func(_ *Exchange, err error) {
			<-a.places
			a.confirm(ctx, c.id, err)
		})
	case <-ctx.Done():
		a.processedOne(ctx, c, context.Cause(ctx))
		c.ex.Release()
	}
}

// processedOne tells the outcome of a group.
func (a *aggregator) processedOne(ctx context.Context, c completed, err error) {
	if err != nil {
		c.ex.flight = nil
		a.run.fail(ctx, c.ex, err, true)
	}
	a.confirm(ctx, c.id, err)
}
