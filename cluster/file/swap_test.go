package file

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
	"github.com/mehari-go/mehari/cluster/clustertest"
)

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func set(t *testing.T, s *Store, key, value string, prev cluster.Version) cluster.Version {
	t.Helper()
	v, err := s.Set(t.Context(), key, []byte(value), prev)
	if err != nil {
		t.Fatalf("Set(%q, prev %d): %v", key, prev, err)
	}
	return v
}

// untoldStore is a Store to which the operating system tells nothing.
type untoldStore struct{ *Store }

func (s untoldStore) Watch(ctx context.Context, prefix string) iter.Seq2[cluster.Record, error] {
	return func(yield func(cluster.Record, error) bool) { s.watch(ctx, prefix, nil, yield) }
}

func TestStoreThatLooksByItself(t *testing.T) {
	clustertest.TestStore(t, func(t *testing.T) clustertest.Records {
		dir := t.TempDir()
		return clustertest.Records{
			Open:   func() cluster.Store { return untoldStore{open(t, dir)} },
			Delete: func(_ context.Context, key string) error { return os.RemoveAll(filepath.Join(dir, "records", key)) },
		}
	})
}

// A writer that stops at its worst place, everything written and only the rename
// to come, has lost when it goes on, whatever happened to the record meanwhile.
func TestLateWriter(t *testing.T) {
	for _, test := range []struct {
		name      string
		exists    bool
		meanwhile func(t *testing.T, s *Store, prev cluster.Version)
		wins      bool
	}{
		{"update, nothing happened", true, func(*testing.T, *Store, cluster.Version) {}, true},
		{"update, swept", true, func(t *testing.T, s *Store, _ cluster.Version) { open(t, s.dir) }, true},
		{"update, others wrote", true, func(t *testing.T, s *Store, prev cluster.Version) {
			set(t, s, "slot-0", "two", set(t, s, "slot-0", "one", prev))
		}, false},
		{"update, others wrote the same", true, func(t *testing.T, s *Store, prev cluster.Version) {
			set(t, s, "slot-0", "late", prev)
		}, false},
		{"update, deleted", true, func(t *testing.T, s *Store, _ cluster.Version) { remove(t, s, "slot-0") }, false},
		{"update, deleted and made anew", true, func(t *testing.T, s *Store, _ cluster.Version) {
			remove(t, s, "slot-0")
			set(t, s, "slot-0", "one", 0)
		}, false},
		{"create, nothing happened", false, func(*testing.T, *Store, cluster.Version) {}, true},
		{"create, others did", false, func(t *testing.T, s *Store, _ cluster.Version) { set(t, s, "slot-0", "one", 0) }, false},
		{"create, others did, deleted", false, func(t *testing.T, s *Store, _ cluster.Version) {
			set(t, s, "slot-0", "one", 0)
			remove(t, s, "slot-0")
		}, false},
		{"create, others tried after a deletion", false, func(t *testing.T, s *Store, _ cluster.Version) {
			set(t, s, "slot-0", "one", 0)
			remove(t, s, "slot-0")
			if _, err := s.find(t.Context(), "slot-0"); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"create, folder deleted", false, func(t *testing.T, s *Store, _ cluster.Version) {
			if err := os.RemoveAll(s.dir); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			late, other := open(t, t.TempDir()), (*Store)(nil)
			other = open(t, late.dir)
			var prev cluster.Version
			if test.exists {
				prev = set(t, late, "slot-0", "zero", 0)
			}
			l := prepare(t, late, "slot-0", "late")
			test.meanwhile(t, other, prev)
			before, err := other.Get(t.Context(), "slot-0", 0)
			if err != nil {
				t.Fatal(err)
			}

			won, err := late.commit("slot-0", l.cur, l.next)
			if err != nil || won != test.wins {
				t.Fatalf("the late rename = %t, %v; want %t", won, err, test.wins)
			}
			after, err := other.Get(t.Context(), "slot-0", 0)
			if err != nil {
				t.Fatal(err)
			}
			if test.wins {
				before = cluster.Record{Key: "slot-0", Version: l.next.version, Value: []byte("late")}
			}
			if after.Version != before.Version || string(after.Value) != string(before.Value) {
				t.Errorf("the record is %d %q, want %d %q", after.Version, after.Value, before.Version, before.Value)
			}
			if next := set(t, other, "slot-0", "next", after.Version); next <= max(prev, after.Version) {
				t.Errorf("the next version is %d, want one after %d", next, max(prev, after.Version))
			}
			if names, err := readNames(late.values()); err != nil || test.wins && len(names) != 2 { // the counter's and the slot's
				t.Errorf("the values are %q, %v; want one for each record", names, err)
			}
		})
	}
}

// A prepared swap has all but its rename behind it.
type prepared struct{ cur, next pointer }

func prepare(t *testing.T, s *Store, key, value string) prepared {
	t.Helper()
	cur, err := s.find(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	next := newPointer(cur.version+1, []byte(value))
	if cur.version == 0 {
		if next.version, err = s.block(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.writeValue(key, next, []byte(value)); err != nil {
		t.Fatal(err)
	}
	return prepared{cur, next}
}

func remove(t *testing.T, s *Store, key string) {
	t.Helper()
	if err := os.RemoveAll(s.record(key)); err != nil {
		t.Fatal(err)
	}
}

// What killed writers leave is swept once the record has moved on, not before.
func TestSweep(t *testing.T) {
	s := open(t, t.TempDir())
	v := set(t, s, cluster.TableKey, "{}", 0)
	prepare(t, s, cluster.TableKey, "left")
	prepare(t, s, "slot-7", "left")
	for _, test := range []struct {
		want int // the counter's, the table's, what is left
		next func()
	}{
		{4, func() {}},
		{4, func() { v = set(t, s, cluster.TableKey, "{ }", v) }},
		{3, func() { open(t, s.dir) }},
		{4, func() { set(t, s, "slot-7", "{}", 0) }},
		{3, func() { open(t, s.dir) }},
	} {
		test.next()
		if names, err := readNames(s.values()); err != nil || len(names) != test.want {
			t.Errorf("the values are %q, %v; want %d", names, err, test.want)
		}
	}
}

// A record whose block of versions is used up takes the next one.
func TestBlockUsedUp(t *testing.T) {
	s := open(t, t.TempDir())
	set(t, s, "slot-0", "{}", 0)
	cur, err := s.current(t.Context(), "slot-0")
	if err != nil {
		t.Fatal(err)
	}
	last := newPointer(cur.version+block-1, []byte("{}"))
	if won, err := s.swap("slot-0", cur, last, []byte("{}")); !won || err != nil {
		t.Fatalf("swap = %t, %v", won, err)
	}
	other := set(t, s, "slot-1", "{}", 0)
	if next := set(t, s, "slot-0", "{}", last.version); next%block != 0 || next <= last.version || next <= other {
		t.Errorf("after version %d, and %d of another record, comes %d; want a new block", last.version, other, next)
	}
}

// A counter deleted by hand is made anew beyond all that is there: by the clock,
// and, where that was stepped back, by what this Store has seen.
func TestCounterDeleted(t *testing.T) {
	s := open(t, t.TempDir())
	v := set(t, s, cluster.TableKey, "{}", 0)
	again := func(s *Store) {
		t.Helper()
		remove(t, s, counter)
		remove(t, s, cluster.TableKey)
		next := set(t, s, cluster.TableKey, "{}", 0)
		if next <= v {
			t.Errorf("version %d after the counter was deleted, want one after %d", next, v)
		}
		v = next
	}
	time.Sleep(2 * block * time.Microsecond) // the block taken last may begin a little ahead of the clock
	if err := os.RemoveAll(s.dir); err != nil {
		t.Fatal(err)
	}
	again(open(t, s.dir))
	v += 1 << 40 // two weeks
	s.remember("slot-0", newPointer(v, nil))
	again(s)
}

// An old copy of the folder that is put back while it is watched is not taken for
// news.
func TestWatchRefusesToGoBack(t *testing.T) {
	s := open(t, t.TempDir())
	v := set(t, s, "slot-0", "{}", 0)
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	v = set(t, s, "slot-0", "{ }", v)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var err error
	for rec, fault := range s.Watch(ctx, "slot-0") {
		if err = fault; err == nil && rec.Version == v {
			aside := filepath.Join(t.TempDir(), "aside")
			if err := errors.Join(os.Rename(s.dir, aside), os.Rename(copied, s.dir)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err == nil || !strings.Contains(err.Error(), "went back from version") {
		t.Errorf("Watch ended with %v, want an error that the record went back", err)
	}
}

// The operating system tells of changes long before the watch looks by itself, also
// in a folder made anew.
func TestWatchIsTold(t *testing.T) {
	s := open(t, t.TempDir())
	heard := make(chan cluster.Version)
	go func() {
		defer close(heard)
		for rec, err := range s.Watch(t.Context(), "slot-0") {
			if err != nil {
				t.Error(err)
				return
			}
			select {
			case heard <- rec.Version:
			case <-t.Context().Done():
				return
			}
		}
	}()
	const changes = 5
	var v cluster.Version
	for range 2 {
		v = set(t, s, "slot-0", "{}", 0)
		for <-heard != v {
		}
		start := time.Now()
		for range changes {
			v = set(t, s, "slot-0", "{}", v)
			for <-heard != v {
			}
		}
		if took := time.Since(start); took > changes*told/2 {
			t.Errorf("%d changes were known after %v: the watch was not told", changes, took)
		}
		remove(t, s, "slot-0")
		for <-heard != 0 {
		}
	}
}

func FuzzParsePointer(f *testing.F) {
	for _, name := range []string{"", "1", "1.0.0", newPointer(7, []byte("x")).String(), "07.00000000.0000000000000001", "-1.0.1", "1.00000000.0000000000000000"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if p, ok := parsePointer(name); ok && (p.String() != name || p.nonce == 0) {
			t.Errorf("parsePointer(%q) = %v", name, p)
		}
	})
}
