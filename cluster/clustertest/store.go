package clustertest

import (
	"context"
	"testing"
	"time"

	"github.com/mehari-go/mehari/cluster"
)

// Records are the records of one cluster in the backend under test, empty at
// first and used by one test only.
type Records struct {
	// Open returns one more client of the records, as a further process would
	// have. It registers what has to be closed with the test. TestStore calls it a
	// few times for one set of records, and the clients must agree.
	Open func() cluster.Store

	// Delete removes a record from outside, as an administrator would. Where it is
	// nil, the tests of deletion are skipped.
	Delete func(ctx context.Context, key string) error

	// Settle is how long a change may take to reach a watch, and a call to return
	// after its context is done. It decides only how long a failing test takes.
	// The default is 10 seconds.
	Settle time.Duration
}

// TestStore checks that a store does what [cluster.Store] asks for. The function
// fresh returns a new, empty set of records each time. In the tests of the store:
//
//	func TestStore(t *testing.T) {
//		clustertest.TestStore(t, func(t *testing.T) clustertest.Records {
//			server := newServer(t)
//			return clustertest.Records{Open: func() cluster.Store { return mystore.New(server.Client()) }}
//		})
//	}
//
// The values of slots are JSON objects with a "holder"; that of the table is text
// of up to 512 KiB. Histories of concurrent calls are checked for linearizability
// with porcupine. On a local store the suite takes a few seconds at most.
func TestStore(t *testing.T, fresh func(t *testing.T) Records) {
	for _, check := range storeChecks() {
		t.Run(check.name, func(t *testing.T) {
			r := fresh(t)
			if check.deletes && r.Delete == nil {
				t.Skip("these records cannot be deleted from outside")
			}
			check.run(newStoreTest(t, r))
		})
	}
}

// A storeCheck is one test of the suite.
type storeCheck struct {
	name    string
	deletes bool // needs Records.Delete
	run     func(*storeTest)
}

func storeChecks() []storeCheck {
	return []storeCheck{
		{"Absent", false, checkAbsent},
		{"CreateAndUpdate", false, checkCreateAndUpdate},
		{"Conflict", false, checkConflict},
		{"KnownVersion", false, checkKnownVersion},
		{"ValueIsCopied", false, checkValueIsCopied},
		{"LargeTable", false, checkLargeTable},
		{"ManySlots", false, checkManySlots},
		{"LostReply", false, checkLostReply},
		{"ContextDone", false, checkContextDone},
		{"Linearizable", false, checkLinearizable},
		{"VersionsGrowAfterDeletion", true, checkVersionsAfterDeletion},
		{"WatchCurrentFirst", false, checkWatchCurrentFirst},
		{"WatchOrder", false, checkWatchOrder},
		{"WatchSlowReader", false, checkWatchSlowReader},
		{"WatchPrefix", false, checkWatchPrefix},
		{"WatchDeletion", true, checkWatchDeletion},
		{"WatchEnds", false, checkWatchEnds},
	}
}

// reporter is the part of [testing.T] that the checks use, so that the tests of
// the suite itself can see a check fail.
type reporter interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A storeTest is one run of a check.
type storeTest struct {
	reporter
	Records
}

func newStoreTest(t reporter, r Records) *storeTest {
	if r.Settle == 0 {
		r.Settle = 10 * time.Second
	}
	return &storeTest{t, r}
}

// set stores a value and returns its version, which must be greater than prev.
func (t *storeTest) set(s cluster.Store, key, value string, prev cluster.Version) cluster.Version {
	t.Helper()
	v, err := s.Set(t.Context(), key, []byte(value), prev)
	if err != nil {
		t.Fatalf("Set(%q, prev %d): %v", key, prev, err)
	}
	if v <= prev {
		t.Fatalf("Set(%q, prev %d) returned version %d, want a greater one", key, prev, v)
	}
	return v
}

// get returns the record with its value.
func (t *storeTest) get(s cluster.Store, key string) cluster.Record {
	t.Helper()
	rec, err := s.Get(t.Context(), key, 0)
	if err != nil {
		t.Fatalf("Get(%q, 0): %v", key, err)
	}
	if rec.Key != key {
		t.Errorf("Get(%q, 0) returned the key %q", key, rec.Key)
	}
	return rec
}

// want checks that every client sees the record.
func (t *storeTest) want(key, value string, version cluster.Version, clients ...cluster.Store) {
	t.Helper()
	for i, s := range clients {
		if rec := t.get(s, key); string(rec.Value) != value || rec.Version != version {
			t.Errorf("client %d: Get(%q, 0) = version %d, value %s; want version %d, value %s",
				i+1, key, rec.Version, short(rec.Value), version, short([]byte(value)))
		}
	}
}

func short(value []byte) string {
	if len(value) > 60 {
		return string(value[:60]) + "…"
	}
	return string(value)
}

// soon runs f with a context and fails if it does not return within Settle after
// that context is done.
func (t *storeTest) soon(what string, ctx context.Context, f func(ctx context.Context)) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(ctx)
	}()
	<-ctx.Done()
	select {
	case <-done:
	case <-time.After(t.Settle):
		t.Fatalf("%s has not returned %v after its context was done", what, t.Settle)
	}
}
