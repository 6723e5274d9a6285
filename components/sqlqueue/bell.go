package sqlqueue

import "sync"

// A bell tells consumers of this process that something was sent, so that they do not wait for
// their next look at the table.
type bell struct {
	mu    sync.Mutex
	heard map[string]chan struct{} // by topic; closed when it rings
}

// listen returns what is closed when the bell rings next.
func (b *bell) listen(topic string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, ok := b.heard[topic]
	if !ok {
		if b.heard == nil {
			b.heard = map[string]chan struct{}{}
		}
		c = make(chan struct{})
		b.heard[topic] = c
	}
	return c
}

func (b *bell) ring(topic string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := b.heard[topic]; ok {
		close(c)
		delete(b.heard, topic)
	}
}
