// Package memory keeps the records of a cluster in the memory of one process: for
// tests, and for a program of which there is only one replica.
package memory

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/mehari-go/mehari/cluster"
)

// A Store is a [cluster.Store] in memory. Its methods may be called by many
// goroutines at once. Members in one process share the leadership of locks by
// sharing one Store. The zero Store is empty and ready to use.
type Store struct {
	mu      sync.Mutex
	last    cluster.Version
	records map[string]cluster.Record
	news    chan struct{} // closed at the next change
}

var (
	_ cluster.Store  = (*Store)(nil)
	_ cluster.Keeper = (*Store)(nil)
)

// New returns an empty store.
func New() *Store { return new(Store) }

// Keeps reports true: nobody but a member can get at the records.
func (s *Store) Keeps() bool { return true }

// Get returns the record at key.
func (s *Store) Get(ctx context.Context, key string, known cluster.Version) (cluster.Record, error) {
	if err := ctx.Err(); err != nil {
		return cluster.Record{}, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.records[key]
	r.Key = key
	if r.Version == known {
		r.Value = nil
	}
	r.Value = slices.Clone(r.Value)
	return r, nil
}

// List returns the records whose key begins with prefix, by key.
func (s *Store) List(ctx context.Context, prefix string) ([]cluster.Record, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []cluster.Record
	for _, key := range slices.Sorted(maps.Keys(s.records)) {
		if r := s.records[key]; strings.HasPrefix(key, prefix) {
			r.Value = slices.Clone(r.Value)
			list = append(list, r)
		}
	}
	return list, nil
}

// Set stores value at key if the record there still has version prev.
func (s *Store) Set(ctx context.Context, key string, value []byte, prev cluster.Version) (cluster.Version, error) {
	if err := ctx.Err(); err != nil {
		return 0, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records[key].Version != prev {
		return 0, cluster.ErrConflict
	}
	if s.records == nil {
		s.records = map[string]cluster.Record{}
	}
	s.last++
	s.records[key] = cluster.Record{Key: key, Version: s.last, Value: slices.Clone(value)}
	s.tell()
	return s.last, nil
}

// tell wakes the watchers.
func (s *Store) tell() {
	if s.news != nil {
		close(s.news)
		s.news = nil
	}
}

// Watch yields the records whose key begins with prefix and each that changes. A
// slow reader misses versions of a record, never the last one.
func (s *Store) Watch(ctx context.Context, prefix string) iter.Seq2[cluster.Record, error] {
	return func(yield func(cluster.Record, error) bool) {
		seen := map[string]cluster.Version{}
		for {
			changed, news := s.since(prefix, seen)
			for _, r := range changed {
				if !yield(r, nil) {
					return
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-news:
			}
		}
	}
}

// since returns the records that are not as they were seen, in the order in which
// they changed, and a channel that is closed at the next change.
func (s *Store) since(prefix string, seen map[string]cluster.Version) ([]cluster.Record, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var changed []cluster.Record
	for key, r := range s.records {
		if strings.HasPrefix(key, prefix) && seen[key] != r.Version {
			seen[key] = r.Version
			r.Value = slices.Clone(r.Value)
			changed = append(changed, r)
		}
	}
	slices.SortFunc(changed, func(a, b cluster.Record) int { return cmp.Compare(a.Version, b.Version) })
	if s.news == nil {
		s.news = make(chan struct{})
	}
	return changed, s.news
}
