package clustertest

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

func TestStoreSuite(t *testing.T) {
	TestStore(t, func(t *testing.T) Records { return newShelf(faults{}).records() })
}

// Each fault that a store may have is found by the check that is there for it.
func TestStoreSuiteFindsFaults(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault faults
		by    []string // checks that must fail
		says  string
	}{
		{"stale reads", faults{staleReads: true}, []string{"CreateAndUpdate", "LostReply", "Linearizable"}, "no order of the"},
		{"lost update", faults{lostUpdate: true}, []string{"Linearizable"}, "a lost update"},
		{"no compare", faults{noCompare: true}, []string{"Absent", "Conflict", "LostReply", "Linearizable"}, "want ErrConflict"},
		{"version reuse", faults{reuseVersions: true}, []string{"VersionsGrowAfterDeletion"}, "want one after"},
		{"version stands still", faults{sameVersion: true}, []string{"CreateAndUpdate", "Conflict"}, "want a greater one"},
		{"versions per client differ", faults{wrongReply: true}, []string{"CreateAndUpdate", "Linearizable"}, "want version"},
		{"stores and refuses", faults{storesOnConflict: true}, []string{"Conflict", "Absent"}, "Get("},
		{"always leaves out the value", faults{alwaysLeavesOut: true}, []string{"KnownVersion"}, "and its value"},
		{"keeps the caller's bytes", faults{aliases: true}, []string{"ValueIsCopied"}, `{"Xolder`},
		{"cuts long values", faults{cuts: true}, []string{"LargeTable"}, "came back with"},
		{"lists without slots", faults{shortList: true}, []string{"ManySlots"}, "that were written"},
		{"lists beyond the prefix", faults{anyPrefix: true}, []string{"ManySlots", "WatchPrefix"}, "not as written"},
		{"watch goes back", faults{watchGoesBack: true}, []string{"WatchOrder"}, "went back from version"},
		{"watch loses the last", faults{watchLosesLast: true}, []string{"WatchOrder", "WatchSlowReader"}, "has not told of version"},
		{"watch without the current", faults{watchNewOnly: true}, []string{"WatchCurrentFirst"}, "has not told of version"},
		{"watch mixes values", faults{watchMixes: true}, []string{"WatchCurrentFirst", "WatchOrder"}, "it was written with"},
		{"watch hides deletions", faults{watchNoDelete: true}, []string{"WatchDeletion"}, "has not told of version 0"},
		{"ignores its context", faults{deafToContext: true}, []string{"ContextDone", "WatchEnds"}, "after its context was done"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // they wait most of the time
			var said strings.Builder
			for _, check := range storeChecks() {
				if !slices.Contains(test.by, check.name) {
					continue
				}
				r := newShelf(test.fault).records()
				r.Settle = 300 * time.Millisecond
				failed, text := fails(t.Context(), check, r)
				if !failed {
					t.Errorf("%s found nothing", check.name)
				}
				said.WriteString(text)
			}
			if !strings.Contains(said.String(), test.says) {
				t.Errorf("the checks do not say %q, but\n%s", test.says, said.String())
			}
		})
	}
}

// fails reports whether the check fails on the records, and what it says.
func fails(ctx context.Context, check storeCheck, r Records) (bool, string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := &failures{ctx: ctx}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check.run(newStoreTest(f, r))
	}()
	<-done
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.said) > 0, strings.Join(f.said, "\n")
}

type failures struct {
	ctx  context.Context
	mu   sync.Mutex
	said []string
}

func (f *failures) Helper()                  {}
func (f *failures) Context() context.Context { return f.ctx }
func (f *failures) Errorf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

func (f *failures) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	runtime.Goexit()
}

// faults are what can be wrong with a shelf.
type faults struct {
	staleReads, lostUpdate, noCompare, reuseVersions, sameVersion, wrongReply, storesOnConflict,
	alwaysLeavesOut, aliases, cuts, shortList, anyPrefix,
	watchGoesBack, watchLosesLast, watchNewOnly, watchMixes, watchNoDelete, deafToContext bool
}

