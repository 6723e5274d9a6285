package route

import (
	"context"
	"sync"
	"time"

	"github.com/mehari-go/mehari/internal/sleep"
)

// A line lets exchanges pass, first come, first served: no more than a number at a time,
// or, with a window, in any time as long as that.
type line struct {
	mu          sync.Mutex
	window      *window // nil for at a time
	used        int     // of those at a time
	first, last *turn   // those who wait
}

// A turn is one who waits in a line.
type turn struct {
	wake          chan struct{} // has place for one; for the first in the line
	before, after *turn
}

// try takes a place if there is one. Otherwise it returns how long it takes until there
// is, 0 where nobody knows. The lock is held.
func (l *line) try(max int) (bool, time.Duration) {
	if l.window != nil {
		return l.window.try(max)
	}
	if l.used < max {
		l.used++
		return true, 0
	}
	return false, 0
}

// enter takes a place if there is one and nobody waits for it.
func (l *line) enter(max int) (bool, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first != nil {
		return false, 0
	}
	return l.try(max)
}

// wait is enter for those who have the time. Where it is asynchronous the worker of ex is
// free meanwhile, if it has one.
func (l *line) wait(ctx context.Context, ex *Exchange, max int, async bool) error {
	t := l.join(max)
	if t == nil {
		return nil
	}
	if async && ex.worker != nil {
		ex.worker.Leave()
		defer ex.worker.Return()
	}
	return l.await(ctx, t, max)
}

// join takes a place and returns nil, or returns a turn to await.
func (l *line) join(max int) *turn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		if ok, _ := l.try(max); ok {
			return nil
		}
	}
	t := &turn{wake: make(chan struct{}, 1), before: l.last}
	if l.first == nil {
		l.first = t
		l.wakeFirst()
	} else {
		l.last.after = t
	}
	l.last = t
	return t
}

// await waits for a place, which the turn of nil has.
func (l *line) await(ctx context.Context, t *turn, max int) error {
	if t == nil {
		return nil
	}
	for {
		select {
		case <-t.wake:
		case <-ctx.Done():
			l.giveUp(t)
			return context.Cause(ctx)
		}
		ok, after := l.advance(t, max)
		if ok {
			return nil
		}
		if after > 0 && !sleep.For(ctx, after) {
			l.giveUp(t)
			return context.Cause(ctx)
		}
	}
}

// advance lets t, which is the first, pass if there is a place. If there will be one in
// some time, t has to come again then; else it is woken.
func (l *line) advance(t *turn, max int) (bool, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ok, after := l.try(max)
	if ok {
		l.remove(t)
	} else if after > 0 {
		l.wakeFirst()
	}
	return ok, after
}

func (l *line) giveUp(t *turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(t)
}

// remove takes t out of the line. The lock is held.
func (l *line) remove(t *turn) {
	if t.before == nil {
		l.first = t.after
	} else {
		t.before.after = t.after
	}
	if t.after == nil {
		l.last = t.before
	} else {
		t.after.before = t.before
	}
	if t.before == nil {
		l.wakeFirst()
	}
}

// wakeFirst makes the first look whether there is a place. The lock is held.
func (l *line) wakeFirst() {
	if l.first != nil {
		select {
		case l.first.wake <- struct{}{}:
		default:
		}
	}
}

// leave gives a place back that was taken for a time.
func (l *line) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used--
	l.wakeFirst()
}

// idle tells whether nobody has a place or waits for one.
func (l *line) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.window != nil {
		l.window.forget()
		return l.window.total == 0 && l.first == nil
	}
	return l.used == 0 && l.first == nil
}

// A window knows how many have passed in the last time as long as per. Those who pass
// shortly after each other, within windowParts of that, count as if all had passed with the
// last of them, so that they need not be known one by one.
type window struct {
	per   time.Duration
	base  time.Time
	runs  []run
	total int // of all runs
}

// A run is how many have passed from one time to another, since base.
type run struct {
	from, to time.Duration
	n        int
}

const windowParts = 200

func (w *window) try(max int) (bool, time.Duration) {
	now := w.forget()
	if w.total >= max {
		over := w.total - max + 1 // must be forgotten first
		for _, r := range w.runs {
			if over -= r.n; over <= 0 {
				return false, r.to + w.per - now
			}
		}
	}
	w.total++
	if n := len(w.runs); n > 0 && now-w.runs[n-1].from <= w.per/windowParts {
		w.runs[n-1].to = now
		w.runs[n-1].n++
	} else {
		w.runs = append(w.runs, run{now, now, 1})
	}
	return true, 0
}

// forget takes away what has passed before the window, and returns the time.
func (w *window) forget() time.Duration {
	now, old := time.Since(w.base), 0
	for old < len(w.runs) && w.runs[old].to+w.per <= now {
		w.total -= w.runs[old].n
		old++
	}
	if old > 0 {
		w.runs = append(w.runs[:0], w.runs[old:]...)
	}
	return now
}
