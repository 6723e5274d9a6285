package route

import (
	"context"
	"errors"
	"iter"
	"sync"
)

// A GroupRepository keeps the open groups of a [Route.Aggregate] by their keys. Without one
// they are kept in memory.
//
// Its methods may be called from many goroutines at once. What it is given stays the
// caller's, and what it returns is the caller's. After a process has ended a group may have
// no exchange to wait for: its deadline is in it.
type GroupRepository interface {
	// Get returns the open group with a key, or nil.
	Get(ctx context.Context, key string) (*Group, error)

	// Put stores an open group, and gives it its next version. It returns [ErrConflict] if
	// the version of the group that is there, 0 if there is none, is not that of g.
	Put(ctx context.Context, g *Group) error

	// Remove takes an open group away. It returns [ErrConflict] if that is not there in the
	// version of g.
	Remove(ctx context.Context, g *Group) error

	// Open yields copies of all open groups. An error ends the sequence.
	Open(ctx context.Context) iter.Seq2[*Group, error]
}

// A RecoverableRepository also keeps the groups that are completed until the steps they go
// through are done with them. Those of a process that has died, and those that have failed,
// are recovered: they go through the steps again.
type RecoverableRepository interface {
	GroupRepository

	// Complete stores a completed group under an id, and takes it from the open ones, both or
	// nothing. It returns [ErrConflict] as Remove does; a group with version 0 must not be
	// among the open ones. Ids are unique, and sort by when they were made.
	Complete(ctx context.Context, id string, g *Group) error

	// Confirm forgets a completed group. It does nothing if there is none with that id.
	Confirm(ctx context.Context, id string) error

	// Unconfirmed yields the ids of the completed groups, the oldest first. An error ends
	// the sequence.
	Unconfirmed(ctx context.Context) iter.Seq2[string, error]

	// Recover returns the completed group with an id, or nil, and counts that it did, in
	// Redeliveries, before it returns.
	Recover(ctx context.Context, id string) (*Group, error)
}

// ErrConflict is returned by a [GroupRepository] where somebody else has changed a group
// meanwhile.
var ErrConflict = errors.New("route: somebody else has changed the group")

// memoryGroups is the repository in memory. It gives out what it keeps, for a single
// aggregator, which either keeps others from a group while it has it or takes a clone.
type memoryGroups struct {
	mu     sync.Mutex
	groups map[string]*Group
}

func (m *memoryGroups) Get(_ context.Context, key string) (*Group, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.groups[key], nil
}

// there tells whether g may take the place of what is there. m.mu is held.
func (m *memoryGroups) there(g *Group) bool {
	old := m.groups[g.Key]
	return old == g || old == nil && g.Version == 0 || old != nil && old.Version == g.Version
}

func (m *memoryGroups) Put(_ context.Context, g *Group) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.there(g) {
		return ErrConflict
	}
	g.Version++
	m.groups[g.Key] = g
	return nil
}

func (m *memoryGroups) Remove(_ context.Context, g *Group) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.groups[g.Key] == nil || !m.there(g) {
		return ErrConflict
	}
	delete(m.groups, g.Key)
	return nil
}

// Open is not needed: what is in memory was put there by the one who asks.
func (m *memoryGroups) Open(context.Context) iter.Seq2[*Group, error] {
	return func(func(*Group, error) bool) {}
}
