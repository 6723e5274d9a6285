package file

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

// gatherTime is how long a poll waits for more to happen, so that a file that is written in
// many parts does not make as many polls.
const gatherTime = 20 * time.Millisecond

// A watcher asks for a poll when something new is in the folders. A nil one does nothing.
type watcher struct {
	ctx    context.Context
	notes  *fsnotify.Watcher
	wake   chan struct{}
	later  *time.Timer
	logger *slog.Logger
	told   sync.Once
	all    sync.WaitGroup
}

// watch returns nil where the system has no more means to tell.
func (c consumer) watch(ctx context.Context) *watcher {
	notes, err := fsnotify.NewWatcher()
	if err != nil {
		c.logger.WarnContext(ctx, "files are not watched, only polled", "endpoint", c.String(), "error", err)
		return nil
	}
	w := &watcher{ctx: ctx, notes: notes, wake: make(chan struct{}, 1), logger: c.logger.With("endpoint", c.String())}
	w.later = time.AfterFunc(time.Hour, w.poll)
	w.later.Stop()
	w.all.Go(w.listen)
	return w
}

func (w *watcher) wakes() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.wake
}

func (w *watcher) poll() {
	select {
	case w.wake <- struct{}{}:
	default: // it is asked for already
	}
}

// listen returns when the watcher is closed.
func (w *watcher) listen() {
	var gathered <-chan time.Time
	for {
		var news bool
		select {
		case event, ok := <-w.notes.Events:
			if !ok {
				return
			}
			news = event.Has(fsnotify.Create) || event.Has(fsnotify.Write)
		case _, ok := <-w.notes.Errors: // such as too many events: look what there is
			if !ok {
				return
			}
			news = true
		case <-gathered:
			gathered = nil
			w.poll()
		}
		if news && gathered == nil {
			gathered = time.After(gatherTime)
		}
	}
}

// wakeAfter asks for a poll later, for a file that is not ready.
func (w *watcher) wakeAfter(d time.Duration) {
	if w != nil {
		w.later.Reset(d)
	}
}

// follow watches a folder. Asking again for the same one is cheap.
func (w *watcher) follow(dir string) {
	if w == nil {
		return
	}
	if err := w.notes.Add(dir); err != nil {
		w.told.Do(func() {
			w.logger.WarnContext(w.ctx, "folder is not watched, only polled", "folder", dir, "error", err)
		})
	}
}

func (w *watcher) close() {
	if w == nil {
		return
	}
	_ = w.notes.Close()
	w.all.Wait()
	w.later.Stop()
}
