package cluster

import (
	"context"
	"errors"
	"iter"
)

// A Store keeps the few shared records by which the members of a cluster agree:
// one table of locks and one slot for each member, and the cursors of terms. It is all that a backend has
// to provide; every rule of leadership, and every clock, lives in this package.
//
// A store needs no leases, sessions or time-to-live of its own, only a
// linearizable compare-and-set. Package clustertest holds the suite that a store
// must pass. All methods may be called from many goroutines at once and return
// soon after ctx is done.
type Store interface {
	// Get returns the record at key as it is now: it never answers from a cache or
	// a replica that may lag. Where there is no record it returns one whose Version
	// is 0. A store may leave out the Value of a record whose version is known, so
	// that asking "is it still as I saw it?" is cheap; known 0 asks for the value.
	Get(ctx context.Context, key string, known Version) (Record, error)

	// List returns all records whose key begins with prefix, in any order. It may
	// lag behind.
	List(ctx context.Context, prefix string) ([]Record, error)

	// Set stores value at key if the record there still has version prev, 0 meaning
	// that there is none, and returns the new version. ErrConflict means that
	// nothing was stored because prev is not the version there. After any other
	// error the value may have been stored or not, or may be stored later.
	Set(ctx context.Context, key string, value []byte, prev Version) (Version, error)

	// Watch yields the records whose key begins with prefix, which is [SlotPrefix] or
	// the whole key of one record, which then comes alone or with others (a reader
	// looks at the key): those there are, then each that changes, and a record with
	// Version 0 for each that is deleted. It
	// may lag behind and may skip versions of a record, but never goes back to an
	// older one. It ends with ctx, or with an error, after which the caller watches
	// anew.
	Watch(ctx context.Context, prefix string) iter.Seq2[Record, error]
}

// A Record is one value in a [Store].
type Record struct {
	Key     string
	Version Version
	Value   []byte
}

// A Version identifies one state of a record. A later state has a greater one,
// also where the record was deleted in between: fencing tokens are made of them.
type Version uint64

// ErrConflict is returned by [Store.Set] for a record that changed since.
var ErrConflict = errors.New("cluster: the record has another version")

// The keys of the records.
const (
	TableKey   = "table" // the locks and their owners
	SlotPrefix = "slot-" // slot-0, slot-1, …: one member each

	// CursorPrefix and 32 hexadecimal digits: a [Cursor] each. These are records for
	// Get and Set alone: List and Watch may leave them out.
	CursorPrefix = "cursor-"
)

// A Keeper is a [Store] whose records cannot be deleted from outside: a missing
// table there was never written, so the first member need not wait for a
// forgotten leader to stop.
type Keeper interface{ Keeps() bool }

// A Roster is a [Store] that knows the replicas by other means than their slots,
// such as the pods of a Deployment. What it says is shown, never acted on.
type Roster interface {
	// Members yields the names of the replicas, sorted: those there are, then anew
	// at each change. It ends with ctx, or with an error.
	Members(ctx context.Context) iter.Seq2[[]string, error]
}

// A Checker is a [Store] that can tell in advance what it will lack.
type Checker interface {
	// Check returns an error that names each thing that is missing: a permission, a
	// folder, a record that holds something else.
	Check(ctx context.Context) error
}
