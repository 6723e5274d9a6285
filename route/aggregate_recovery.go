package route

import (
	"context"
	"time"
)

// confirm tells a repository that a completed group was processed, or forgets that it is
// being processed if it failed, so that it is recovered.
func (a *aggregator) confirm(ctx context.Context, id string, failed error) {
	if id == "" {
		return
	}
	if failed == nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.run.engine.config.Abandon)
		defer cancel()
		if err := a.recoverable.Confirm(ctx, id); err != nil {
			a.failed("group not confirmed, though it was processed: it will be tried again", err, "id", id)
			a.mu.Lock()
			defer a.mu.Unlock()
			a.processed[id] = true
			return
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.processed, id)
}

// restore takes up the open groups of a repository, which are another process' or those
// from before a stop. Once it has succeeded it does nothing more until leave.
func (a *aggregator) restore(ctx context.Context) error {
	if a.inMemory {
		return nil
	}
	a.restoring.Lock()
	defer a.restoring.Unlock()
	if a.restored {
		return nil
	}
	for g, err := range a.groups.Open(ctx) {
		if err != nil {
			return err
		}
		a.mu.Lock()
		e := a.open[g.Key]
		if e == nil {
			e = &openGroup{key: g.Key, stored: true}
			a.open[g.Key] = e
		}
		if e.deadline == 0 && g.Timeout > 0 {
			e.deadline = max(a.now()+time.Until(g.Deadline), 1)
			a.due.push(e)
		}
		a.mu.Unlock()
	}
	a.restored = true
	return nil
}

// leave has the next run of the route look at the repository anew.
func (a *aggregator) leave() {
	a.restoring.Lock()
	defer a.restoring.Unlock()
	a.restored = false
}

// recover processes the completed groups again that nobody is processing.
func (k *keeper) recover() {
	term, ok := k.leads()
	if !ok || k.in.ctx.Err() != nil {
		return
	}
	var ids []string
	for id, err := range k.recoverable.Unconfirmed(k.work) {
		if err != nil {
			k.failed("completed groups not read: it will be tried again", err)
			break
		}
		ids = append(ids, id)
	}
	for _, id := range ids {
		if k.in.ctx.Err() != nil || term != nil && term.Err() != nil {
			return
		}
		k.mu.Lock()
		confirm, busy := k.processed[id]
		if !busy {
			k.processed[id] = false
		}
		k.mu.Unlock()
		switch {
		case confirm:
			k.confirm(k.work, id, nil)
		case !busy:
			k.recoverOne(term, id)
		}
	}
}

// recoverOne processes a completed group again, or gives it to the dead letter endpoint.
func (k *keeper) recoverOne(term context.Context, id string) {
	g, err := k.recoverable.Recover(k.work, id)
	if err != nil || g == nil {
		if err != nil {
			k.failed("completed group not recovered: it will be tried again", err, "id", id)
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.processed, id)
		return
	}
	ex := g.exchange(k.run)
	ex.id = exchangeID{0, serial.Add(1)}
	count, most, p := g.Redeliveries, k.Recovery.MaximumRedeliveries, k.body
	if most > 0 && count > most {
		count, p = most, k.deadLetter
		k.run.engine.logger.Warn("group given to its dead letter endpoint", "route", k.run.id, "key", g.Key, "redeliveries", count, "to", k.Recovery.DeadLetter.String())
	}
	Redelivered.Set(ex, true)
	RedeliveryCounter.Set(ex, count)
	if most > 0 {
		RedeliveryMaximum.Set(ex, most)
	}
	k.start(term, completed{ex, id}, p)
}
