package clustertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/mehari-go/mehari/cluster"
)

// slot returns the value of a slot as every store must take it.
func slot(holder string, n int) string { return fmt.Sprintf(`{"holder":%q,"beat":%d}`, holder, n) }

func slotKey(k int) string { return fmt.Sprintf("%s%d", cluster.SlotPrefix, k) }

// recordKeys has a key of each kind.
var recordKeys = []string{cluster.TableKey, slotKey(0), cursorKey}

const cursorKey = cluster.CursorPrefix + "00112233445566778899aabbccddeeff"

func checkAbsent(t *storeTest) {
	s := t.Open()
	for _, key := range recordKeys {
		if rec := t.get(s, key); rec.Version != 0 || len(rec.Value) != 0 {
			t.Errorf("Get(%q) of no record = version %d, value %s; want version 0 and no value", key, rec.Version, short(rec.Value))
		}
		if rec, err := s.Get(t.Context(), key, 7); err != nil || rec.Version != 0 {
			t.Errorf("Get(%q, known 7) of no record = version %d, %v; want version 0", key, rec.Version, err)
		}
		if v, err := s.Set(t.Context(), key, []byte(slot("a", 1)), 7); !errors.Is(err, cluster.ErrConflict) {
			t.Errorf("Set(%q, prev 7) of no record = version %d, %v; want ErrConflict", key, v, err)
		}
		t.want(key, "", 0, s)
	}
	if all, err := s.List(t.Context(), ""); err != nil || len(all) != 0 {
		t.Errorf("List of no records = %d records, %v; want none", len(all), err)
	}
}

func checkCreateAndUpdate(t *storeTest) {
	a, b := t.Open(), t.Open()
	for _, key := range recordKeys {
		version := cluster.Version(0)
		for n := range 4 {
			value := slot("member", n)
			writer := []cluster.Store{a, b}[n%2]
			version = t.set(writer, key, value, version)
			t.want(key, value, version, a, b)
		}
	}
}

func checkConflict(t *storeTest) {
	a, b := t.Open(), t.Open()
	for _, key := range recordKeys {
		first := t.set(a, key, slot("first", 1), 0)
		second := t.set(a, key, slot("second", 2), first)
		for _, wrong := range []cluster.Version{0, first, second + 1, second + 1<<40} {
			v, err := b.Set(t.Context(), key, []byte(slot("wrong", 3)), wrong)
			if !errors.Is(err, cluster.ErrConflict) {
				t.Errorf("Set(%q, prev %d) of a record at version %d = version %d, %v; want ErrConflict", key, wrong, second, v, err)
			}
		}
		t.want(key, slot("second", 2), second, a, b)
	}
}

func checkKnownVersion(t *storeTest) {
	a, b := t.Open(), t.Open()
	for _, key := range recordKeys {
		first := t.set(a, key, slot("first", 1), 0)
		second := t.set(a, key, slot("second", 2), first)
		for _, s := range []cluster.Store{a, b} {
			for _, known := range []cluster.Version{0, first, second, second + 1} {
				rec, err := s.Get(t.Context(), key, known)
				leftOut := known == second && rec.Value == nil
				if err != nil || rec.Version != second || !leftOut && string(rec.Value) != slot("second", 2) {
					t.Errorf("Get(%q, known %d) = version %d, value %s, %v; want version %d and its value", key, known, rec.Version, short(rec.Value), err, second)
				}
			}
		}
	}
}

func checkValueIsCopied(t *storeTest) {
	s := t.Open()
	value := []byte(slot("member", 1))
	v, err := s.Set(t.Context(), slotKey(0), value, 0)
	if err != nil {
		t.Fatalf("Set: %v", err)
	}
	value[2] = 'X' // the caller's again
	t.want(slotKey(0), slot("member", 1), v, s)
	if got := t.get(s, slotKey(0)).Value; len(got) > 2 {
		got[2] = 'X' // the caller's too
	}
	t.want(slotKey(0), slot("member", 1), v, s)
}

func checkLargeTable(t *storeTest) {
	a, b := t.Open(), t.Open()
	line := "lock \"ä€\" <&>\t{}\\ 0123456789 abcdefghijklmnopqrstuvwxyz\n"
	large := strings.Repeat(line, 512<<10/len(line))
	v := t.set(a, cluster.TableKey, large, 0)
	if got := t.get(b, cluster.TableKey); got.Version != v || !bytes.Equal(got.Value, []byte(large)) {
		t.Errorf("a table of %d bytes came back with %d bytes, or other ones", len(large), len(got.Value))
	}
	v = t.set(b, cluster.TableKey, "{}", v)
	t.want(cluster.TableKey, "{}", v, a, b)
}

