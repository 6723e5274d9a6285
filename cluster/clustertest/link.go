package clustertest

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/memory"
)

// records are a store of which the records can be deleted. It keeps a deleted
// record as an empty one, so that versions go on.
type records struct{ memory memory.Store }

func (r *records) delete(key string) {
	_ = r.overwrite(key, func([]byte) []byte { return nil }) // there is nothing to delete
}

func (r *records) value(key string) []byte {
	record, err := r.memory.Get(context.Background(), key, 0)
	if err != nil || len(record.Value) == 0 {
		return nil
	}
	return record.Value
}

func (r *records) overwrite(key string, change func([]byte) []byte) error {
	for {
		record, err := r.memory.Get(context.Background(), key, 0)
		if err != nil {
			return err
		}
		if record.Version == 0 {
			return errors.New("clustertest: there is no record " + key)
		}
		_, err = r.memory.Set(context.Background(), key, change(record.Value), record.Version)
		if !errors.Is(err, cluster.ErrConflict) {
			return err
		}
	}
}

// present shows a deleted record as absent.
func present(r cluster.Record) cluster.Record {
	if len(r.Value) == 0 {
		return cluster.Record{Key: r.Key}
	}
	return r
}

// A link is a member's way to the records, and its clock.
type link struct {
	records *records
	start   time.Time

	mu      sync.Mutex
	hop     time.Duration
	slept   time.Duration
	losing  bool
	paused  chan struct{} // closed by resume; nil where it is not paused
	cutOff  chan struct{} // closed by heal; nil where it is not cut off
	overdue []func()      // timers that were due in the pause
}

func newLink(r *records, hop time.Duration) *link {
	return &link{records: r, start: time.Now(), hop: hop}
}

func (l *link) setHop(d time.Duration) { l.locked(func() { l.hop = d }) }
func (l *link) sleep(d time.Duration)  { l.locked(func() { l.slept += d }) }
func (l *link) lose(answers bool)      { l.locked(func() { l.losing = answers }) }

func (l *link) pause() {
	l.locked(func() {
		if l.paused == nil {
			l.paused = make(chan struct{})
		}
	})
}

func (l *link) resume() {
	var overdue []func()
	l.locked(func() {
		if l.paused != nil {
			close(l.paused)
			l.paused = nil
		}
		overdue, l.overdue = l.overdue, nil
	})
	for _, f := range overdue {
		f()
	}
}

func (l *link) cut() {
	l.locked(func() {
		if l.cutOff == nil {
			l.cutOff = make(chan struct{})
		}
	})
}

func (l *link) heal() {
	l.locked(func() {
		if l.cutOff != nil {
			close(l.cutOff)
			l.cutOff = nil
		}
	})
}

func (l *link) locked(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

func (l *link) isPaused() (paused bool) {
	l.locked(func() { paused = l.paused != nil })
	return paused
}

// frozen returns when the member is not paused, or with ctx.
func (l *link) frozen(ctx context.Context) {
	for {
		var paused chan struct{}
		l.locked(func() { paused = l.paused })
		if paused == nil {
			return
		}
		select {
		case <-paused:
		case <-ctx.Done():
			return
		}
	}
}

// travel takes a message one way: it waits out a partition, and the way itself.
func (l *link) travel(ctx context.Context) error {
	for {
		var cutOff chan struct{}
		var hop time.Duration
		l.locked(func() { cutOff, hop = l.cutOff, l.hop })
		if cutOff == nil {
			return wait(ctx, hop)
		}
		select {
		case <-cutOff:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// exchange takes a request to the records and its answer back. A member that is
// paused learns of neither the answer nor the end of ctx.
func exchange[T any](ctx context.Context, l *link, ask func() (T, error)) (answer T, err error) {
	defer l.frozen(context.Background())
	var none T
	if err := l.travel(ctx); err != nil {
		return none, err
	}
	answer, err = ask()
	var lost bool
	l.locked(func() { lost = l.losing })
	if lost {
		<-ctx.Done()
		return none, context.Cause(ctx)
	}
	if err := l.travel(ctx); err != nil {
		return none, err
	}
	return answer, err
}

func (l *link) Get(ctx context.Context, key string, known cluster.Version) (cluster.Record, error) {
	return exchange(ctx, l, func() (cluster.Record, error) {
		r, err := l.records.memory.Get(context.WithoutCancel(ctx), key, 0)
		if r = present(r); r.Version == known {
			r.Value = nil
		}
		return r, err
	})
}

func (l *link) List(ctx context.Context, prefix string) ([]cluster.Record, error) {
	return exchange(ctx, l, func() ([]cluster.Record, error) {
		list, err := l.records.memory.List(context.WithoutCancel(ctx), prefix)
		var there []cluster.Record
		for _, r := range list {
			if r = present(r); r.Version != 0 {
				there = append(there, r)
			}
		}
		return there, err
	})
}

func (l *link) Set(ctx context.Context, key string, value []byte, prev cluster.Version) (cluster.Version, error) {
	return exchange(ctx, l, func() (cluster.Version, error) {
		ctx := context.WithoutCancel(ctx)
		if prev == 0 { // over a deleted record, perhaps
			r, err := l.records.memory.Get(ctx, key, 0)
			if err != nil {
				return 0, err
			}
			if present(r).Version == 0 {
				prev = r.Version
			}
		}
		return l.records.memory.Set(ctx, key, value, prev)
	})
}

func (l *link) Watch(ctx context.Context, prefix string) iter.Seq2[cluster.Record, error] {
	return func(yield func(cluster.Record, error) bool) {
		seen := map[string]bool{}
		for r, err := range l.records.memory.Watch(ctx, prefix) {
			if err == nil {
				err = l.travel(ctx)
			}
			l.frozen(ctx)
			if ctx.Err() != nil {
				return
			}
			if r = present(r); r.Version == 0 && !seen[r.Key] {
				continue // deleted before we came
			}
			seen[r.Key] = true
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// Now, Boot and After are the clock of the member, which cluster.New looks for.
func (l *link) Now() time.Time { return time.Now() }

// Boot is the time since the member started, with the time asleep.
func (l *link) Boot() (d time.Duration) {
	l.locked(func() { d = time.Since(l.start) + l.slept })
	return d
}

// After calls f after d, or later if the member is paused then.
func (l *link) After(d time.Duration, f func()) (cancel func() bool) {
	return time.AfterFunc(d, func() {
		paused := false
		l.locked(func() {
			if paused = l.paused != nil; paused {
				l.overdue = append(l.overdue, f)
			}
		})
		if !paused {
			f()
		}
	}).Stop
}
