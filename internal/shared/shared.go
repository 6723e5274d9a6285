// Package shared lets the endpoints of one name meet.
package shared

import (
	"iter"
	"maps"
	"runtime"
	"sync"
	"weak"
)

// A Map holds one value for each name, as long as someone else holds it too, so that
// names that are used no more cost nothing. The zero Map is ready for use, by many
// goroutines at once.
type Map[T any] struct {
	mu     sync.Mutex
	values map[string]weak.Pointer[T]
}

// Get returns the value called name, made by create if there is none.
func (m *Map[T]) Get(name string, create func() *T) *T {
	m.mu.Lock()
	defer m.mu.Unlock()
	if v := m.values[name].Value(); v != nil {
		return v
	}
	v := create()
	if m.values == nil {
		m.values = map[string]weak.Pointer[T]{}
	}
	w := weak.Make(v)
	m.values[name] = w
	runtime.AddCleanup(v, func(name string) { m.forget(name, w) }, name)
	return v
}

func (m *Map[T]) forget(name string, w weak.Pointer[T]) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.values[name] == w {
		delete(m.values, name)
	}
}

// All yields the names and values in no order.
func (m *Map[T]) All() iter.Seq2[string, *T] {
	m.mu.Lock()
	values := maps.Clone(m.values)
	m.mu.Unlock()
	return func(yield func(string, *T) bool) {
		for name, w := range values {
			if v := w.Value(); v != nil && !yield(name, v) {
				return
			}
		}
	}
}
