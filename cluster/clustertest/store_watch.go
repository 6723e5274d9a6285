package clustertest

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

// eventually asks until ok says yes or Settle has passed.
func (t *storeTest) eventually(ok func() bool) bool {
	for deadline := time.Now().Add(t.Settle); ; {
		if ok() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// A watched is a Watch that runs in the background and notes what it is told.
type watched struct {
	mu    sync.Mutex
	heard []cluster.Record
	last  map[string]cluster.Record
	fault string
	stop  func()
}

// watch starts to watch, and anew after an error. What any watch tells must grow:
// it sees to that.
func (t *storeTest) watch(s cluster.Store, prefix string, slow time.Duration) *watched {
	ctx, cancel := context.WithCancel(t.Context())
	w := &watched{last: map[string]cluster.Record{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			w.hear(s.Watch(ctx, prefix), prefix, slow)
			time.Sleep(time.Millisecond)
		}
	}()
	w.stop = func() {
		cancel()
		select {
		case <-done:
		case <-time.After(t.Settle):
			t.Errorf("Watch has not returned %v after its context was done", t.Settle)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.fault != "" {
			t.Errorf("Watch(%q) %s", prefix, w.fault)
		}
	}
	return w
}

func (w *watched) hear(records iter.Seq2[cluster.Record, error], prefix string, slow time.Duration) {
	newest := map[string]cluster.Version{} // of this watch, which a deletion does not reset
	for rec, err := range records {
		if err != nil {
			return
		}
		w.mu.Lock()
		switch {
		case !strings.HasPrefix(rec.Key, prefix):
			w.fault = fmt.Sprintf("yielded the key %q", rec.Key)
		case rec.Version != 0 && rec.Version < newest[rec.Key]:
			w.fault = fmt.Sprintf("went back from version %d to %d of %q", newest[rec.Key], rec.Version, rec.Key)
		}
		newest[rec.Key] = max(newest[rec.Key], rec.Version)
		w.heard = append(w.heard, rec)
		w.last[rec.Key] = rec
		w.mu.Unlock()
		time.Sleep(slow)
	}
}

// has reports whether the last word on the record is this version.
func (w *watched) has(key string, v cluster.Version) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	rec, ok := w.last[key]
	return ok && rec.Version == v
}

// wantLast waits until the last word on each record is its version in final, and
// reports the first of which it is not.
func (t *storeTest) wantLast(w *watched, final map[string]cluster.Version) {
	t.Helper()
	for key, v := range final {
		if !t.eventually(func() bool { return w.has(key, v) }) {
			w.mu.Lock()
			rec, heard := w.last[key]
			w.mu.Unlock()
			t.Errorf("Watch has not told of version %d of %q within %v; the last it told of is %d (of any: %t)", v, key, t.Settle, rec.Version, heard)
			return
		}
	}
}

func checkWatchCurrentFirst(t *storeTest) {
	a, b := t.Open(), t.Open()
	final := map[string]cluster.Version{}
	final[cluster.TableKey] = t.set(a, cluster.TableKey, "{}", t.set(a, cluster.TableKey, "{ }", 0))
	for k := range 10 {
		final[slotKey(k)] = t.set(a, slotKey(k), slot("member", k), 0)
	}
	w := t.watch(b, "", 0)
	t.wantLast(w, final)
	w.stop()
	for _, rec := range w.heard {
		if rec.Version != final[rec.Key] {
			t.Errorf("Watch yielded version %d of %q first, want the current %d", rec.Version, rec.Key, final[rec.Key])
		}
	}
	table := w.last[cluster.TableKey]
	if string(table.Value) != "{}" {
		t.Errorf("Watch yielded the value %s of the table, want {}", short(table.Value))
	}
}

func checkWatchOrder(t *storeTest) {
	writer := t.Open()
	var watches []*watched
	for range 3 {
		watches = append(watches, t.watch(t.Open(), "", 0))
	}
	final := map[string]cluster.Version{}
	values := map[string]string{} // by key and version
	keys := []string{cluster.TableKey, slotKey(0), slotKey(1)}
	for n := range 40 {
		for _, key := range keys {
			value := slot("member", n)
			final[key] = t.set(writer, key, value, final[key])
			values[fmt.Sprint(key, "@", final[key])] = value
		}
	}
	for _, w := range watches {
		t.wantLast(w, final)
		w.stop()
		for _, rec := range w.heard {
			if value, ok := values[fmt.Sprint(rec.Key, "@", rec.Version)]; !ok || value != string(rec.Value) {
				t.Errorf("Watch yielded version %d of %q with value %s; it was written with %q", rec.Version, rec.Key, short(rec.Value), value)
			}
		}
	}
}

func checkWatchSlowReader(t *storeTest) {
	writer := t.Open()
	w := t.watch(t.Open(), cluster.SlotPrefix, 3*time.Millisecond)
	final := map[string]cluster.Version{}
	for n := range 60 {
		key := slotKey(n % 2)
		final[key] = t.set(writer, key, slot("member", n), final[key])
	}
	t.wantLast(w, final)
	w.stop()
}

func checkWatchPrefix(t *storeTest) {
	writer := t.Open()
	slots, table := t.watch(t.Open(), cluster.SlotPrefix, 0), t.watch(t.Open(), cluster.TableKey, 0)
	final := map[string]cluster.Version{
		cluster.TableKey: t.set(writer, cluster.TableKey, "{}", 0),
		slotKey(1):       t.set(writer, slotKey(1), slot("member", 1), 0),
	}
	t.wantLast(table, map[string]cluster.Version{cluster.TableKey: final[cluster.TableKey]})
	t.wantLast(slots, map[string]cluster.Version{slotKey(1): final[slotKey(1)]})
	table.stop()
	slots.stop()
}

func checkWatchDeletion(t *storeTest) {
	a := t.Open()
	keys := []string{cluster.TableKey, slotKey(0)}
	final := map[string]cluster.Version{}
	for _, key := range keys {
		final[key] = t.set(a, key, slot("first", 1), 0)
	}
	w := t.watch(t.Open(), "", 0)
	t.wantLast(w, final)
	for _, key := range keys {
		if err := t.Delete(t.Context(), key); err != nil {
			t.Fatalf("Delete(%q): %v", key, err)
		}
		t.wantLast(w, map[string]cluster.Version{key: 0})
	}
	for _, key := range keys {
		final[key] = t.set(a, key, slot("second", 2), 0)
	}
	t.wantLast(w, final)
	w.stop()
}

func checkWatchEnds(t *storeTest) {
	s := t.Open()
	t.set(s, slotKey(0), slot("member", 1), 0)

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel) // while it waits for a change
	t.soon("Watch", ctx, func(ctx context.Context) {
		for range s.Watch(ctx, cluster.SlotPrefix) {
		}
	})

	ctx, cancel = context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	t.soon("Watch that its caller leaves", ctx, func(context.Context) {
		for range s.Watch(t.Context(), cluster.SlotPrefix) {
			break
		}
	})
}
