package file

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

// A pointer is the state of a record: the name of the only file in the record's
// folder. One with version 0 says that there is no record; the zero pointer, that
// there is not even that file.
type pointer struct {
	version cluster.Version
	sum     uint32 // CRC-32 of the value
	nonce   uint64 // makes the name unlike all others, past and future
}

// newPointer returns a pointer that was never used before.
func newPointer(v cluster.Version, value []byte) pointer {
	return pointer{version: v, sum: crc32.ChecksumIEEE(value), nonce: max(1, rand.Uint64())}
}

func (p pointer) String() string {
	return fmt.Sprintf("%d.%08x.%016x", p.version, p.sum, p.nonce)
}

func parsePointer(name string) (pointer, bool) {
	version, rest, _ := strings.Cut(name, ".")
	sum, nonce, _ := strings.Cut(rest, ".")
	v, err1 := strconv.ParseUint(version, 10, 64)
	c, err2 := strconv.ParseUint(sum, 16, 32)
	n, err3 := strconv.ParseUint(nonce, 16, 64)
	p := pointer{cluster.Version(v), uint32(c), n}
	return p, err1 == nil && err2 == nil && err3 == nil && n != 0 && p.String() == name
}

func (s *Store) records() string          { return filepath.Join(s.dir, "records") }
func (s *Store) record(key string) string { return filepath.Join(s.records(), key) }
func (s *Store) pointer(key string, p pointer) string {
	return filepath.Join(s.record(key), p.String())
}

// keys returns the keys of the records that begin with prefix, of deleted ones
// too.
func (s *Store) keys(prefix string) ([]string, error) {
	names, err := readNames(s.records())
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, name := range names {
		if validKey(name) && strings.HasPrefix(name, prefix) {
			keys = append(keys, name)
		}
	}
	return keys, nil
}

// current returns the pointer of the record as it is now. As long as the one last
// seen is still there, it is the one: asking the file system for it is enough.
func (s *Store) current(ctx context.Context, key string) (pointer, error) {
	s.mu.Lock()
	p, ok := s.last[key]
	s.mu.Unlock()
	if ok {
		if _, err := os.Lstat(s.pointer(key, p)); err == nil {
			return p, nil
		}
	}
	for try := 0; ; try++ {
		p, err := s.look(key)
		if err != nil {
			return pointer{}, err
		}
		if p.nonce != 0 {
			s.remember(key, p)
			return p, nil
		}
		// An empty folder was emptied by hand; but only Linux promises that
		// reading a folder cannot miss a file being renamed in it.
		if _, err := os.Lstat(s.record(key)); err != nil || try == 3 {
			return pointer{}, nil
		}
		select {
		case <-ctx.Done():
			return pointer{}, ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// look reads the pointer from the record's folder.
func (s *Store) look(key string) (pointer, error) {
	names, err := readNames(s.record(key))
	if err != nil {
		return pointer{}, err
	}
	var latest pointer
	for _, name := range names {
		p, ok := parsePointer(name)
		if !ok {
			return pointer{}, fmt.Errorf("cluster/file: %s: not a file of this store; remove it", filepath.Join(s.record(key), name))
		}
		if latest.nonce == 0 || p.version > latest.version { // two: read in the middle of a rename
			latest = p
		}
	}
	return latest, nil
}

func (s *Store) remember(key string, p pointer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last[key] = p
	s.high = max(s.high, p.version)
}

func (s *Store) highest() cluster.Version {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.high
}

// find is current for one that is about to write: where there is no pointer it
// makes one with version 0, so that all who create the record rename the same.
func (s *Store) find(ctx context.Context, key string) (pointer, error) {
	for {
		p, err := s.current(ctx, key)
		if err != nil || p.nonce != 0 {
			return p, err
		}
		if err := s.install(key); err != nil {
			return pointer{}, err
		}
	}
}

// install puts a folder with a pointer of version 0 in place of none. The folder
// is made elsewhere and then moved, so that there is never more than one pointer.
func (s *Store) install(key string) error {
	if err := s.layout(); err != nil {
		return err
	}
	p := newPointer(0, nil)
	made := filepath.Join(s.dir, "new", key+"@"+p.String())
	err := os.Mkdir(made, 0o777)
	if err == nil {
		err = os.WriteFile(filepath.Join(made, p.String()), nil, 0o666)
	}
	if err == nil {
		_ = os.Remove(s.record(key)) // succeeds only for an empty folder
		err = os.Rename(made, s.record(key))
	}
	if err == nil {
		return syncDir(s.records())
	}
	_ = os.RemoveAll(made)
	if _, missing := os.Lstat(s.record(key)); missing == nil {
		return nil // another was faster
	}
	return fmt.Errorf("cluster/file: create record %q: %w", key, err)
}

// readNames returns the names in a folder but those that begin with a dot; none
// where there is no folder.
func readNames(dir string) ([]string, error) {
	f, err := os.Open(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cluster/file: %w", err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("cluster/file: %w", err)
	}
	kept := names[:0]
	for _, name := range names {
		if !strings.HasPrefix(name, ".") {
			kept = append(kept, name)
		}
	}
	return kept, nil
}
