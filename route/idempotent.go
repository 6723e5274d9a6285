package route

import (
	"context"
	"errors"
	"sync"
)

// An IdempotentRepository remembers the keys of messages for [Route.IdempotentConsumer]. All
// methods may be called by many goroutines at once. An error is that of the exchange.
//
// A key that was added and is neither confirmed nor removed is that of a message in
// flight. If the process dies meanwhile, the message was not acknowledged and comes again;
// a repository that outlives the process must let it pass then.
type IdempotentRepository interface {
	// Add adds a key and tells whether it was not there. Of those who add the same key at
	// the same time exactly one is told so.
	Add(ctx context.Context, key string) (bool, error)

	// Contains tells whether a key is there.
	Contains(ctx context.Context, key string) (bool, error)

	// Confirm tells that the message is done with. The key is there afterwards, whether it
	// was before or not.
	Confirm(ctx context.Context, key string) error

	// Remove takes a key away: the message has failed and may come again.
	Remove(ctx context.Context, key string) error
}

// ErrInProgress is returned by an [IdempotentRepository] for the key of a message that
// another process works on, or died with. Such a message is neither new nor a duplicate:
// it is to be refused, so that it comes again when more is known.
var ErrInProgress = errors.New("route: another process works on the same message")

// IdempotentMemory is an [IdempotentRepository] in memory. It knows the keys that were
// used last: one that comes after Size others is new again. The zero value is ready.
type IdempotentMemory struct {
	// Size is how many keys are kept; 0 or less means 1000, as in Camel. It may not be changed
	// once the repository is used.
	Size int

	mu     sync.Mutex
	byKey  map[string]int32
	keys   []usedKey // a ring by prev and next
	free   []int32
	latest int32 // where keys has something
}

type usedKey struct {
	key        string
	prev, next int32 // the one used after it, the one used before it
}

// Add implements [IdempotentRepository].
func (m *IdempotentMemory) Add(_ context.Context, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.add(key), nil
}

// Contains implements [IdempotentRepository].
func (m *IdempotentMemory) Contains(_ context.Context, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.byKey[key]
	if ok {
		m.use(i)
	}
	return ok, nil
}

// Confirm implements [IdempotentRepository].
func (m *IdempotentMemory) Confirm(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(key)
	return nil
}

// Remove implements [IdempotentRepository].
func (m *IdempotentMemory) Remove(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i, ok := m.byKey[key]; ok {
		delete(m.byKey, key)
		m.unlink(i)
		m.keys[i].key = ""
		m.free = append(m.free, i)
	}
	return nil
}

// Clear forgets all keys.
func (m *IdempotentMemory) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.byKey, m.keys, m.free = nil, nil, nil
}

// Len is how many keys there are.
func (m *IdempotentMemory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.byKey)
}

func (m *IdempotentMemory) add(key string) bool {
	if i, ok := m.byKey[key]; ok {
		m.use(i)
		return false
	}
	if m.byKey == nil {
		m.byKey = map[string]int32{}
	}
	size := m.Size
	if size <= 0 {
		size = 1000
	}
	var i int32
	switch {
	case len(m.free) > 0:
		i = m.free[len(m.free)-1]
		m.free = m.free[:len(m.free)-1]
	case len(m.keys) < size:
		i = int32(len(m.keys))
		m.keys = append(m.keys, usedKey{})
	default:
		i = m.keys[m.latest].prev // the oldest
		delete(m.byKey, m.keys[i].key)
		m.unlink(i)
	}
	m.keys[i].key = key
	m.byKey[key] = i
	m.link(i, len(m.byKey) == 1)
	return true
}

// use makes i the latest.
func (m *IdempotentMemory) use(i int32) {
	if i != m.latest {
		m.unlink(i)
		m.link(i, false)
	}
}

func (m *IdempotentMemory) link(i int32, alone bool) {
	if alone {
		m.keys[i].prev, m.keys[i].next = i, i
	} else {
		oldest := m.keys[m.latest].prev
		m.keys[i].prev, m.keys[i].next = oldest, m.latest
		m.keys[oldest].next, m.keys[m.latest].prev = i, i
	}
	m.latest = i
}

func (m *IdempotentMemory) unlink(i int32) {
	k := m.keys[i]
	m.keys[k.prev].next, m.keys[k.next].prev = k.next, k.prev
	if i == m.latest {
		m.latest = k.next
	}
}