// A shelf is the simplest store there can be, right unless it is told to be wrong.
type shelf struct {
	faults
	mu      sync.Mutex
	version cluster.Version
	records map[string]cluster.Record
	before  map[string]cluster.Record // one version ago
	changed chan struct{}
}

type shelfClient struct{ *shelf }

func newShelf(f faults) *shelfClient {
	return &shelfClient{&shelf{faults: f, records: map[string]cluster.Record{}, before: map[string]cluster.Record{}, changed: make(chan struct{})}}
}

func (c *shelfClient) records() Records {
	return Records{
		Open: func() cluster.Store { return &shelfClient{c.shelf} },
		Delete: func(_ context.Context, key string) error {
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.shelf.records, key)
			delete(c.before, key)
			c.ring()
			return nil
		},
		Settle: 2 * time.Second,
	}
}

func (s *shelf) ring() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *shelf) Get(ctx context.Context, key string, known cluster.Version) (cluster.Record, error) {
	if s.deafToContext {
		ctx = context.WithoutCancel(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := s.records[key]
	if s.staleReads {
		rec = s.before[key]
	}
	rec.Key = key
	if s.alwaysLeavesOut && known != 0 || known == rec.Version {
		rec.Value = nil
	}
	if !s.aliases {
		rec.Value = slices.Clone(rec.Value)
	}
	return rec, ctx.Err()
}

func (s *shelf) List(ctx context.Context, prefix string) ([]cluster.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []cluster.Record
	for key, rec := range s.records {
		if strings.HasPrefix(key, prefix) || s.anyPrefix {
			all = append(all, rec)
		}
	}
	if s.shortList && len(all) > 50 {
		all = all[:50]
	}
	return all, ctx.Err()
}

func (s *shelf) Set(ctx context.Context, key string, value []byte, prev cluster.Version) (cluster.Version, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.records[key]
	if s.lostUpdate { // another gets in between compare and set
		s.mu.Unlock()
		runtime.Gosched()
		time.Sleep(time.Microsecond)
		s.mu.Lock()
	}
	conflict := old.Version != prev && !s.noCompare
	if conflict && !s.storesOnConflict {
		return 0, cluster.ErrConflict
	}
	s.version++
	rec := cluster.Record{Key: key, Version: s.version, Value: value}
	if s.reuseVersions {
		rec.Version = prev + 1
	}
	if s.sameVersion && prev != 0 {
		rec.Version = prev
	}
	if !s.aliases {
		rec.Value = slices.Clone(value)
	}
	if s.cuts && len(value) > 64<<10 {
		rec.Value = rec.Value[:64<<10]
	}
	s.before[key], s.records[key] = old, rec
	s.ring()
	if conflict {
		return 0, cluster.ErrConflict
	}
	if s.wrongReply {
		return rec.Version + 1, nil
	}
	return rec.Version, nil
}

func (s *shelf) Watch(ctx context.Context, prefix string) iter.Seq2[cluster.Record, error] {
	if s.deafToContext {
		ctx = context.WithoutCancel(ctx)
	}
	return func(yield func(cluster.Record, error) bool) {
		seen := map[string]cluster.Version{}
		for first := true; ; first = false {
			s.mu.Lock()
			changed := s.changed
			var news []cluster.Record
			for key, rec := range s.records {
				if (strings.HasPrefix(key, prefix) || s.anyPrefix) && rec.Version != seen[key] {
					seen[key] = rec.Version
					if old := s.before[key]; s.watchGoesBack && old.Version != 0 {
						news = append(news, rec, old)
					}
					if s.watchMixes {
						rec.Value = s.before[key].Value
					}
					news = append(news, rec)
				}
			}
			for key := range seen {
				if s.records[key].Version == 0 {
					delete(seen, key)
					if !s.watchNoDelete {
						news = append(news, cluster.Record{Key: key})
					}
				}
			}
			if s.watchLosesLast && s.version%2 == 0 || s.watchNewOnly && first {
				news = nil
			}
			s.mu.Unlock()
			for _, rec := range news {
				if !yield(rec, nil) {
					return
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
		}
	}
}
