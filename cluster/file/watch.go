package file

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/mehari-go/mehari/cluster"
)

// How often a watch looks by itself.
const (
	told   = time.Second           // beside being told by the operating system
	untold = 50 * time.Millisecond // where that is not to be had
)

// Watch implements [cluster.Store].
func (s *Store) Watch(ctx context.Context, prefix string) iter.Seq2[cluster.Record, error] {
	return func(yield func(cluster.Record, error) bool) {
		notes, err := fsnotify.NewWatcher()
		if err != nil {
			notes = nil // no more to be had, or not on this system
		}
		s.watch(ctx, prefix, notes, yield)
	}
}

func (s *Store) watch(ctx context.Context, prefix string, notes *fsnotify.Watcher, yield func(cluster.Record, error) bool) {
	w := &watcher{store: s, prefix: prefix, seen: map[string]cluster.Version{}, yield: yield}
	w.hear(notes)
	defer func() { w.hear(nil) }()
	for w.lookAll(ctx) {
		if !w.wait(ctx) {
			return
		}
	}
}

// A watcher is one running Watch.
type watcher struct {
	store  *Store
	prefix string
	seen   map[string]cluster.Version
	yield  func(cluster.Record, error) bool

	notes  *fsnotify.Watcher // nil: not told of changes
	events <-chan fsnotify.Event
	faults <-chan error
}

// hear listens to notes from now on, nil for none.
func (w *watcher) hear(notes *fsnotify.Watcher) {
	if w.notes != nil {
		_ = w.notes.Close()
	}
	w.notes, w.events, w.faults = notes, nil, nil
	if notes != nil {
		w.events, w.faults = notes.Events, notes.Errors
	}
}

// wait handles what it is told until it is time to look by itself. It returns
// false when the watch is over.
func (w *watcher) wait(ctx context.Context) bool {
	pause := told
	if w.notes == nil {
		pause = untold
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-timer.C:
			return true
		case <-w.faults: // such as notes that were dropped because there were too many
			return true
		case event := <-w.events:
			key, ok := w.key(event.Name)
			if ok && !w.look(ctx, key) {
				return false
			}
		}
	}
}

// key returns the key of the record to which the file at path belongs.
func (w *watcher) key(path string) (string, bool) {
	rel, err := filepath.Rel(w.store.records(), path)
	if err != nil {
		return "", false
	}
	key, _, _ := strings.Cut(filepath.ToSlash(rel), "/")
	return key, validKey(key) && strings.HasPrefix(key, w.prefix)
}

// lookAll looks at every record that is there or was.
func (w *watcher) lookAll(ctx context.Context) bool {
	w.follow(w.store.records())
	keys, err := w.store.keys(w.prefix)
	if err != nil {
		w.yield(cluster.Record{}, err)
		return false
	}
	for _, key := range keys {
		if !w.look(ctx, key) {
			return false
		}
	}
	for key := range w.seen {
		if !w.look(ctx, key) {
			return false
		}
	}
	return true
}

// look yields the record if it is not as it was. It returns false when the watch
// is over.
func (w *watcher) look(ctx context.Context, key string) bool {
	w.follow(w.store.record(key))
	seen := w.seen[key]
	rec, err := w.store.Get(ctx, key, seen)
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
	case rec.Version == seen:
		return true
	case rec.Version != 0 && rec.Version < seen:
		err = fmt.Errorf("cluster/file: %s went back from version %d to %d: was the folder replaced?", w.store.record(key), seen, rec.Version)
	}
	if err != nil {
		w.yield(cluster.Record{}, err)
		return false
	}
	if w.seen[key] = rec.Version; rec.Version == 0 {
		delete(w.seen, key)
	}
	return w.yield(rec, nil)
}

// follow asks to be told of changes in a folder. Asking again for the same one
// is cheap, and finds the folder that has taken the place of a deleted one. Where
// the system refuses for another reason than that there is none, it is the last
// time: the watch looks often by itself.
func (w *watcher) follow(dir string) {
	if w.notes == nil {
		return
	}
	if err := w.notes.Add(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		w.hear(nil)
	}
}
