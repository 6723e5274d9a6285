package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/mehari-go/mehari/cluster"
)

// A Store is a [cluster.Store] in a folder. Several processes, and several
// Stores of one process, may use the same folder at once. There is nothing to
// close. All methods may be called from many goroutines.
type Store struct {
	dir string

	mu   sync.Mutex
	last map[string]pointer // the pointer of each record as last seen here: a hint
	high cluster.Version    // the highest version seen here
}

var (
	_ cluster.Store   = (*Store)(nil)
	_ cluster.Checker = (*Store)(nil)
)

// New returns the store in the folder dir, which it makes if there is none. It
// fails as [Store.Check] does.
func New(dir string) (*Store, error) {
	if dir == "" {
		return nil, errors.New("cluster/file: no folder given")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("cluster/file: folder %q: %w", dir, err)
	}
	s := &Store{dir: abs, last: map[string]pointer{}}
	if err := s.check(); err != nil {
		return nil, err
	}
	if err := s.sweep(); err != nil {
		return nil, err
	}
	return s, nil
}

// Get implements [cluster.Store]. It leaves out the value of a record whose
// version is known.
func (s *Store) Get(ctx context.Context, key string, known cluster.Version) (cluster.Record, error) {
	if err := valid(ctx, key); err != nil {
		return cluster.Record{}, err
	}
	cur, value, err := s.read(ctx, key, known)
	return cluster.Record{Key: key, Version: cur.version, Value: value}, err
}

// List implements [cluster.Store].
func (s *Store) List(ctx context.Context, prefix string) ([]cluster.Record, error) {
	keys, err := s.keys(prefix)
	if err != nil {
		return nil, err
	}
	var all []cluster.Record
	for _, key := range keys {
		rec, err := s.Get(ctx, key, 0)
		if err != nil {
			return nil, err
		}
		if rec.Version != 0 {
			all = append(all, rec)
		}
	}
	return all, ctx.Err()
}

// Set implements [cluster.Store].
func (s *Store) Set(ctx context.Context, key string, value []byte, prev cluster.Version) (cluster.Version, error) {
	if err := valid(ctx, key); err != nil {
		return 0, err
	}
	defer s.queue(ctx, key)()

	at := s.current
	if prev == 0 {
		at = s.find
	}
	cur, err := at(ctx, key)
	if err != nil {
		return 0, err
	}
	if prev == 0 && cur.version != 0 { // none, or one that a crash of the machine broke?
		seen, _, err := s.read(ctx, key, 0)
		if err != nil {
			return 0, err
		}
		if seen.version != 0 {
			return 0, cluster.ErrConflict
		}
	} else if cur.version != prev {
		return 0, cluster.ErrConflict
	}

	next := newPointer(cur.version+1, value)
	if prev == 0 || next.version%block == 0 {
		if next.version, err = s.block(ctx, cur.version); err != nil {
			return 0, err
		}
	}
	switch swapped, err := s.swap(key, cur, next, value); {
	case err != nil:
		return 0, err
	case !swapped:
		return 0, cluster.ErrConflict
	}
	return next.version, nil
}

// swap makes next, and with it value, the state of the record if cur still is it.
func (s *Store) swap(key string, cur, next pointer, value []byte) (bool, error) {
	if err := s.writeValue(key, next, value); err != nil {
		return false, err
	}
	return s.commit(key, cur, next)
}

// commit is the part of swap that decides: one rename. Whatever stops the process
// before it or after it leaves the record whole.
func (s *Store) commit(key string, cur, next pointer) (bool, error) {
	err := os.Rename(s.pointer(key, cur), s.pointer(key, next))
	if errors.Is(err, os.ErrNotExist) {
		return false, s.removeValue(key, next)
	}
	if err != nil {
		return false, fmt.Errorf("cluster/file: write record %q: %w", key, err)
	}
	s.remember(key, next)
	if durable(key) {
		if err := syncDir(s.record(key)); err != nil {
			return false, err
		}
	}
	// What is left over here is found by the next sweep.
	_ = s.removeValue(key, cur)
	return true, nil
}

// durable reports whether the record has to survive a crash of the machine.
func durable(key string) bool { return !strings.HasPrefix(key, cluster.SlotPrefix) }

// valid refuses keys that are no plain file names on every system, and a context
// that is done.
func valid(ctx context.Context, key string) error {
	if !validKey(key) {
		return fmt.Errorf("cluster/file: key %q: want 1 to 100 of a-z, 0-9, - and _", key)
	}
	return ctx.Err()
}

func validKey(key string) bool {
	for _, c := range []byte(key) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return key != "" && len(key) <= 100
}