func checkManySlots(t *storeTest) {
	const slots, clients = 100, 4
	opened := make([]cluster.Store, clients)
	for i := range opened {
		opened[i] = t.Open()
	}
	t.set(opened[0], cluster.TableKey, "{}", 0)
	versions := make([]cluster.Version, slots)
	errs := make([]error, slots)
	var wg sync.WaitGroup
	for c, s := range opened {
		wg.Go(func() {
			for k := c; k < slots; k += clients {
				versions[k], errs[k] = s.Set(t.Context(), slotKey(k), []byte(slot("member", k)), 0)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatalf("Set of %d slots: %v", slots, err)
	}
	for prefix, want := range map[string]int{"": slots + 1, cluster.SlotPrefix: slots, "slot-1": 11, slotKey(42): 1, "slot-x": 0} {
		wantList(t, opened[clients-1], prefix, want, func(rec cluster.Record) bool {
			var k int
			if _, err := fmt.Sscanf(rec.Key, cluster.SlotPrefix+"%d", &k); err != nil {
				return rec.Key == cluster.TableKey
			}
			return k >= 0 && k < slots && rec.Version == versions[k] && string(rec.Value) == slot("member", k)
		})
	}
}

// wantList waits, as a list may lag behind, until it holds n good records, no two
// with one key.
func wantList(t *storeTest, s cluster.Store, prefix string, n int, good func(cluster.Record) bool) {
	t.Helper()
	var got string
	if !t.eventually(func() bool {
		all, err := s.List(t.Context(), prefix)
		if err != nil {
			t.Fatalf("List(%q): %v", prefix, err)
		}
		got = fmt.Sprintf("%d records", len(all))
		keys := map[string]bool{}
		for _, rec := range all {
			keys[rec.Key] = true
			if !strings.HasPrefix(rec.Key, prefix) || !good(rec) {
				got += fmt.Sprintf("; not as written: %q, version %d, value %s", rec.Key, rec.Version, short(rec.Value))
				return false
			}
		}
		return len(all) == n && len(keys) == n
	}) {
		t.Fatalf("List(%q) = %s; want the %d that were written", prefix, got, n)
	}
}

func checkLostReply(t *storeTest) {
	lossy := &deaf{Store: t.Open()}
	s := t.Open()
	for _, key := range recordKeys {
		version := cluster.Version(0)
		for n := range 3 {
			value := slot("member", n)
			if _, err := lossy.Set(t.Context(), key, []byte(value), version); !errors.Is(err, errLost) {
				t.Fatalf("Set(%q, prev %d): %v", key, version, err)
			}
			if _, err := lossy.Set(t.Context(), key, []byte(value), version); !errors.Is(err, cluster.ErrConflict) {
				t.Errorf("Set(%q) sent again after its reply was lost: %v; want ErrConflict", key, err)
			}
			rec := t.get(s, key)
			if rec.Version <= version || string(rec.Value) != value {
				t.Fatalf("after a lost reply Get(%q) = version %d, value %s; want a version after %d, value %s", key, rec.Version, short(rec.Value), version, value)
			}
			version = rec.Version
		}
		version = t.set(lossy.Store, key, slot("member", 9), version)
		t.want(key, slot("member", 9), version, s)
	}
}

// deaf is a client that writes but does not hear that it has.
type deaf struct{ cluster.Store }

var errLost = errors.New("clustertest: the reply was lost")

func (d *deaf) Set(ctx context.Context, key string, value []byte, prev cluster.Version) (cluster.Version, error) {
	if _, err := d.Store.Set(ctx, key, value, prev); err != nil {
		return 0, err
	}
	return 0, errLost
}

func checkContextDone(t *storeTest) {
	s := t.Open()
	v := t.set(s, slotKey(0), slot("member", 1), 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	t.soon("Get", ctx, func(ctx context.Context) { _, _ = s.Get(ctx, slotKey(0), 0) })
	t.soon("List", ctx, func(ctx context.Context) { _, _ = s.List(ctx, cluster.SlotPrefix) })
	t.soon("Set", ctx, func(ctx context.Context) {
		next, err := s.Set(ctx, slotKey(0), []byte(slot("member", 2)), v)
		if errors.Is(err, cluster.ErrConflict) || err == nil && next <= v {
			t.Errorf("Set(prev %d) with a context that is done = version %d, %v; want another error, or to have stored", v, next, err)
		}
	})
	t.soon("Watch", ctx, func(ctx context.Context) {
		for range s.Watch(ctx, cluster.SlotPrefix) {
		}
	})
}

func checkVersionsAfterDeletion(t *storeTest) {
	a, b := t.Open(), t.Open()
	for _, key := range recordKeys {
		last := cluster.Version(0)
		for n := range 3 {
			value := slot("member", n)
			first := t.set(a, key, value, 0)
			if first <= last {
				t.Errorf("Set(%q) after a deletion returned version %d, want one after %d", key, first, last)
			}
			last = t.set(b, key, value, first)
			if err := t.Delete(t.Context(), key); err != nil {
				t.Fatalf("Delete(%q): %v", key, err)
			}
			t.want(key, "", 0, a, b)
			if v, err := b.Set(t.Context(), key, []byte(value), last); !errors.Is(err, cluster.ErrConflict) {
				t.Errorf("Set(%q, prev %d) of a deleted record = version %d, %v; want ErrConflict", key, last, v, err)
			}
		}
	}
}
